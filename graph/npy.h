/* Npy: a tensor with its contents, as NumPy's .npy files and ONNX's TensorProto hold it. */
#ifndef GRAPH_NPY_H
#define GRAPH_NPY_H

#include "base/dtype.h"
#include "base/err.h"
#include "kernels/kernel.h"

typedef struct Npy {
	DType type;
	int rank;
	int64_t dim[KERNEL_RANK_MAX];
	void *data; /* row-major, 64-byte aligned; npy_fini frees it */
} Npy;

void npy_fini(Npy *t);
int64_t npy_count(const Npy *t);
size_t npy_bytes(const Npy *t);

/* Makes t with zeroed contents. Errors: ERR_UNSUPPORTED (extents), ERR_NOMEM. */
int npy_init(Npy *t, DType type, int rank, const int64_t *dim, Err *e);

/* A .npy file, versions 1 to 3, little-endian; Fortran order is turned into row-major. Errors:
 * ERR_IO, ERR_INPUT (no such file format), ERR_UNSUPPORTED (byte order, element type, rank), all
 * with path or field; t is empty then. */
int npy_read(const char *path, Npy *t, Err *e);
int npy_decode(const void *bytes, size_t size, Npy *t, Err *e);

/* Writes version 1.0 in row-major order. bf16 is written as the 2-byte void type. Errors: ERR_IO.
 */
int npy_write(const char *path, const Npy *t, Err *e);

#endif
