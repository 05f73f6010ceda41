/* Graph inputs and initializers: types, static extents, frozen values.
 *
 * A size comes from the model, from an option for the input or for the symbolic size, from a frozen
 * tensor, or, for a first axis that is a batch, is 1. Everything is compared; nothing is guessed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "graph/importer.h"

typedef struct Input {
	const char *name;
	DType type;
	bool has_rank;
	int rank;
	int64_t dim[KERNEL_RANK_MAX];        /* -1: not known yet */
	const char *symbol[KERNEL_RANK_MAX]; /* "" for an unnamed or fixed size */
	const Npy *frozen;
} Input;

typedef struct Inputs {
	Importer *im;
	Input *v;
	int n;
	VEC(const char *) symbol;
	VEC(int64_t) size; /* of each symbol */
	Err *e;
} Inputs;

int
import_shape_parse(const char *text, Arena *a, ImportShape *out, Err *e)
{
	const char *colon = strrchr(text, ':'), *equals = strrchr(text, '=');
	const char *at = !colon || (equals && equals > colon) ? equals : colon, *p = at;
	char *end;

	*out = (ImportShape){0};
	if (!at || at == text)
		return err_set(e, ERR_INPUT, "shape '%s', expected NAME:1x3x224x224", text);
	out->name = arena_printf(a, "%.*s", (int)(at - text), text);
	do {
		long long d = p[1] >= '0' && p[1] <= '9' ? strtoll(p + 1, &end, 10) : -1;

		if (d < 0 || d > DIM_MAX || out->rank == KERNEL_RANK_MAX || (*end && *end != 'x'))
			return err_set(e, ERR_INPUT, "shape '%s', expected NAME:1x3x224x224", text);
		out->dim[out->rank++] = d;
		p = end;
	} while (*p);
	return OK;
}

static bool
is_live(const Importer *im, const char *name)
{
	for (int i = 0; i < im->opt->nlive; i++)
		if (!strcmp(im->opt->live[i], name))
			return true;
	return false;
}

static bool
is_input(const Importer *im, const char *name)
{
	const Onnx__GraphProto *p = im->model->graph;

	for (size_t i = 0; i < p->n_input; i++)
		if (!strcmp(onnx_text(p->input[i]->name), name))
			return true;
	return false;
}

static int
import_initializer(Importer *im, const Onnx__TensorProto *t, Err *e)
{
	const char *name = onnx_text(t->name);
	Value shape = {0};
	void *data;
	int id, rc = onnx_tensor_shape(t, im->dir, &shape, e);

	if (rc)
		return rc;
	data = graph_alloc_data(im->g, &shape);
	rc = onnx_tensor_data(t, im->dir, &shape, data, e);
	if (rc)
		return rc;
	id = graph_add_const(im->g, name, shape.type, shape.rank, shape.dim, data, false);
	names_put(im->tmp, &im->names, name, id);
	return OK;
}

int
import_initializers(Importer *im, Err *e)
{
	const Onnx__GraphProto *p = im->model->graph;

	for (size_t i = 0; i < p->n_initializer; i++) {
		const char *name = onnx_text(p->initializer[i]->name);
		Err own = {0};
		int rc;

		if (is_live(im, name) && is_input(im, name))
			continue;
		if (!*name || names_get(&im->names, name) != NAME_UNKNOWN)
			return err_set(e, ERR_INPUT, "initializer '%s' is nameless or there twice",
				       name);
		rc = import_initializer(im, p->initializer[i], &own);
		if (rc == ERR_UNSUPPORTED) {
			import_unsupported(im, "initializer '%s': %s", name, own.msg);
			names_put(im->tmp, &im->names, name, NAME_FAILED);
		} else if (rc) {
			return err_set(e, rc, "initializer '%s': %s", name, own.msg);
		}
	}
	return OK;
}

/* What the model says about an input. False, and a line in the list, when it is no tensor or of a
 * type that hone does not have. */
