/* Reading the attributes of an ONNX node. A wrong kind is remembered in n->err. */
#include <string.h>

#include "graph/importer.h"

static const Onnx__AttributeProto *
find(const OnnxNode *n, const char *name)
{
	for (size_t i = 0; i < n->proto->n_attribute; i++)
		if (!strcmp(onnx_text(n->proto->attribute[i]->name), name))
			return n->proto->attribute[i];
	return NULL;
}

/* The attribute when it is there and, as far as the file says, of that kind. */
static const Onnx__AttributeProto *
find_kind(OnnxNode *n, const char *name, Onnx__AttributeProto__AttributeType kind)
{
	const Onnx__AttributeProto *a = find(n, name);

	if (!a)
		return NULL;
	if (a->ref_attr_name && *a->ref_attr_name) {
		refuse(n, "attribute %s refers to one of a function", name);
		return NULL;
	}
	if (a->has_type && a->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED &&
	    a->type != kind) {
		invalid(n, "attribute %s is of kind %d, expected %d", name, (int)a->type,
			(int)kind);
		return NULL;
	}
	return a;
}
#define KIND(kind) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##kind

bool
has_attr(const OnnxNode *n, const char *name)
{
	return find(n, name) != NULL;
}

int64_t
get_int(OnnxNode *n, const char *name, int64_t absent)
{
	const Onnx__AttributeProto *a = find_kind(n, name, KIND(INT));

	return a ? a->i : absent;
}

double
get_float(OnnxNode *n, const char *name, double absent)
{
	const Onnx__AttributeProto *a = find_kind(n, name, KIND(FLOAT));

	return a ? (double)a->f : absent;
}

const char *
get_text(OnnxNode *n, const char *name, const char *absent)
{
	const Onnx__AttributeProto *a = find_kind(n, name, KIND(STRING));

	return a ? arena_printf(n->im->tmp, "%.*s", (int)a->s.len, (const char *)a->s.data)
		 : absent;
}

bool
get_ints(OnnxNode *n, const char *name, const int64_t **v, int *count)
{
	const Onnx__AttributeProto *a = find_kind(n, name, KIND(INTS));

	*v = a ? a->ints : NULL;
	*count = a ? (int)a->n_ints : 0;
	return a != NULL;
}

bool
get_floats(OnnxNode *n, const char *name, const double **v, int *count)
{
	const Onnx__AttributeProto *a = find_kind(n, name, KIND(FLOATS));
	double *out;

	*count = a ? (int)a->n_floats : 0;
	*v = out = ARENA_ARRAY(n->im->tmp, double, *count);
	for (int i = 0; i < *count; i++)
		out[i] = (double)a->floats[i];
	return a != NULL;
}

bool
get_texts(OnnxNode *n, const char *name, const char *const **v, int *count)
{
	const Onnx__AttributeProto *a = find_kind(n, name, KIND(STRINGS));
	const char **out;

	*count = a ? (int)a->n_strings : 0;
	*v = out = ARENA_ARRAY(n->im->tmp, const char *, *count);
	for (int i = 0; i < *count; i++)
		out[i] = arena_printf(n->im->tmp, "%.*s", (int)a->strings[i].len,
				      (const char *)a->strings[i].data);
	return a != NULL;
}

const Onnx__TensorProto *
get_tensor(OnnxNode *n, const char *name)
{
	const Onnx__AttributeProto *a = find_kind(n, name, KIND(TENSOR));

	return a ? a->t : NULL;
}

int
get_choice(OnnxNode *n, const char *name, const char *absent, const char *const *list, int *at)
{
	const char *text = get_text(n, name, absent);

	for (*at = 0; list[*at]; ++*at)
		if (!strcmp(list[*at], text))
			return OK;
	return refuse(n, "attribute %s is '%s'", name, text);
}

int
get_axis(OnnxNode *n, int64_t absent, int rank, int *axis)
{
	int64_t v = get_int(n, "axis", absent);

	if (v < -rank || v >= rank)
		return invalid(n, "axis %lld is none of the %d there are", (long long)v, rank);
	*axis = (int)(v < 0 ? v + rank : v);
	return OK;
}

int
get_axes(OnnxNode *n, int as_input, int i, int rank, int axes[KERNEL_RANK_MAX], int *count)
{
	bool seen[KERNEL_RANK_MAX] = {false};
	const int64_t *v;
	int nv, rc = OK;

	*count = -1;
	if (n->im->opset < as_input) {
		if (!get_ints(n, "axes", &v, &nv))
			return OK;
	} else {
		if (!has_in(n, i))
			return OK;
		rc = static_ints(n, i, &v, &nv);
	}
	for (int k = 0; rc == OK && k < nv; k++) {
		if (v[k] < -rank || v[k] >= rank)
			return invalid(n, "axis %lld is none of the %d there are", (long long)v[k],
				       rank);
		seen[v[k] < 0 ? v[k] + rank : v[k]] = true;
	}
	*count = 0;
	for (int axis = 0; rc == OK && axis < rank; axis++)
		if (seen[axis])
			axes[(*count)++] = axis;
	return rc;
}

static KAttr *
with(OnnxNode *n, AttrKey key, int count)
{
	KAttr *a = &n->attr[n->nattr++];

	*a = (KAttr){.key = (int32_t)key, .n = count};
	return a;
}

void
with_ints(OnnxNode *n, AttrKey key, const int64_t *v, int count)
{
	with(n, key, count)->i = arena_copy(n->im->tmp, v, (size_t)count * sizeof *v);
}

void
with_int(OnnxNode *n, AttrKey key, int64_t v)
{
	with_ints(n, key, &v, 1);
}

void
with_floats(OnnxNode *n, AttrKey key, const double *v, int count)
{
	with(n, key, count)->f = arena_copy(n->im->tmp, v, (size_t)count * sizeof *v);
}

void
with_float(OnnxNode *n, AttrKey key, double v)
{
	with_floats(n, key, &v, 1);
}
