/* codegen/objects: what candidates have in common is compiled once, and what differs is not taken
 * for the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codegen/lowered.h"
#include "codegen/phase.h"

static const char task_text[] =
	"task\n in x f32[7,45]\n tmp m f32[7]\n tmp v f32[7]\n out y f32[7,45]\n"
	" stage r:7 | c:45\n  acc f32 sum x[r,c]\n  m[r] = acc / 45\n"
	" stage r:7 | c:45\n  acc f32 sum (x[r,c] - m[r]) * (x[r,c] - m[r])\n  v[r] = acc\n"
	" stage r:7 c:45\n  y[r,c] = (x[r,c] - m[r]) * v[r]\n";

#define FIRST  "direct\nnest vec=c r:1 | c:16\n"
#define SECOND "nest vec=c r:1 | c:32\n"
#define THIRD  "nest vec=c r:1 c:16\n"

enum { PHASES = 3 };

typedef struct Fixture {
	Arena *a;
	Task *t;
	TaskForm f;
	Target target;
	Emit *m;
	ObjectCache cache;
} Fixture;

static int
open_fixture(void **state)
{
	static Fixture f;
	Err e = {0};

	f = (Fixture){.a = arena_new()};
	f.cache.arena = f.a;
	if (task_parse(task_text, f.a, &f.t, &e) || target_named("x86-64-v3", &f.target, &e) ||
	    emit_open("llvm", &f.target, &f.m, &e))
		return -1;
	f.f = task_form_plain(f.a, f.t);
	*state = &f;
	return 0;
}

static int
close_fixture(void **state)
{
	Fixture *f = *state;

	emit_close(f->m);
	arena_free(f->a);
	return 0;
}

static Loop *
lower_text(Fixture *f, const char *sched)
{
	char why[LOWER_WHY_MAX] = "";
	Lowered low;
	Err e = {0};

	if (lowered_from_text(f->a, f->t, &f->f, sched, &f->target, &low, why, &e))
		fail_msg("%s%s", why, e.msg);
	assert_int_equal(low.loop->phase.n, PHASES);
	return low.loop;
}

static Objects
compile(Fixture *f, const char *sched)
{
	Objects o;
	Err e = {0};

	if (objects_emit(&f->cache, f->m, lower_text(f, sched), f->a, &o, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(o.n, PHASES);
	return o;
}

static void
common_phases_are_compiled_once(void **state)
{
	Fixture *f = *state;
	Objects x = compile(f, FIRST SECOND THIRD), y;
	LinkInputs in = {0};

	assert_int_equal(f->cache.code.n, PHASES);
	y = compile(f, FIRST "nest vec=c r:1 | c:16\n" THIRD);
	assert_int_equal(f->cache.code.n, PHASES + 1);
	assert_ptr_equal(x.phase[0], y.phase[0]);
	assert_ptr_not_equal(x.phase[1], y.phase[1]);
	assert_ptr_equal(x.phase[2], y.phase[2]);
	assert_string_not_equal(x.symbol[1], y.symbol[1]);
	assert_false(digest_equal(&x.digest, &y.digest));
	objects_add(&x, f->a, &in);
	objects_add(&y, f->a, &in);
	assert_int_equal(in.n, PHASES + 1);
	y = compile(f, FIRST SECOND THIRD);
	assert_int_equal(f->cache.code.n, PHASES + 1);
	assert_true(digest_equal(&x.digest, &y.digest));
}

/* Whatever code is made from has a part in the digest. */
static void
other_phases_have_other_digests(void **state)
{
	Fixture *f = *state;
	Loop *l = loop_phase(f->a, lower_text(f, FIRST SECOND THIRD), 1);
	Digest d = loop_digest(l);
	Err e = {0};

	assert_int_equal(loop_check(l, &e), OK);
#define CHANGED(place)                                  \
	do {                                            \
		Digest other;                           \
		(place)++;                              \
		other = loop_digest(l);                 \
		assert_false(digest_equal(&d, &other)); \
		(place)--;                              \
	} while (0)
	for (int i = 1; i < l->node.n; i++) {
		LoopNode *n = &l->node.v[i];

		CHANGED(n->op);
		CHANGED(n->type);
		CHANGED(n->mem);
		CHANGED(n->lanes);
		CHANGED(n->valid);
		CHANGED(n->a);
		CHANGED(n->b);
		CHANGED(n->c);
		CHANGED(n->k);
		CHANGED(n->k2);
		CHANGED(n->f);
		CHANGED(n->body);
	}
	for (int i = 0; i < l->acc.n; i++)
		CHANGED(l->acc.v[i].lanes);
	for (int i = 0; i < l->root.n; i++) {
		CHANGED(l->root.v[i].arg);
		CHANGED(l->root.v[i].offset);
		CHANGED(l->root.v[i].stride);
	}
	CHANGED(l->nin);
	CHANGED(l->threads);
#undef CHANGED
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(common_phases_are_compiled_once, open_fixture,
						close_fixture),
		cmocka_unit_test_setup_teardown(other_phases_have_other_digests, open_fixture,
						close_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
