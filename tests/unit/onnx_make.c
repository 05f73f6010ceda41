/* Builds the generated structures and lets protobuf-c pack them. */
#include "onnx_make.h"

#include <stdlib.h>
#include <string.h>

/* A structure of a message type in the arena, initialised. */
#define MAKE(m, Type, init) ((Type *)arena_copy((m)->arena, &(Type)init, sizeof(Type)))

/* Appends item to a repeated field. */
#define APPEND(m, list, count, item)                                         \
	do {                                                                 \
		void **grown = ARENA_ARRAY((m)->arena, void *, (count) + 1); \
		if (count)                                                   \
			memcpy(grown, (list), (count) * sizeof *grown);      \
		grown[(count)++] = (item);                                   \
		(list) = (void *)grown;                                      \
	} while (0)

void
onnx_make_init(OnnxMake *m, int opset)
{
	Onnx__OperatorSetIdProto *id;

	m->arena = arena_new();
	m->model = MAKE(m, Onnx__ModelProto, ONNX__MODEL_PROTO__INIT);
	m->graph = MAKE(m, Onnx__GraphProto, ONNX__GRAPH_PROTO__INIT);
	m->graph->name = "made";
	m->model->graph = m->graph;
	m->model->has_ir_version = true;
	m->model->ir_version = 7;
	id = MAKE(m, Onnx__OperatorSetIdProto, ONNX__OPERATOR_SET_ID_PROTO__INIT);
	id->domain = "";
	id->has_version = true;
	id->version = opset;
	APPEND(m, m->model->opset_import, m->model->n_opset_import, id);
}

void
onnx_make_fini(OnnxMake *m)
{
	arena_free(m->arena);
}

/* The next word of a list, and *p moved behind it; NULL at the end. */
static char *
word(OnnxMake *m, const char **p, char separator)
{
	size_t n = strcspn(*p, separator == ',' ? "," : " ");
	char *out;

	if (!**p)
		return NULL;
	out = arena_printf(m->arena, "%.*s", (int)n, *p);
	*p += n + ((*p)[n] != 0);
	return out;
}

static Onnx__TensorShapeProto *
make_shape(OnnxMake *m, const char *dims)
{
	Onnx__TensorShapeProto *s = MAKE(m, Onnx__TensorShapeProto, ONNX__TENSOR_SHAPE_PROTO__INIT);
	char *w;

	while ((w = word(m, &dims, ','))) {
		Onnx__TensorShapeProto__Dimension *d =
			MAKE(m, Onnx__TensorShapeProto__Dimension,
			     ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT);

		if (*w >= '0' && *w <= '9') {
			d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
			d->dim_value = atoll(w);
		} else if (*w != '?') {
			d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
			d->dim_param = w;
		}
		APPEND(m, s->dim, s->n_dim, d);
	}
	return s;
}

void
onnx_make_input(OnnxMake *m, const char *name, DType type, const char *dims)
{
	Onnx__ValueInfoProto *v = MAKE(m, Onnx__ValueInfoProto, ONNX__VALUE_INFO_PROTO__INIT);
	Onnx__TypeProto *t = MAKE(m, Onnx__TypeProto, ONNX__TYPE_PROTO__INIT);
	Onnx__TypeProto__Tensor *tensor =
		MAKE(m, Onnx__TypeProto__Tensor, ONNX__TYPE_PROTO__TENSOR__INIT);

	tensor->has_elem_type = true;
	tensor->elem_type = dtype_to_onnx(type);
	tensor->shape = dims ? make_shape(m, dims) : NULL;
	t->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	t->tensor_type = tensor;
	v->name = arena_strdup(m->arena, name);
	v->type = t;
	APPEND(m, m->graph->input, m->graph->n_input, v);
}

void
onnx_make_output(OnnxMake *m, const char *name)
{
	Onnx__ValueInfoProto *v = MAKE(m, Onnx__ValueInfoProto, ONNX__VALUE_INFO_PROTO__INIT);

	v->name = arena_strdup(m->arena, name);
	APPEND(m, m->graph->output, m->graph->n_output, v);
}

