/* Any bytes as a .npy file and as a serialized ONNX tensor. */
#include "graph/onnx_tensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Err e = {0}, e2 = {0};
	Npy t;

	if (npy_decode(data, size, &t, &e) == OK && npy_bytes(&t) > size)
		__builtin_trap();
	npy_fini(&t);
	onnx_tensor_decode(data, size, &t, &e2);
	npy_fini(&t);
	return 0;
}
