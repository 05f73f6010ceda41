/* TensorProto files into Npy. */
#include "graph/onnx_tensor.h"

#include <stdlib.h>

#include "base/str.h"
#include "graph/onnx_read.h"

int
onnx_tensor_decode(const void *bytes, size_t size, Npy *t, Err *e)
{
	Arena *a = arena_new();
	Onnx__TensorProto *proto;
	Value v = {0};
	int rc = onnx_unpack_tensor(a, bytes, size, &proto, e);

	*t = (Npy){0};
	if (rc == OK)
		rc = onnx_tensor_shape(proto, NULL, &v, e);
	if (rc == OK)
		rc = npy_init(t, v.type, v.rank, v.dim, e);
	if (rc == OK)
		rc = onnx_tensor_data(proto, NULL, &v, t->data, e);
	if (rc)
		npy_fini(t);
	arena_free(a);
	return rc;
}

int
onnx_tensor_read(const char *path, Npy *t, Err *e)
{
	size_t size;
	char *bytes;
	int rc = file_read(path, (size_t)1 << 31, &bytes, &size, e);

	*t = (Npy){0};
	if (rc)
		return rc;
	rc = onnx_tensor_decode(bytes, size, t, e);
	free(bytes);
	if (rc)
		err_prefix(e, "%s: ", path);
	return rc;
}
