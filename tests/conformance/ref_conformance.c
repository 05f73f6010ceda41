/* ONNX's own test cases through the importer and the reference kernels.
 *
 *   ref_conformance DATA [WORD]
 *
 * DATA holds GROUP/CASE/model.onnx and GROUP/CASE/test_data_set_N/{input,output}_K.pb; WORD selects
 * the cases whose name contains it. Prints one line for each case that does not pass, and the sums.
 * Tolerances are those of ONNX's runner: rtol 1e-3, atol 1e-7. Inputs that decide shapes are
 * frozen. Exit: 0 when every case that imports computes what is expected, else 1.
 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/import.h"
#include "graph/onnx_tensor.h"

enum { FILES_MAX = 32, TRIES = 4 };

/* outcome, text */
#define OUTCOME_LIST(X)                     \
	X(PASS, "pass")                     \
	X(UNSUPPORTED, "not supported")     \
	X(REFUSED, "refused by the import") \
	X(DATA, "data of another kind")     \
	X(WRONG, "wrong")

typedef enum Outcome {
#define X(name, text) name,
	OUTCOME_LIST(X)
#undef X
		OUTCOME_COUNT
} Outcome;

typedef struct Case {
	Arena *arena; /* names and paths */
	const char *path;
	Npy in[FILES_MAX], want[FILES_MAX];
	int nin, nwant;
	ImportShape shape[FILES_MAX];
	ImportFreeze freeze[FILES_MAX];
	int nfreeze;
	ImportReport rep;
	Graph *g;
	char why[ERR_TEXT_MAX];
} Case;

/* The tensors KIND_0.pb, KIND_1.pb... of a data set; -1 when one cannot be read. */
static int
read_tensors(Case *c, int set, const char *kind, Npy *out)
{
	for (int i = 0; i < FILES_MAX; i++) {
		const char *path = arena_printf(c->arena, "%s/test_data_set_%d/%s_%d.pb", c->path,
						set, kind, i);
		Err e = {0};

		if (access(path, R_OK))
			return i;
		if (onnx_tensor_read(path, &out[i], &e)) {
			snprintf(c->why, sizeof c->why, "%s", e.msg);
			return -1;
		}
	}
	return FILES_MAX;
}

static int
try_import(Case *c, bool with_shapes, Err *e)
{
	const char *path = arena_printf(c->arena, "%s/model.onnx", c->path);
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
	return graph_import(path, &opt, &c->g, &c->rep, e);
}

static const Npy *
find_input(const Case *c, const char *name)
{
	for (int i = 0; i < c->rep.input.n && i < c->nin; i++)
		if (!strcmp(c->rep.input.v[i], name))
			return &c->in[i];
	return NULL;
}

/* Freezes what the report asks for; false when that is nothing new. */
static bool
freeze_more(Case *c)
{
	int before = c->nfreeze;

	for (int i = 0; i < c->rep.freeze.n && c->nfreeze < FILES_MAX; i++) {
		const Npy *t = find_input(c, c->rep.freeze.v[i]);

		if (t)
			c->freeze[c->nfreeze++] =
				(ImportFreeze){arena_strdup(c->arena, c->rep.freeze.v[i]), t};
	}
	return c->nfreeze > before;
}

static Outcome
import_case(Case *c)
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
			return rc == ERR_UNSUPPORTED ? UNSUPPORTED : REFUSED;
		if (c->rep.freeze.n && !freeze_more(c))
			return REFUSED;
		with_shapes = true;
	}
	return rc ? REFUSED : PASS;
}

/* Index of the first element out of tolerance, or -1. The data set cuts bfloat16 off instead of
 * rounding it: a difference in the last of its 8 bits. */
static int64_t
first_difference(const Npy *want, const void *got)
{
	double rtol = want->type == DT_BF16 ? 0x1p-7 : 1e-3;

	for (int64_t i = 0; i < npy_count(want); i++) {
		double a = dtype_get(want->type, got, (size_t)i);
		double b = dtype_get(want->type, want->data, (size_t)i);

		if (a == b || (isnan(a) && isnan(b)))
			continue;
		if (!(fabs(a - b) <= 1e-7 + rtol * fabs(b)))
			return i;
	}
	return -1;
}

