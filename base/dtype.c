/* Element types: names, numbers, single elements. */
#include "base/dtype.h"

#include <string.h>

#include "base/half.h"

static const struct {
	const char *text, *npy;
	int onnx;
} list[] = {
#define X(name, text, bytes, onnx, npy) {text, npy, onnx},
	DTYPE_LIST(X)
#undef X
};

const char *
dtype_name(DType t)
{
	return list[t].text;
}

const char *
dtype_npy(DType t)
{
	return list[t].npy;
}

int
dtype_to_onnx(DType t)
{
	return list[t].onnx;
}

bool
dtype_parse(const char *text, DType *t)
{
	for (int i = 0; i < DT_COUNT; i++)
		if (!strcmp(list[i].text, text)) {
			*t = (DType)i;
			return true;
		}
	return false;
}

bool
dtype_from_onnx(int number, DType *t)
{
	for (int i = 0; i < DT_COUNT; i++)
		if (list[i].onnx == number) {
			*t = (DType)i;
			return true;
		}
	return false;
}

double
dtype_get(DType t, const void *data, size_t i)
{
	switch (t) {
	case DT_F32: return ((const float *)data)[i];
	case DT_F64: return ((const double *)data)[i];
	case DT_F16: return half_to_float(((const uint16_t *)data)[i]);
	case DT_BF16: return bf16_to_float(((const uint16_t *)data)[i]);
	case DT_I8: return ((const int8_t *)data)[i];
	case DT_U8: return ((const uint8_t *)data)[i];
	case DT_I16: return ((const int16_t *)data)[i];
	case DT_U16: return ((const uint16_t *)data)[i];
	case DT_I32: return ((const int32_t *)data)[i];
	case DT_U32: return ((const uint32_t *)data)[i];
	case DT_I64: return (double)((const int64_t *)data)[i];
	case DT_U64: return (double)((const uint64_t *)data)[i];
	case DT_BOOL: return ((const uint8_t *)data)[i] != 0;
	default: return 0;
	}
}

/* v truncated into [lo, hi]; NaN becomes 0. hi may be 2^63 or 2^64: then it is excluded. */
static double
clamped(double v, double lo, double hi)
{
	return v != v ? 0 : v < lo ? lo : v > hi ? hi : v;
}

void
dtype_put(DType t, void *data, size_t i, double v)
{
	switch (t) {
	case DT_F32: ((float *)data)[i] = (float)v; break;
	case DT_F64: ((double *)data)[i] = v; break;
	case DT_F16: ((uint16_t *)data)[i] = float_to_half((float)v); break;
	case DT_BF16: ((uint16_t *)data)[i] = float_to_bf16((float)v); break;
	case DT_I8: ((int8_t *)data)[i] = (int8_t)clamped(v, -128, 127); break;
	case DT_U8: ((uint8_t *)data)[i] = (uint8_t)clamped(v, 0, 255); break;
	case DT_I16: ((int16_t *)data)[i] = (int16_t)clamped(v, -32768, 32767); break;
	case DT_U16: ((uint16_t *)data)[i] = (uint16_t)clamped(v, 0, 65535); break;
	case DT_I32: ((int32_t *)data)[i] = (int32_t)clamped(v, INT32_MIN, INT32_MAX); break;
	case DT_U32: ((uint32_t *)data)[i] = (uint32_t)clamped(v, 0, UINT32_MAX); break;
	case DT_I64:
		((int64_t *)data)[i] =
			v >= 0x1p63 ? INT64_MAX : (int64_t)clamped(v, -0x1p63, 0x1p63);
		break;
	case DT_U64:
		((uint64_t *)data)[i] = v >= 0x1p64 ? UINT64_MAX : (uint64_t)clamped(v, 0, 0x1p64);
		break;
	case DT_BOOL: ((uint8_t *)data)[i] = v != 0; break;
	default: break;
	}
}
