/* Loading a model: the import is tried with what the user said; where it lacks sizes or values and
 * --input files know them, they are handed over and it is tried again. */
#include "cli/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/fetched.h"
#include "cli/plain.h"

/* A tensor named on the command line. */
typedef struct Given {
	const char *name; /* of the model's input */
	const char *path;
	Npy tensor;
	bool frozen;
} Given;

typedef struct Loader {
	Model *m;
	VEC(ImportShape) shape;
	VEC(Given) given;
	int nfreeze; /* the first ones are --freeze's */
} Loader;

static int
add_given(Loader *l, const char *name, const char *path, bool frozen, Err *e)
{
	Given g = {.name = name, .path = path, .frozen = frozen};
	int rc;

	for (int i = 0; i < l->given.n; i++)
		if (!strcmp(l->given.v[i].name, name))
			return err_set(e, ERR_INPUT, "input '%s' is given twice: %s and %s", name,
				       l->given.v[i].path, path);
	rc = npy_read(path, &g.tensor, e);
	if (rc)
		return rc;
	vec_push(l->m->arena, &l->given, g);
	return OK;
}

static int
read_shapes(Loader *l, const Args *a, Err *e)
{
	const char *text;

	for (int i = 0; (text = args_nth(a, "shape", i)); i++) {
		ImportShape s;
		int rc = import_shape_parse(text, l->m->arena, &s, e);

		if (rc)
			return rc;
		vec_push(l->m->arena, &l->shape, s);
	}
	return OK;
}

static int
read_freezes(Loader *l, const Args *a, Err *e)
{
	const char *text;

	for (int i = 0; (text = args_nth(a, "freeze", i)); i++) {
		const char *equals = strchr(text, '=');
		int rc;

		if (!equals || equals == text)
			return err_set(e, ERR_INPUT, "--freeze: '%s', expected NAME=FILE.npy",
				       text);
		rc = add_given(l, arena_printf(l->m->arena, "%.*s", (int)(equals - text), text),
			       equals + 1, true, e);
		if (rc)
			return rc;
	}
	l->nfreeze = l->given.n;
	return OK;
}

/* The model's input that "NAME=FILE" begins with, or NULL. */
static const char *
input_of(const ImportReport *r, const char *text)
{
	for (int i = 0; i < r->input.n; i++) {
		size_t n = strlen(r->input.v[i]);

		if (!strncmp(text, r->input.v[i], n) && text[n] == '=')
			return r->input.v[i];
	}
	return NULL;
}

static bool
is_given(const Loader *l, const char *name)
{
	for (int i = 0; i < l->given.n; i++)
		if (!strcmp(l->given.v[i].name, name))
			return true;
	return false;
}

/* --input: named ones first, the others go to the inputs that are left, in the model's order. */
static int
read_inputs(Loader *l, const Args *a, Err *e)
{
	const ImportReport *r = &l->m->report;
	const char *text, *name;
	int rc = OK, next = 0;

	for (int i = 0; !rc && (text = args_nth(a, "input", i)); i++)
		if ((name = input_of(r, text)))
			rc = add_given(l, arena_strdup(l->m->arena, name), text + strlen(name) + 1,
				       false, e);
	for (int i = 0; !rc && (text = args_nth(a, "input", i)); i++) {
		if (input_of(r, text))
			continue;
		while (next < r->input.n && is_given(l, r->input.v[next]))
			next++;
		if (next == r->input.n)
			return err_set(e, ERR_INPUT, "--input: '%s', the model has %d inputs", text,
				       r->input.n);
		rc = add_given(l, arena_strdup(l->m->arena, r->input.v[next]), text, false, e);
	}
	return rc;
}

static int
try_import(Loader *l, Err *e)
{
	ImportFreeze *freeze = ARENA_ARRAY(l->m->arena, ImportFreeze, l->given.n + 1);
	ImportOptions opt = {.shape = l->shape.v, .nshape = l->shape.n, .freeze = freeze};

	for (int i = 0; i < l->given.n; i++)
		if (l->given.v[i].frozen)
			freeze[opt.nfreeze++] =
				(ImportFreeze){l->given.v[i].name, &l->given.v[i].tensor};
	graph_free(l->m->graph);
	l->m->graph = NULL;
	import_report_fini(&l->m->report);
	import_report_init(&l->m->report);
	*e = (Err){0};
	return graph_import(l->m->path, &opt, &l->m->graph, &l->m->report, e);
}

/* Freezes the inputs whose values the import asked for, where --input gave them. */
static bool
freeze_needed(Loader *l)
{
	const ImportReport *r = &l->m->report;
	bool any = false;

	for (int i = 0; i < r->freeze.n; i++)
		for (int k = 0; k < l->given.n; k++) {
			Given *g = &l->given.v[k];

			if (g->frozen || strcmp(g->name, r->freeze.v[i]))
				continue;
			g->frozen = any = true;
			plain_note("hone: input '%s' becomes a constant: shapes depend on it",
				   g->name);
		}
	return any;
}

