/* Fills the generated structures of a model and lets protobuf-c pack them. */
#include "graph/onnx_write.h"

#include <stdbool.h>
#include <string.h>

/* The oldest file format that has everything of the opsets written here. */
enum { IR_VERSION = 8 };

/* Appending one to a list of n takes storage when n is 0 or a power of two, which then lasts until
 * the next one: the cost stays linear without a capacity, which the structures do not have. */
void *
onnx_append_(Arena *a, void *list, size_t count, void *item)
{
	void **v = list;

	if (!(count & (count - 1))) {
		v = ARENA_ARRAY(a, void *, count ? 2 * count : 1);
		if (count)
			memcpy(v, list, count * sizeof *v);
	}
	v[count] = item;
	return v;
}

void
onnx_write_init(OnnxWrite *w, Arena *a, const char *name, int opset)
{
	Onnx__OperatorSetIdProto *id =
		ONNX_NEW(a, Onnx__OperatorSetIdProto, ONNX__OPERATOR_SET_ID_PROTO__INIT);

	w->arena = a;
	w->model = ONNX_NEW(a, Onnx__ModelProto, ONNX__MODEL_PROTO__INIT);
	w->graph = ONNX_NEW(a, Onnx__GraphProto, ONNX__GRAPH_PROTO__INIT);
	w->graph->name = arena_strdup(a, name);
	w->model->graph = w->graph;
	w->model->has_ir_version = true;
	w->model->ir_version = IR_VERSION;
	w->model->producer_name = arena_strdup(a, "hone");
	id->domain = arena_strdup(a, "");
	id->has_version = true;
	id->version = opset;
	ONNX_APPEND(a, w->model->opset_import, w->model->n_opset_import, id);
}

static Onnx__ValueInfoProto *
value_info(Arena *a, const char *name, DType type, int rank, const int64_t *dim)
{
	Onnx__ValueInfoProto *v = ONNX_NEW(a, Onnx__ValueInfoProto, ONNX__VALUE_INFO_PROTO__INIT);
	Onnx__TypeProto *t = ONNX_NEW(a, Onnx__TypeProto, ONNX__TYPE_PROTO__INIT);
	Onnx__TypeProto__Tensor *tensor =
		ONNX_NEW(a, Onnx__TypeProto__Tensor, ONNX__TYPE_PROTO__TENSOR__INIT);
	Onnx__TensorShapeProto *shape =
		ONNX_NEW(a, Onnx__TensorShapeProto, ONNX__TENSOR_SHAPE_PROTO__INIT);

	for (int i = 0; i < rank; i++) {
		Onnx__TensorShapeProto__Dimension *d =
			ONNX_NEW(a, Onnx__TensorShapeProto__Dimension,
				 ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT);

		d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		d->dim_value = dim[i];
		ONNX_APPEND(a, shape->dim, shape->n_dim, d);
	}
	tensor->has_elem_type = true;
	tensor->elem_type = dtype_to_onnx(type);
	tensor->shape = shape;
	t->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	t->tensor_type = tensor;
	v->name = arena_strdup(a, name);
	v->type = t;
	return v;
}

void
onnx_write_input(OnnxWrite *w, const char *name, DType type, int rank, const int64_t *dim)
{
	ONNX_APPEND(w->arena, w->graph->input, w->graph->n_input,
		    value_info(w->arena, name, type, rank, dim));
}

void
onnx_write_output(OnnxWrite *w, const char *name, DType type, int rank, const int64_t *dim)
{
	ONNX_APPEND(w->arena, w->graph->output, w->graph->n_output,
		    value_info(w->arena, name, type, rank, dim));
}

