/* codegen/objects: what candidates have in common is compiled once, and what differs is not taken
 * for the same. */
#include <elf.h>
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

/* What is measured is what is shipped: a phase alone has the code that it has in the whole Loop.
 * Distances are zero in objects: what they are to is not compared. */

static const Elf64_Shdr *
section(const Code *c, unsigned i)
{
	const Elf64_Ehdr *h = c->bytes;

	return (const Elf64_Shdr *)((const char *)c->bytes + h->e_shoff) + i;
}

/* Bytes of a function in an object. */
static const char *
function(const Code *c, const char *name, size_t *size)
{
	const Elf64_Ehdr *h = c->bytes;
	const char *base = c->bytes;

	for (unsigned i = 0; i < h->e_shnum; i++) {
		const Elf64_Shdr *s = section(c, i);
		const Elf64_Sym *y = (const Elf64_Sym *)(base + s->sh_offset);

		if (s->sh_type != SHT_SYMTAB)
			continue;
		for (size_t k = 0; k < s->sh_size / sizeof *y; k++) {
			if (strcmp(base + section(c, s->sh_link)->sh_offset + y[k].st_name, name))
				continue;
			*size = y[k].st_size;
			return base + section(c, y[k].st_shndx)->sh_offset + y[k].st_value;
		}
	}
	fail_msg("no function %s", name);
	return NULL;
}

static void
assert_same_code(Fixture *f, const Loop *l)
{
	Objects o;
	Code whole;
	Err e = {0};

	if (emit(f->m, l, "k", f->a, &whole, &e) || objects_emit(&f->cache, f->m, l, f->a, &o, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(whole.nsymbol, o.n);
	for (int i = 0; i < o.n; i++) {
		size_t n, m;
		const char *x = function(&whole, whole.symbol[i], &n);
		const char *y = function(o.phase[i], o.symbol[i], &m);

		assert_int_equal(n, m);
		assert_memory_equal(x, y, n);
	}
}

static void
a_phase_has_the_same_code_alone(void **state)
{
	static const char conv[] =
		"task\n in x f32[1,16,14,14]\n const w f32[32,16,3,3]\n out y f32[1,32,14,14]\n"
		" stage n:1 k:32 p:14 q:14 | c:16 i:3 j:3\n"
		"  acc f32 sum x[n,c,p+i-1,q+j-1 else 0] * w[k,c,i,j]\n"
		"  y[n,k,p,q] = max(acc, 0)\n";
	static const char *const sched[] = {
		"direct\nnest peel vec=k n:1 k:32 p:1 q:4 | c:2 i:1 j:1\n",
		"winograd2\nnest n:1 a:1 j:1 c:1 ty:1 tx:1\nnest n:1 a:1 b:1 c:1 ty:1 tx:1\n"
		"nest vec=k pf a:1 b:1 n:1 ty:2 tx:3 k:16 | c:1\nnest p:1 b:1 n:1 k:1 ty:1 tx:1\n"
		"nest p:1 q:1 n:1 k:1 ty:1 tx:1\n",
	};
	Fixture *f = *state;
	Err e = {0};

	assert_same_code(f, lower_text(f, FIRST SECOND THIRD));
	if (task_parse(conv, f->a, &f->t, &e))
		fail_msg("%s", e.msg);
	f->f = task_form_plain(f->a, f->t);
	for (size_t i = 0; i < sizeof sched / sizeof *sched; i++) {
		char why[LOWER_WHY_MAX] = "";
		Lowered low;

		if (lowered_from_text(f->a, f->t, &f->f, sched[i], &f->target, &low, why, &e))
			fail_msg("%s%s", why, e.msg);
		assert_same_code(f, low.loop);
	}
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
		cmocka_unit_test_setup_teardown(a_phase_has_the_same_code_alone, open_fixture,
						close_fixture),
		cmocka_unit_test_setup_teardown(other_phases_have_other_digests, open_fixture,
						close_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
