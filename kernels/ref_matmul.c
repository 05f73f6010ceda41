/* MatMul as NumPy's matmul: batches broadcast; a vector on the left is a row, on the right a
 * column, and its axis is missing in the result. */
#include "kernels/matrix.h"
#include "kernels/walk.h"

/* The last two axes of t as a matrix, the rest as a tensor of matrices. */
static Matrix
last_axes(const KTensor *t, bool is_left, KTensor *batch)
{
	int r = t->rank;
	Matrix m = {t, 0, r > 1 ? t->dim[r - 1] : !is_left, r > 1 || is_left};

	batch->rank = r > 2 ? r - 2 : 0;
	for (int a = 0; a < batch->rank; a++)
		batch->dim[a] = t->dim[a];
	return m;
}

static void
product(const Matrix *a, const Matrix *b, const KTensor *out, int64_t at, int64_t rows,
	int64_t columns, int64_t depth)
{
	double sum[MATRIX_ROWS][K_RUN];

	for (int64_t i = 0; i < rows; i += MATRIX_ROWS)
		for (int64_t j = 0; j < columns; j += K_RUN) {
			int m = (int)k_min(MATRIX_ROWS, rows - i);
			int n = (int)k_min(K_RUN, columns - j);

			matrix_tile(a, b, depth, i, m, j, n, sum);
			for (int r = 0; r < m; r++)
				k_store(out, at + (i + r) * columns + j, 1, n, sum[r]);
		}
}

static void
int_product(const Matrix *a, const Matrix *b, const KTensor *out, int64_t at, int64_t rows,
	    int64_t columns, int64_t depth)
{
	for (int64_t i = 0; i < rows; i++)
		for (int64_t j = 0; j < columns; j++) {
			int64_t v = matrix_int_element(a, b, depth, i, j);

			k_store_int(out, at + i * columns + j, 0, 1, &v);
		}
}

int
ref_matmul(const KCall *k)
{
	const KTensor *x = &k->in[0], *y = &k->in[1], *z = k->out;
	int64_t depth = x->dim[x->rank - 1], at = 0;
	int64_t rows = x->rank > 1 ? x->dim[x->rank - 2] : 1;
	int64_t columns = y->rank > 1 ? y->dim[y->rank - 1] : 1;
	KTensor xs, ys;
	Matrix a = last_axes(x, true, &xs), b = last_axes(y, false, &ys);
	Walk w;

	if (!k_is_float(z) && !k_is_int(z))
		return -1;
	walk_init(&w, (int)k_max(xs.rank, ys.rank), z->dim);
	walk_broadcast(&w, 0, &xs);
	walk_broadcast(&w, 1, &ys);
	walk_start(&w);
	while (walk_next(&w))
		for (int i = 0; i < w.n; i++, at += rows * columns) {
			a.at = (w.at[0] + i * w.run[0]) * rows * depth;
			b.at = (w.at[1] + i * w.run[1]) * depth * columns;
			if (k_is_float(z))
				product(&a, &b, z, at, rows, columns, depth);
			else
				int_product(&a, &b, z, at, rows, columns, depth);
		}
	return 0;
}

int
ref_matmulinteger(const KCall *k)
{
	if (!k_is_summed_in_i32(&k->in[0]) || !k_is_summed_in_i32(&k->in[1]) ||
	    k->out->type != DT_I32)
		return -1;
	return ref_matmul(k);
}
