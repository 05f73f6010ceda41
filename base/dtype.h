/* Element types of tensors. Freestanding: reference kernels and emitted C include it. */
#ifndef BASE_DTYPE_H
#define BASE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name, text, bytes, number in ONNX's TensorProto.DataType, NumPy's descr ("" = none) */
#define DTYPE_LIST(X)                 \
	X(F32, "f32", 4, 1, "<f4")    \
	X(F64, "f64", 8, 11, "<f8")   \
	X(F16, "f16", 2, 10, "<f2")   \
	X(BF16, "bf16", 2, 16, "<V2") \
	X(I8, "i8", 1, 3, "|i1")      \
	X(U8, "u8", 1, 2, "|u1")      \
	X(I16, "i16", 2, 5, "<i2")    \
	X(U16, "u16", 2, 4, "<u2")    \
	X(I32, "i32", 4, 6, "<i4")    \
	X(U32, "u32", 4, 12, "<u4")   \
	X(I64, "i64", 8, 7, "<i8")    \
	X(U64, "u64", 8, 13, "<u8")   \
	X(BOOL, "bool", 1, 9, "|b1")

typedef enum DType {
#define X(name, text, bytes, onnx, npy) DT_##name,
	DTYPE_LIST(X)
#undef X
		DT_COUNT
} DType;

static inline size_t
dtype_size(DType t)
{
	static const uint8_t size[] = {
#define X(name, text, bytes, onnx, npy) bytes,
		DTYPE_LIST(X)
#undef X
	};
	return size[t];
}

static inline bool
dtype_is_float(DType t)
{
	return t <= DT_BF16;
}

static inline bool
dtype_is_signed(DType t)
{
	return t <= DT_BF16 || t == DT_I8 || t == DT_I16 || t == DT_I32 || t == DT_I64;
}

/* The rest needs a hosted environment: base/dtype.c. */
const char *dtype_name(DType t);              /* "f32" */
bool dtype_parse(const char *text, DType *t); /* whole string */
bool dtype_from_onnx(int number, DType *t);
int dtype_to_onnx(DType t);
const char *dtype_npy(DType t);

/* One element as a double; exact for all types but 64-bit integers beyond 2^53. */
double dtype_get(DType t, const void *data, size_t i);
/* Stores v converted as a C cast would, saturating where a cast would be undefined; halves are
 * rounded to nearest even; BOOL stores v != 0. */
void dtype_put(DType t, void *data, size_t i, double v);

#endif
