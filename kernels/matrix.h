/* The product of two strided matrices, shared by Gemm and MatMul. Freestanding. */
#ifndef KERNELS_MATRIX_H
#define KERNELS_MATRIX_H

#include "kernels/element.h"

/* Element (i, j) of a matrix is t[at + i * row + j * column]. */
typedef struct Matrix {
	const KTensor *t;
	int64_t at, row, column;
} Matrix;

enum { MATRIX_ROWS = 4 }; /* rows of a float tile */

/* sum[r][c] = the product's element (i + r, j + c) for r < rows <= MATRIX_ROWS and c < columns <=
 * K_RUN; depth is the length of the sums. */
void matrix_tile(const Matrix *a, const Matrix *b, int64_t depth, int64_t i, int rows, int64_t j,
		 int columns, double sum[MATRIX_ROWS][K_RUN]);

/* The same for one element of an integer product, modulo 2^64. */
int64_t matrix_int_element(const Matrix *a, const Matrix *b, int64_t depth, int64_t i, int64_t j);

#endif
