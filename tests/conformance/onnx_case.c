/* Cases of ONNX's test data: reading them, importing for them, comparing with them. */
#include "onnx_case.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/onnx_tensor.h"

enum { TRIES = 4 };

const char *
outcome_text(Outcome o)
{
	static const char *const text[] = {
#define X(name, text) text,
		OUTCOME_LIST(X)
#undef X
	};

	return text[o];
}

typedef int ReadTensor(const char *path, Npy *t, Err *e);

/* The tensors PREFIX_0SUFFIX, PREFIX_1SUFFIX...; -1 when one cannot be read. */
static int
read_tensors(OnnxCase *c, const char *prefix, const char *suffix, ReadTensor *read, Npy *out)
{
	for (int i = 0; i < CASE_FILES_MAX; i++) {
		const char *path = arena_printf(c->arena, "%s_%d%s", prefix, i, suffix);
		Err e = {0};

		if (access(path, R_OK))
			return i;
		if (read(path, &out[i], &e)) {
			snprintf(c->why, sizeof c->why, "%s", e.msg);
			return -1;
		}
	}
	return CASE_FILES_MAX;
}

static int
try_import(OnnxCase *c, bool with_shapes, Err *e)
{
	ImportOptions opt = {.freeze = c->freeze, .nfreeze = c->nfreeze};

	if (with_shapes) {
		opt.shape = c->shape;
		opt.nshape = c->rep.input.n < c->nin ? c->rep.input.n : c->nin;
		for (int i = 0; i < opt.nshape; i++) {
			c->shape[i] =
				(ImportShape){.name = arena_strdup(c->arena, c->rep.input.v[i]),
					      .rank = c->in[i].rank};
			memcpy(c->shape[i].dim, c->in[i].dim, sizeof c->in[i].dim);
		}
	}
	import_report_fini(&c->rep);
	import_report_init(&c->rep);
	return graph_import(c->model, &opt, &c->g, &c->rep, e);
}

static const Npy *
find_input(const OnnxCase *c, const char *name)
{
	for (int i = 0; i < c->rep.input.n && i < c->nin; i++)
		if (!strcmp(c->rep.input.v[i], name))
			return &c->in[i];
	return NULL;
}

/* Freezes what the report asks for; false when that is nothing new. */
static bool
freeze_more(OnnxCase *c)
{
	int before = c->nfreeze;

	for (int i = 0; i < c->rep.freeze.n && c->nfreeze < CASE_FILES_MAX; i++) {
		const Npy *t = find_input(c, c->rep.freeze.v[i]);

		if (t)
			c->freeze[c->nfreeze++] =
				(ImportFreeze){arena_strdup(c->arena, c->rep.freeze.v[i]), t};
	}
	return c->nfreeze > before;
}

static Outcome
import_case(OnnxCase *c)
{
	bool with_shapes = false;
	int rc = ERR_INPUT;

	for (int i = 0; i < TRIES && rc; i++) {
		Err e = {0};

		rc = try_import(c, with_shapes, &e);
		if (rc == OK)
			break;
		snprintf(c->why, sizeof c->why, "%s", e.msg);
		if (rc != ERR_INPUT)
			return rc == ERR_UNSUPPORTED ? OUTCOME_UNSUPPORTED : OUTCOME_REFUSED;
		if (c->rep.freeze.n && !freeze_more(c))
			return OUTCOME_REFUSED;
		with_shapes = true;
	}
	if (rc)
		return OUTCOME_REFUSED;
	return c->nin < 0 || c->nwant < 1 ? OUTCOME_DATA : OUTCOME_PASS;
}

Outcome
onnx_case_open(OnnxCase *c, const char *dir, int set)
{
	const char *data;

	*c = (OnnxCase){.arena = arena_new()};
	import_report_init(&c->rep);
	c->model = arena_printf(c->arena, "%s/model.onnx", dir);
	data = arena_printf(c->arena, "%s/test_data_set_%d", dir, set);
	c->nin = read_tensors(c, arena_printf(c->arena, "%s/input", data), ".pb", onnx_tensor_read,
			      c->in);
	c->nwant = read_tensors(c, arena_printf(c->arena, "%s/output", data), ".pb",
				onnx_tensor_read, c->want);
	return import_case(c);
}

/* The arrays KIND.npy, or KIND_0.npy, KIND_1.npy... */
static int
read_arrays(OnnxCase *c, const char *kind, Npy *out)
{
	const char *stem =
		arena_printf(c->arena, "%.*s.%s", (int)strlen(c->model) - 5, c->model, kind);
	const char *path = arena_printf(c->arena, "%s.npy", stem);

	if (!access(path, R_OK))
		return npy_read(path, out, NULL) ? -1 : 1;
	return read_tensors(c, stem, ".npy", npy_read, out);
}