Onnx__TensorProto *
onnx_make_tensor(OnnxMake *m, const char *name, DType type, const char *dims, const void *data)
{
	Onnx__TensorProto *t = MAKE(m, Onnx__TensorProto, ONNX__TENSOR_PROTO__INIT);
	size_t size = dtype_size(type);
	char *w;

	t->name = arena_strdup(m->arena, name);
	t->has_data_type = true;
	t->data_type = dtype_to_onnx(type);
	t->dims = ARENA_ARRAY(m->arena, int64_t, KERNEL_RANK_MAX);
	while ((w = word(m, &dims, ','))) {
		t->dims[t->n_dims] = atoll(w);
		size *= (size_t)t->dims[t->n_dims++];
	}
	t->has_raw_data = data != NULL;
	if (data)
		t->raw_data = (ProtobufCBinaryData){size, arena_copy(m->arena, data, size)};
	return t;
}

Onnx__TensorProto *
onnx_make_const(OnnxMake *m, const char *name, DType type, const char *dims, const void *data)
{
	Onnx__TensorProto *t = onnx_make_tensor(m, name, type, dims, data);

	APPEND(m, m->graph->initializer, m->graph->n_initializer, t);
	return t;
}

Onnx__NodeProto *
onnx_make_node(OnnxMake *m, const char *op, const char *in, const char *out)
{
	Onnx__NodeProto *n = MAKE(m, Onnx__NodeProto, ONNX__NODE_PROTO__INIT);
	char *w;

	n->op_type = arena_strdup(m->arena, op);
	while ((w = word(m, &in, ' ')))
		APPEND(m, n->input, n->n_input, strcmp(w, "-") ? w : "");
	while ((w = word(m, &out, ' ')))
		APPEND(m, n->output, n->n_output, strcmp(w, "-") ? w : "");
	n->name = arena_printf(m->arena, "n_%s", n->n_output ? n->output[0] : op);
	APPEND(m, m->graph->node, m->graph->n_node, n);
	return n;
}

static Onnx__AttributeProto *
add_attr(OnnxMake *m, Onnx__NodeProto *n, const char *name,
	 Onnx__AttributeProto__AttributeType type)
{
	Onnx__AttributeProto *a = MAKE(m, Onnx__AttributeProto, ONNX__ATTRIBUTE_PROTO__INIT);

	a->name = arena_strdup(m->arena, name);
	a->has_type = true;
	a->type = type;
	APPEND(m, n->attribute, n->n_attribute, a);
	return a;
}

void
onnx_make_int(OnnxMake *m, Onnx__NodeProto *n, const char *name, int64_t v)
{
	Onnx__AttributeProto *a = add_attr(m, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);

	a->has_i = true;
	a->i = v;
}

void
onnx_make_float(OnnxMake *m, Onnx__NodeProto *n, const char *name, float v)
{
	Onnx__AttributeProto *a =
		add_attr(m, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

	a->has_f = true;
	a->f = v;
}

void
onnx_make_text(OnnxMake *m, Onnx__NodeProto *n, const char *name, const char *v)
{
	Onnx__AttributeProto *a =
		add_attr(m, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);

	a->has_s = true;
	a->s = (ProtobufCBinaryData){strlen(v), (uint8_t *)arena_strdup(m->arena, v)};
}

void
onnx_make_ints(OnnxMake *m, Onnx__NodeProto *n, const char *name, int count, const int64_t *v)
{
	Onnx__AttributeProto *a = add_attr(m, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);

	a->n_ints = (size_t)count;
	a->ints = arena_copy(m->arena, v, (size_t)count * sizeof *v);
}

void
onnx_make_value(OnnxMake *m, Onnx__NodeProto *n, const char *name, Onnx__TensorProto *t)
{
	add_attr(m, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)->t = t;
}

const void *
onnx_make_pack(OnnxMake *m, size_t *size)
{
	uint8_t *out;

	*size = onnx__model_proto__get_packed_size(m->model);
	out = arena_alloc(m->arena, *size);
	onnx__model_proto__pack(m->model, out);
	return out;
}