static int
find_input(const Graph *g, const char *name)
{
	for (int i = 0; i < g->input.n; i++)
		if (!strcmp(g->value.v[g->input.v[i]].name, name))
			return i;
	return -1;
}

static bool
same_extents(const Value *v, const Npy *t)
{
	return v->rank == t->rank && !memcmp(v->dim, t->dim, (size_t)t->rank * sizeof *t->dim);
}

/* Whether the sizes of the --input files would make a difference; adds them to the shapes. */
static bool
shapes_from_inputs(Loader *l)
{
	bool any = false;

	for (int i = 0; i < l->given.n; i++) {
		const Given *g = &l->given.v[i];
		int at = l->m->graph ? find_input(l->m->graph, g->name) : -1;
		ImportShape s = {.name = g->name, .rank = g->tensor.rank};
		bool told = g->frozen;

		for (int k = 0; k < l->shape.n; k++)
			told |= !strcmp(l->shape.v[k].name, g->name);
		if (told ||
		    (at >= 0 &&
		     same_extents(&l->m->graph->value.v[l->m->graph->input.v[at]], &g->tensor)))
			continue;
		memcpy(s.dim, g->tensor.dim, sizeof s.dim);
		vec_push(l->m->arena, &l->shape, s);
		any = true;
	}
	return any;
}

/* Hands the contents of --input files to the graph's inputs. */
static int
bind_inputs(Loader *l, Err *e)
{
	const Graph *g = l->m->graph;
	Str want = {0}, found = {0};
	int rc = OK;

	l->m->input = ARENA_ARRAY(l->m->arena, Npy, g->input.n + 1);
	for (int i = l->nfreeze; i < l->given.n && !rc; i++) {
		Given *x = &l->given.v[i];
		int at = x->frozen ? -1 : find_input(g, x->name);
		const Value *v;

		if (at < 0)
			continue;
		v = &g->value.v[g->input.v[at]];
		if (v->type != x->tensor.type || !same_extents(v, &x->tensor)) {
			shape_print(&want, v->type, v->rank, v->dim);
			shape_print(&found, x->tensor.type, x->tensor.rank, x->tensor.dim);
			rc = err_set(e, ERR_INPUT, "%s: input '%s' is %s, expected %s", x->path,
				     x->name, str_get(&found), str_get(&want));
		} else {
			l->m->input[at] = x->tensor;
			x->tensor = (Npy){0};
		}
	}
	str_fini(&want);
	str_fini(&found);
	return rc;
}

static int
load(Loader *l, const Args *a, Err *e)
{
	Err first = {0};
	bool sized = false; /* by the --input files */
	int rc = read_shapes(l, a, e);

	if (!rc)
		rc = read_freezes(l, a, e);
	if (rc)
		return rc;
	rc = try_import(l, &first);
	if (rc != ERR_UNSUPPORTED && l->m->report.input.n) {
		int bad = read_inputs(l, a, e);

		if (bad)
			return bad;
		sized = (!rc || !l->m->report.freeze.n) && shapes_from_inputs(l);
		if (sized)
			rc = try_import(l, &first);
		while (rc && freeze_needed(l))
			rc = try_import(l, &first);
	}
	if (rc)
		return err_set(e, rc, "%s%s", first.msg,
			       sized ? "; sizes are those of the --input files" : "");
	return bind_inputs(l, e);
}

int
model_import(Model *m, const char *path, const Args *a, Err *e)
{
	Loader l = {.m = m};
	int rc;

	*m = (Model){.arena = arena_new(), .path = path};
	import_report_init(&m->report);
	rc = fetch_is_url(path) ? fetched_file(path, m->arena, &m->path, e) : OK;
	if (!rc)
		rc = load(&l, a, e);
	for (int i = 0; i < l.given.n; i++)
		npy_fini(&l.given.v[i].tensor);
	return rc;
}

int
model_open(Model *m, const char *path, const Args *a, Err *e)
{
	int rc = model_import(m, path, a, e);

	if (rc != ERR_UNSUPPORTED || !m->report.unsupported.n)
		return rc;
	for (int i = 0; i < m->report.unsupported.n; i++)
		plain_note("%s: %s", path, m->report.unsupported.v[i]);
	*e = (Err){0};
	return err_set(e, rc, "%s: not supported: %d of its parts, listed above", path,
		       m->report.unsupported.n);
}

void
model_close(Model *m)
{
	for (int i = 0; m->input && i < m->graph->input.n; i++)
		npy_fini(&m->input[i]);
	graph_free(m->graph);
	import_report_fini(&m->report);
	arena_free(m->arena);
	*m = (Model){0};
}

const char *
model_stem(Arena *a, const char *path)
{
	const char *slash = strrchr(path, '/'), *dot;

	path = slash ? slash + 1 : path;
	dot = strrchr(path, '.');
	return arena_printf(a, "%.*s", (int)(dot && dot > path ? dot - path : (long)strlen(path)),
			    path);
}