Onnx__TensorProto *
onnx_write_tensor(OnnxWrite *w, const char *name, DType type, int rank, const int64_t *dim,
		  const void *data)
{
	Onnx__TensorProto *t = ONNX_NEW(w->arena, Onnx__TensorProto, ONNX__TENSOR_PROTO__INIT);
	size_t size = dtype_size(type);

	for (int i = 0; i < rank; i++)
		size *= (size_t)dim[i];
	t->name = arena_strdup(w->arena, name);
	t->has_data_type = true;
	t->data_type = dtype_to_onnx(type);
	t->n_dims = (size_t)rank;
	t->dims = arena_copy(w->arena, dim, (size_t)rank * sizeof *dim);
	t->has_raw_data = data != NULL;
	if (data)
		t->raw_data = (ProtobufCBinaryData){size, (uint8_t *)data};
	return t;
}

void
onnx_write_const(OnnxWrite *w, const char *name, DType type, int rank, const int64_t *dim,
		 const void *data)
{
	ONNX_APPEND(w->arena, w->graph->initializer, w->graph->n_initializer,
		    onnx_write_tensor(w, name, type, rank, dim, data));
}

/* Appends the names in `text` to a repeated field. */
static void
add_names(Arena *a, const char *text, char ***list, size_t *count)
{
	for (size_t n; text += strspn(text, " "), (n = strcspn(text, " ")); text += n) {
		bool absent = n == 1 && *text == '-';
		char *name = arena_printf(a, "%.*s", absent ? 0 : (int)n, text);

		ONNX_APPEND(a, *list, *count, name);
	}
}

Onnx__NodeProto *
onnx_write_node(OnnxWrite *w, const char *op, const char *in, const char *out)
{
	Onnx__NodeProto *n = ONNX_NEW(w->arena, Onnx__NodeProto, ONNX__NODE_PROTO__INIT);

	n->op_type = arena_strdup(w->arena, op);
	add_names(w->arena, in, &n->input, &n->n_input);
	add_names(w->arena, out, &n->output, &n->n_output);
	n->name = n->n_output ? n->output[0] : n->op_type;
	ONNX_APPEND(w->arena, w->graph->node, w->graph->n_node, n);
	return n;
}

static Onnx__AttributeProto *
add_attribute(OnnxWrite *w, Onnx__NodeProto *n, const char *name,
	      Onnx__AttributeProto__AttributeType type)
{
	Onnx__AttributeProto *a =
		ONNX_NEW(w->arena, Onnx__AttributeProto, ONNX__ATTRIBUTE_PROTO__INIT);

	a->name = arena_strdup(w->arena, name);
	a->has_type = true;
	a->type = type;
	ONNX_APPEND(w->arena, n->attribute, n->n_attribute, a);
	return a;
}

void
onnx_write_int(OnnxWrite *w, Onnx__NodeProto *n, const char *name, int64_t v)
{
	Onnx__AttributeProto *a =
		add_attribute(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);

	a->has_i = true;
	a->i = v;
}

void
onnx_write_float(OnnxWrite *w, Onnx__NodeProto *n, const char *name, float v)
{
	Onnx__AttributeProto *a =
		add_attribute(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

	a->has_f = true;
	a->f = v;
}

void
onnx_write_string(OnnxWrite *w, Onnx__NodeProto *n, const char *name, const char *v)
{
	Onnx__AttributeProto *a =
		add_attribute(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);

	a->has_s = true;
	a->s = (ProtobufCBinaryData){strlen(v), (uint8_t *)arena_strdup(w->arena, v)};
}

void
onnx_write_ints(OnnxWrite *w, Onnx__NodeProto *n, const char *name, int count, const int64_t *v)
{
	Onnx__AttributeProto *a =
		add_attribute(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);

	a->n_ints = (size_t)count;
	a->ints = arena_copy(w->arena, v, (size_t)count * sizeof *v);
}

const void *
onnx_write_pack(const OnnxWrite *w, size_t *size)
{
	uint8_t *out;

	*size = onnx__model_proto__get_packed_size(w->model);
	out = arena_alloc(w->arena, *size);
	onnx__model_proto__pack(w->model, out);
	return out;
}
