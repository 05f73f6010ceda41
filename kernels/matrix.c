/* Matrix products. A float tile goes down the depth in runs; what is loaded of one matrix is
 * converted to double once and serves the whole tile. */
#include "kernels/matrix.h"

/* Four partial sums: the adder's latency would bound a single one. */
static double
dot(int n, const double *x, const double *y)
{
	double sum[4] = {0, 0, 0, 0};
	int i = 0;

	for (; i + 4 <= n; i += 4)
		for (int j = 0; j < 4; j++)
			sum[j] += x[i + j] * y[i + j];
	for (; i < n; i++)
		sum[0] += x[i] * y[i];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void
matrix_tile(const Matrix *a, const Matrix *b, int64_t depth, int64_t i, int rows, int64_t j,
	    int columns, double sum[MATRIX_ROWS][K_RUN])
{
	double left[MATRIX_ROWS][K_RUN], right[K_RUN];

	for (int r = 0; r < rows; r++)
		for (int c = 0; c < columns; c++)
			sum[r][c] = 0;
	for (int64_t d = 0; d < depth; d += K_RUN) {
		int n = (int)k_min(K_RUN, depth - d);
		int64_t at = b->at + d * b->row + j * b->column;

		for (int r = 0; r < rows; r++)
			k_load(a->t, a->at + (i + r) * a->row + d * a->column, a->column, n,
			       left[r]);
		/* the right matrix is read in the direction in which it is contiguous */
		for (int c = 0; c < columns && b->row == 1; c++) {
			k_load(b->t, at + c * b->column, 1, n, right);
			for (int r = 0; r < rows; r++)
				sum[r][c] += dot(n, left[r], right);
		}
		for (int s = 0; s < n && b->row != 1; s++) {
			k_load(b->t, at + s * b->row, b->column, columns, right);
			for (int r = 0; r < rows; r++)
				k_add_scaled(columns, sum[r], left[r][s], right);
		}
	}
}

int64_t
matrix_int_element(const Matrix *a, const Matrix *b, int64_t depth, int64_t i, int64_t j)
{
	int64_t left[K_RUN], right[K_RUN];
	uint64_t sum = 0;

	for (int64_t d = 0; d < depth; d += K_RUN) {
		int n = (int)k_min(K_RUN, depth - d);

		k_load_int(a->t, a->at + i * a->row + d * a->column, a->column, n, left);
		k_load_int(b->t, b->at + d * b->row + j * b->column, b->row, n, right);
		for (int s = 0; s < n; s++)
			sum += (uint64_t)left[s] * (uint64_t)right[s];
	}
	return (int64_t)sum;
}
