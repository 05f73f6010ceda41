/* Gemm: alpha * A' * B' + beta * C, where C is optional and broadcasts to the result.
 *
 * Integer types are exact modulo 2^64 when alpha and beta are 1; other factors go through double,
 * truncate and saturate.
 */
#include "kernels/matrix.h"
#include "kernels/walk.h"

/* t as a matrix that is read transposed if asked to. */
static Matrix
oriented(const KTensor *t, bool transposed)
{
	Matrix m = {t, 0, transposed ? 1 : t->dim[1], transposed ? t->dim[1] : 1};

	return m;
}

/* C with the steps of its broadcast; t is NULL when there is none. */
static Matrix
addend(const KCall *k)
{
	Matrix m = {k_input(k, 2), 0, 0, 0};
	Walk w;

	if (m.t) {
		walk_init(&w, 2, k->out->dim);
		walk_broadcast(&w, 0, m.t);
		m.row = w.step[0][0];
		m.column = w.step[0][1];
	}
	return m;
}

static void
floats(const KCall *k, const Matrix *a, const Matrix *b, const Matrix *c, int64_t depth)
{
	double alpha = k_float(k, ATTR_alpha), beta = k_float(k, ATTR_beta);
	double sum[MATRIX_ROWS][K_RUN], add[K_RUN];
	const int64_t *dim = k->out->dim;

	for (int64_t i = 0; i < dim[0]; i += MATRIX_ROWS)
		for (int64_t j = 0; j < dim[1]; j += K_RUN) {
			int m = (int)k_min(MATRIX_ROWS, dim[0] - i);
			int n = (int)k_min(K_RUN, dim[1] - j);

			matrix_tile(a, b, depth, i, m, j, n, sum);
			for (int r = 0; r < m; r++) {
				for (int s = 0; s < n; s++)
					sum[r][s] *= alpha;
				if (c->t) {
					k_load(c->t, (i + r) * c->row + j * c->column, c->column, n,
					       add);
					k_add_scaled(n, sum[r], beta, add);
				}
				k_store(k->out, (i + r) * dim[1] + j, 1, n, sum[r]);
			}
		}
}

static double
as_double(int64_t v, bool is_signed)
{
	return is_signed ? (double)v : (double)(uint64_t)v;
}

static void
ints(const KCall *k, const Matrix *a, const Matrix *b, const Matrix *c, int64_t depth)
{
	double alpha = k_float(k, ATTR_alpha), beta = k_float(k, ATTR_beta);
	bool is_signed = dtype_is_signed((DType)k->out->type);
	const int64_t *dim = k->out->dim;

	for (int64_t i = 0; i < dim[0]; i++)
		for (int64_t j = 0; j < dim[1]; j++) {
			int64_t at = i * dim[1] + j, v = matrix_int_element(a, b, depth, i, j);
			int64_t add = c->t ? k_get_int(c->t, i * c->row + j * c->column) : 0;

			if (alpha == 1 && beta == 1) {
				v = (int64_t)((uint64_t)v + (uint64_t)add);
				k_store_int(k->out, at, 0, 1, &v);
			} else {
				k_put(k->out, at,
				      alpha * as_double(v, is_signed) +
					      beta * as_double(add, is_signed));
			}
		}
}

int
ref_gemm(const KCall *k)
{
	bool at = k_int(k, ATTR_transA), bt = k_int(k, ATTR_transB);
	Matrix a = oriented(&k->in[0], at), b = oriented(&k->in[1], bt), c = addend(k);
	int64_t depth = k->in[0].dim[at ? 0 : 1];

	if (k_is_float(k->out))
		floats(k, &a, &b, &c, depth);
	else if (k_is_int(k->out))
		ints(k, &a, &b, &c, depth);
	else
		return -1;
	return 0;
}