static Outcome
compare(Case *c, int k, const Value *v, const void *got)
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
		return WRONG;
	}
	at = first_difference(want, got);
	if (at < 0)
		return PASS;
	snprintf(c->why, sizeof c->why, "output %d, element %lld: %.9g, expected %.9g", k,
		 (long long)at, dtype_get(v->type, got, (size_t)at),
		 dtype_get(v->type, want->data, (size_t)at));
	return WRONG;
}

static Outcome
run_case(Case *c)
{
	Arena *a = arena_new();
	void **all = ARENA_ARRAY(a, void *, c->g->value.n);
	const void *data[FILES_MAX] = {NULL};
	Outcome out = PASS;
	Err e = {0};

	for (int i = 0; i < c->g->input.n; i++) {
		const Npy *t = find_input(c, c->g->value.v[c->g->input.v[i]].name);

		out = t ? out : DATA;
		data[i] = t ? t->data : NULL;
	}
	if (out == PASS && graph_run(c->g, a, data, all, &e)) {
		snprintf(c->why, sizeof c->why, "%s", e.msg);
		out = WRONG;
	}
	for (int i = 0; out == PASS && i < c->nwant && i < c->g->output.n; i++) {
		int v = c->g->output.v[i];

		out = compare(c, i, &c->g->value.v[v], all[v]);
	}
	arena_free(a);
	return out;
}

static Outcome
one_set(Arena *a, const char *path, int set, char *why)
{
	Case *c = calloc(1, sizeof *c);
	Outcome out = DATA;

	c->arena = a;
	c->path = path;
	import_report_init(&c->rep);
	c->nin = read_tensors(c, set, "input", c->in);
	c->nwant = read_tensors(c, set, "output", c->want);
	out = import_case(c);
	if (out == PASS && (c->nin < 0 || c->nwant < 1))
		out = DATA;
	if (out == PASS)
		out = run_case(c);
	strcpy(why, c->why);
	for (int i = 0; i < FILES_MAX; i++) {
		npy_fini(&c->in[i]);
		npy_fini(&c->want[i]);
	}
	graph_free(c->g);
	import_report_fini(&c->rep);
	free(c);
	return out;
}

static Outcome
one_case(Arena *a, const char *path, char *why)
{
	Outcome out = DATA;

	for (int set = 0; set < FILES_MAX; set++) {
		if (access(arena_printf(a, "%s/test_data_set_%d", path, set), R_OK))
			break;
		out = one_set(a, path, set, why);
		if (out != PASS)
			break;
	}
	return out;
}

static int
not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void
one_group(Arena *a, const char *path, const char *word, int count[])
{
	static const char *const text[] = {
#define X(name, text) text,
		OUTCOME_LIST(X)
#undef X
	};
	struct dirent **list;
	int n = scandir(path, &list, not_hidden, alphasort);

	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name, *dir = arena_printf(a, "%s/%s", path, name);
		char why[ERR_TEXT_MAX] = "";

		if (strstr(name, word) && !access(arena_printf(a, "%s/model.onnx", dir), R_OK)) {
			Outcome out = one_case(a, dir, why);

			count[out]++;
			if (out != PASS)
				printf("%s: %s: %s\n", name, text[out], why);
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

int
main(int argc, char **argv)
{
	int count[OUTCOME_COUNT] = {0}, n;
	Arena *a = arena_new();
	struct dirent **list;

	if (argc < 2) {
		fprintf(stderr, "usage: ref_conformance DATA [WORD]\n");
		return 2;
	}
	n = scandir(argv[1], &list, not_hidden, alphasort);
	for (int i = 0; i < n; i++) {
		one_group(a, arena_printf(a, "%s/%s", argv[1], list[i]->d_name),
			  argc > 2 ? argv[2] : "", count);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	arena_free(a);
#define X(name, text) printf("%5d %s\n", count[name], text);
	OUTCOME_LIST(X)
#undef X
	return count[WRONG] + count[REFUSED] + count[DATA] ? 1 : 0;
}