static bool
input_init(Importer *im, const Onnx__ValueInfoProto *p, Input *in)
{
	const Onnx__TypeProto *type = p->type;
	const Onnx__TensorShapeProto *shape;

	*in = (Input){.name = onnx_text(p->name)};
	if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ||
	    !type->tensor_type) {
		import_unsupported(im, "input '%s': not a tensor", in->name);
		return false;
	}
	if (!dtype_from_onnx(type->tensor_type->elem_type, &in->type)) {
		import_unsupported(im, "input '%s': element type %s", in->name,
				   onnx_type_name(type->tensor_type->elem_type));
		return false;
	}
	shape = type->tensor_type->shape;
	in->has_rank = shape != NULL;
	if (shape && shape->n_dim > KERNEL_RANK_MAX) {
		import_unsupported(im, "input '%s': rank %zu", in->name, shape->n_dim);
		return false;
	}
	in->rank = shape ? (int)shape->n_dim : 0;
	for (int i = 0; i < in->rank; i++) {
		const Onnx__TensorShapeProto__Dimension *d = shape->dim[i];

		in->dim[i] = -1;
		in->symbol[i] = "";
		if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
			in->dim[i] = d->dim_value < 0 ? -1 : d->dim_value;
		else if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
			in->symbol[i] = onnx_text(d->dim_param);
	}
	return true;
}

static int
find_symbol(const Inputs *s, const char *name)
{
	for (int i = 0; i < s->symbol.n; i++)
		if (!strcmp(s->symbol.v[i], name))
			return i;
	return -1;
}

static int
bind_symbol(Inputs *s, const char *name, int64_t size)
{
	int at = find_symbol(s, name);

	if (at >= 0 && s->size.v[at] != size)
		return err_set(s->e, ERR_INPUT, "size '%s' cannot be both %lld and %lld", name,
			       (long long)s->size.v[at], (long long)size);
	if (at < 0) {
		vec_push(s->im->tmp, &s->symbol, name);
		vec_push(s->im->tmp, &s->size, size);
	}
	return OK;
}

/* Extents given for an input: they agree with the model's, and bind its symbolic sizes. */
static int
give_shape(Inputs *s, Input *in, int rank, const int64_t *dim)
{
	if (in->has_rank && in->rank != rank)
		return err_set(s->e, ERR_INPUT, "input '%s' has rank %d, %d extents are given",
			       in->name, in->rank, rank);
	if (!in->has_rank)
		for (int i = 0; i < rank; i++) {
			in->dim[i] = -1;
			in->symbol[i] = "";
		}
	in->has_rank = true;
	in->rank = rank;
	for (int i = 0; i < rank; i++) {
		if (in->dim[i] >= 0 && in->dim[i] != dim[i])
			return err_set(s->e, ERR_INPUT,
				       "axis %d of input '%s' is %lld, %lld is given", i, in->name,
				       (long long)in->dim[i], (long long)dim[i]);
		if (*in->symbol[i] && bind_symbol(s, in->symbol[i], dim[i]))
			return ERR_INPUT;
		in->dim[i] = dim[i];
	}
	return OK;
}

static Input *
find_input(const Inputs *s, const char *name)
{
	for (int i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].name, name))
			return &s->v[i];
	return NULL;
}

static bool
is_symbol(const Inputs *s, const char *name)
{
	for (int i = 0; i < s->n; i++)
		for (int k = 0; k < s->v[i].rank; k++)
			if (!strcmp(s->v[i].symbol[k], name))
				return true;
	return false;
}

static int
no_such_input(Inputs *s, const char *what, const char *name)
{
	Str list = {0};
	int rc;

	for (int i = 0; i < s->n; i++)
		str_printf(&list, "%s'%s'", i ? ", " : "", s->v[i].name);
	rc = err_set(s->e, ERR_INPUT, "%s for '%s': no such input; there are %s", what, name,
		     s->n ? list.s : "none");
	str_fini(&list);
	return rc;
}

static int
apply_options(Inputs *s)
{
	const ImportOptions *opt = s->im->opt;

	for (int i = 0; i < opt->nshape; i++) {
		const ImportShape *o = &opt->shape[i];
		Input *in = find_input(s, o->name);
		int rc = OK;

		if (in)
			rc = give_shape(s, in, o->rank, o->dim);
		else if (o->rank == 1 && is_symbol(s, o->name))
			rc = bind_symbol(s, o->name, o->dim[0]);
		else
			rc = no_such_input(s, "shape", o->name);
		if (rc)
			return rc;
	}
	for (int i = 0; i < opt->nfreeze; i++) {
		const Npy *t = opt->freeze[i].tensor;
		Input *in = find_input(s, opt->freeze[i].name);

		if (!in)
			return no_such_input(s, "value", opt->freeze[i].name);
		if (t->type != in->type)
			return err_set(s->e, ERR_INPUT, "input '%s' is %s, the value given is %s",
				       in->name, dtype_name(in->type), dtype_name(t->type));
		if (give_shape(s, in, t->rank, t->dim))
			return ERR_INPUT;
		in->frozen = t;
	}
	return OK;
}