Outcome
onnx_case_open_model(OnnxCase *c, const char *path)
{
	*c = (OnnxCase){.arena = arena_new()};
	import_report_init(&c->rep);
	c->model = arena_strdup(c->arena, path);
	c->nin = read_arrays(c, "input", c->in);
	c->nwant = read_arrays(c, "output", c->want);
	return import_case(c);
}

void
onnx_case_close(OnnxCase *c)
{
	for (int i = 0; i < CASE_FILES_MAX; i++) {
		npy_fini(&c->in[i]);
		npy_fini(&c->want[i]);
	}
	graph_free(c->g);
	import_report_fini(&c->rep);
	arena_free(c->arena);
}

int
onnx_case_sets(const char *dir)
{
	char path[4096];

	for (int set = 0; set < CASE_FILES_MAX; set++) {
		snprintf(path, sizeof path, "%s/test_data_set_%d", dir, set);
		if (access(path, R_OK))
			return set;
	}
	return CASE_FILES_MAX;
}

const void **
onnx_case_inputs(OnnxCase *c)
{
	const void **data = ARENA_ARRAY(c->arena, const void *, c->g->input.n + 1);

	for (int i = 0; i < c->g->input.n; i++) {
		const char *name = c->g->value.v[c->g->input.v[i]].name;
		const Npy *t = find_input(c, name);

		if (!t) {
			snprintf(c->why, sizeof c->why, "input '%s' has no data", name);
			return NULL;
		}
		data[i] = t->data;
	}
	return data;
}

/* Infinities and truth values have no neighbours: other programs read a bool as a byte of 0 or 1.
 * The data set cuts bfloat16 off instead of rounding it: a difference in the last of its 8 bits. */
static bool
is_close(DType type, const void *got, const void *want, int64_t i)
{
	double rtol = type == DT_BF16 ? 0x1p-7 : 1e-3;
	double a = dtype_get(type, got, (size_t)i), b = dtype_get(type, want, (size_t)i);

	if (type == DT_BOOL)
		return ((const unsigned char *)got)[i] == (b != 0);
	if (a == b || (isnan(a) && isnan(b)))
		return true;
	return isfinite(b) && fabs(a - b) <= 1e-7 + rtol * fabs(b);
}

/* Index of the first element out of tolerance, or -1. */
static int64_t
first_difference(const Npy *want, const void *got)
{
	for (int64_t i = 0; i < npy_count(want); i++)
		if (!is_close(want->type, got, want->data, i))
			return i;
	return -1;
}

Outcome
onnx_case_compare(OnnxCase *c, int k, const Value *v, const void *got)
{
	Npy *want = &c->want[k];
	Value shape = {.rank = want->rank};
	int64_t at;

	if (v->type == DT_BF16 && want->type == DT_U16) /* how the data set stores bfloat16 */
		want->type = DT_BF16;
	shape.type = want->type;
	memcpy(shape.dim, want->dim, sizeof shape.dim);
	if (v->type != want->type || !value_same_shape(v, &shape)) {
		Str s = {0};

		shape_print(&s, v->type, v->rank, v->dim);
		str_add(&s, ", expected ");
		shape_print(&s, shape.type, shape.rank, shape.dim);
		snprintf(c->why, sizeof c->why, "output %d is %s", k, s.s);
		str_fini(&s);
		return OUTCOME_WRONG;
	}
	at = first_difference(want, got);
	if (at < 0)
		return OUTCOME_PASS;
	snprintf(c->why, sizeof c->why, "output %d, element %lld: %.9g, expected %.9g", k,
		 (long long)at, dtype_get(v->type, got, (size_t)at),
		 dtype_get(v->type, want->data, (size_t)at));
	return OUTCOME_WRONG;
}

static int
not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void
walk_group(Arena *a, const char *path, const char *word, CaseVisitor *visit, void *ctx)
{
	struct dirent **list;
	int n = scandir(path, &list, not_hidden, alphasort);

	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name, *dir = arena_printf(a, "%s/%s", path, name);

		if (strstr(name, word) && !access(arena_printf(a, "%s/model.onnx", dir), R_OK))
			visit(ctx, name, dir);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

void
onnx_case_walk(const char *data, const char *word, CaseVisitor *visit, void *ctx)
{
	Arena *a = arena_new();
	struct dirent **list;
	int n = scandir(data, &list, not_hidden, alphasort);

	for (int i = 0; i < n; i++) {
		walk_group(a, arena_printf(a, "%s/%s", data, list[i]->d_name), word, visit, ctx);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	arena_free(a);
}
