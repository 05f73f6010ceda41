/* What the tests of the importer share: a model in the making, what its import gave, and how that
 * is compared. Included by test programs only.
 */
#ifndef TESTS_UNIT_IMPORT_CASE_H
#define TESTS_UNIT_IMPORT_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "graph/import.h"
#include "onnx_make.h"

typedef struct Fixture {
	OnnxMake make;
	ImportOptions opt;
	ImportReport rep;
	Graph *g;
	Err e;
	Str text;
} Fixture;

static inline void
start(Fixture *f, int opset)
{
	*f = (Fixture){0};
	onnx_make_init(&f->make, opset);
	import_report_init(&f->rep);
}

static inline int
import(Fixture *f)
{
	size_t size;
	const void *bytes = onnx_write_pack(&f->make, &size);
	int rc;

	import_report_fini(&f->rep);
	import_report_init(&f->rep);
	graph_free(f->g);
	str_clear(&f->text);
	f->e = (Err){0};
	rc = graph_import_memory(bytes, size, NULL, &f->opt, &f->g, &f->rep, &f->e);
	if (rc == OK)
		graph_print(f->g, &f->text);
	return rc;
}

static inline void
stop(Fixture *f)
{
	graph_free(f->g);
	import_report_fini(&f->rep);
	onnx_make_fini(&f->make);
	str_fini(&f->text);
}

/* The nodes of the imported graph, without names: "Conv(x, w, -) group=1 | Relu(...)". */
static inline void
expect_nodes(Fixture *f, const char *want)
{
	Str got = {0};

	if (import(f))
		fail_msg("%s", f->e.msg);
	for (const char *p = strstr(f->text.s, "\nnode "); p; p = strstr(p + 1, "\nnode ")) {
		const char *call = strstr(p, " = ") + 3;

		str_add(&got, got.n ? " | " : "");
		str_addn(&got, call, strcspn(call, "\n"));
	}
	assert_string_equal(str_get(&got), want);
	str_fini(&got);
}

static inline void
expect_error(Fixture *f, int code, const char *text)
{
	if (import(f) != code || !strstr(f->e.msg, text))
		fail_msg("%d: %s\nexpected %d: %s", f->e.code, f->e.msg, code, text);
	assert_null(f->g);
}

/* Runs the graph on one input; output k must be `count` floats `want`. */
static inline void
expect_floats(Fixture *f, const void *in, int k, int count, const float *want)
{
	Arena *a = arena_new();
	void **all = ARENA_ARRAY(a, void *, f->g->value.n);
	int v = f->g->output.v[k];

	assert_int_equal(graph_run(f->g, a, &in, all, &f->e), OK);
	assert_int_equal(f->g->value.v[v].type, DT_F32);
	assert_int_equal(value_count(&f->g->value.v[v]), count);
	for (int i = 0; i < count; i++)
		assert_float_equal(((const float *)all[v])[i], want[i], 1e-5);
	arena_free(a);
}

/* Contents for constants. */
static const float ramp[32] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
			       17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};

#endif
