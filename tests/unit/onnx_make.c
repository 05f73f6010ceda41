/* Shapes read from text, and structures bent to what the writer does not offer.
 */
#include "onnx_make.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernel.h"

/* Extents as text: 0 and a name where it is no number. */
typedef struct Dims {
	int rank;
	int64_t value[KERNEL_RANK_MAX];
	char *name[KERNEL_RANK_MAX];
} Dims;

static Dims
read_dims(OnnxMake *m, const char *text)
{
	Dims d = {0};

	for (; *text; d.rank++) {
		size_t n = strcspn(text, ",");
		char *word = arena_printf(m->arena, "%.*s", (int)n, text);

		if (isdigit((unsigned char)*word))
			d.value[d.rank] = atoll(word);
		else
			d.name[d.rank] = word;
		text += n + (text[n] != 0);
	}
	return d;
}

void
onnx_make_init(OnnxMake *m, int opset)
{
	onnx_write_init(m, arena_new(), "made", opset);
}

void
onnx_make_fini(OnnxMake *m)
{
	arena_free(m->arena);
}

void
onnx_make_input(OnnxMake *m, const char *name, DType type, const char *dims)
{
	Dims d = read_dims(m, dims ? dims : "");
	Onnx__TypeProto__Tensor *t;

	onnx_write_input(m, name, type, d.rank, d.value);
	t = m->graph->input[m->graph->n_input - 1]->type->tensor_type;
	for (int i = 0; i < d.rank; i++) {
		Onnx__TensorShapeProto__Dimension *dim = t->shape->dim[i];

		if (!d.name[i])
			continue;
		onnx__tensor_shape_proto__dimension__init(dim);
		if (*d.name[i] == '?')
			continue;
		dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
		dim->dim_param = d.name[i];
	}
	if (!dims)
		t->shape = NULL;
}

void
onnx_make_output(OnnxMake *m, const char *name)
{
	onnx_write_output(m, name, DT_F32, 0, NULL);
	m->graph->output[m->graph->n_output - 1]->type = NULL;
}

Onnx__TensorProto *
onnx_make_tensor(OnnxMake *m, const char *name, DType type, const char *dims, const void *data)
{
	Dims d = read_dims(m, dims);
	Onnx__TensorProto *t = onnx_write_tensor(m, name, type, d.rank, d.value, data);

	t->raw_data.data = arena_copy(m->arena, data, t->raw_data.len);
	return t;
}

Onnx__TensorProto *
onnx_make_const(OnnxMake *m, const char *name, DType type, const char *dims, const void *data)
{
	Onnx__TensorProto *t = onnx_make_tensor(m, name, type, dims, data);

	ONNX_APPEND(m->arena, m->graph->initializer, m->graph->n_initializer, t);
	return t;
}

Onnx__NodeProto *
onnx_make_node(OnnxMake *m, const char *op, const char *in, const char *out)
{
	Onnx__NodeProto *n = onnx_write_node(m, op, in, out);

	n->name = arena_printf(m->arena, "n_%s", n->name);
	return n;
}

void
onnx_make_value(OnnxMake *m, Onnx__NodeProto *n, const char *name, Onnx__TensorProto *t)
{
	Onnx__AttributeProto *a =
		ONNX_NEW(m->arena, Onnx__AttributeProto, ONNX__ATTRIBUTE_PROTO__INIT);

	a->name = arena_strdup(m->arena, name);
	a->has_type = true;
	a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
	a->t = t;
	ONNX_APPEND(m->arena, n->attribute, n->n_attribute, a);
}