/* Names that exporters give to the number of examples. */
static bool
is_batch(const char *symbol)
{
	static const char *const name[] = {"", "?", "n", "b", "bs", "none"};

	for (size_t i = 0; i < sizeof name / sizeof *name; i++)
		if (!strcasecmp(symbol, name[i]))
			return true;
	return strcasestr(symbol, "batch") || !strncmp(symbol, "unk__", 5);
}

/* The size of axis k, from its symbol or as a batch of 1; -1 when nothing says it. */
static int64_t
resolve(Inputs *s, const Input *in, int k)
{
	int at = find_symbol(s, in->symbol[k]);

	if (in->dim[k] >= 0)
		return in->dim[k];
	if (*in->symbol[k] && at >= 0)
		return s->size.v[at];
	if (k || !is_batch(in->symbol[k]))
		return -1;
	if (*in->symbol[k])
		bind_symbol(s, in->symbol[k], 1);
	return 1;
}

static int
resolve_all(Inputs *s)
{
	Str missing = {0};
	int rc = OK;

	for (int i = 0; i < s->n; i++) /* batches first: other axes may have their names */
		for (int k = 0; k < s->v[i].rank; k++)
			s->v[i].dim[k] = resolve(s, &s->v[i], k);
	for (int i = 0; i < s->n; i++) {
		Input *in = &s->v[i];

		if (!in->has_rank)
			str_printf(&missing, "%s'%s' (all)", missing.n ? ", " : "", in->name);
		for (int k = 0; k < in->rank; k++) {
			in->dim[k] = resolve(s, in, k);
			if (in->dim[k] < 0)
				str_printf(&missing, "%s'%s' axis %d%s%s", missing.n ? ", " : "",
					   in->name, k, *in->symbol[k] ? " = " : "", in->symbol[k]);
		}
	}
	if (missing.n)
		rc = err_set(s->e, ERR_INPUT, "sizes of inputs are not known: %s", missing.s);
	str_fini(&missing);
	return rc;
}

static int
add_input(Importer *im, const Input *in, Err *e)
{
	int id;

	if (shape_check(in->rank, in->dim, e)) {
		err_prefix(e, "input '%s': ", in->name);
		return ERR_UNSUPPORTED;
	}
	if (!*in->name || names_get(&im->names, in->name) != NAME_UNKNOWN)
		return err_set(e, ERR_INPUT, "input '%s' is nameless or there twice", in->name);
	if (in->frozen) {
		id = graph_add_const(im->g, in->name, in->type, in->rank, in->dim, in->frozen->data,
				     true);
	} else {
		id = graph_add_value(im->g, in->name, in->type, in->rank, in->dim);
		vec_push(im->g->arena, &im->g->input, id);
	}
	names_put(im->tmp, &im->names, in->name, id);
	return OK;
}

int
import_inputs(Importer *im, Err *e)
{
	const Onnx__GraphProto *p = im->model->graph;
	Inputs s = {.im = im, .e = e, .v = ARENA_ARRAY(im->tmp, Input, p->n_input)};
	int rc;

	for (size_t i = 0; i < p->n_input; i++) {
		const char *name = onnx_text(p->input[i]->name);

		if (names_get(&im->names, name) != NAME_UNKNOWN)
			continue; /* an initializer */
		vec_push(im->rep->arena, &im->rep->input, arena_strdup(im->rep->arena, name));
		if (input_init(im, p->input[i], &s.v[s.n]))
			s.n++;
		else
			names_put(im->tmp, &im->names, name, NAME_FAILED);
	}
	rc = apply_options(&s);
	if (rc == OK)
		rc = resolve_all(&s);
	for (int i = 0; i < s.n; i++) {
		if (rc == OK)
			rc = add_input(im, &s.v[i], e);
		if (rc)
			names_put(im->tmp, &im->names, s.v[i].name, NAME_FAILED);
	}
	return rc;
}
