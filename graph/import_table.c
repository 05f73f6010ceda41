/* The table of ONNX operators, from the list in import_ops.h. */
#include <string.h>

#include "graph/import_ops.h"

static const OnnxOp table[] = {
#define X(name, since, until, fn, op, in_min, in_max, out_max, attrs) \
	{name, since, until, import_##fn, OP_##op, in_min, in_max, out_max, attrs},
	ONNX_OP_LIST(X)
#undef X
};

const OnnxOp *
onnx_op(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}
