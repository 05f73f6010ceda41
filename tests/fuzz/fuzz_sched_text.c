/* Any text as the Sched of a Task with a producer, a convolution and a consumer: what parses prints
 * to a text that parses to the same, and lowers to a legal Loop or is refused with a reason. What
 * it is near to in a Space is a pick of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/lower.h"
#include "search_space/rewrite.h"
#include "search_space/space_near.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char task_text[] =
	"task\n in x f32[5,7,9]\n const w f32[19,5,3,3]\n tmp t f32[19,7,9]\n out y f32[19,7,9]\n"
	" stage k:19 p:7 q:9 | c:5 i:3 j:3\n"
	"  acc f32 sum x[c,p+i-1,q+j-1 else 0] * w[k,c,i,j]\n  t[k,p,q] = max(acc, 0)\n"
	" stage k:19 p:7 q:9\n  y[k,p,q] = t[k,p,q] * 2 + t[k,p,q-1 else 3]\n";

static void
lower_it(Arena *a, const Task *t, const TaskForm *f, const Sched *s)
{
	char why[LOWER_WHY_MAX] = "";
	Target target;
	Err e = {0};
	Loop *l;

	if (target_named("x86-64-v4", &target, &e))
		abort();
	if (lower(a, t, f, s, &target, (LowerOptions){.nodes_max = 3000}, &l, why)) {
		if (!why[0])
			abort();
	} else if (loop_check(l, &e)) {
		abort();
	}
}

/* Of a Task of one stage. Building a Space takes long, so there is one for all inputs. */
static const Space *
space_of_all(void)
{
	static const char text[] =
		"task\n in x f32[5,7,9]\n const w f32[19,5]\n out y f32[19,7,9]\n"
		" stage k:19 p:7 q:9 | c:5\n  acc f32 sum x[c,p,q] * w[k,c]\n  y[k,p,q] = acc\n";
	static Target target;
	static Space s;
	Arena *a;
	TaskForm f;
	Err e = {0};
	Task *t;

	if (s.variant.n)
		return &s;
	a = arena_new();
	if (task_parse(text, a, &t, &e) || target_named("x86-64-v4", &target, &e))
		abort();
	f = task_form_plain(a, t);
	if (space_build(a, t, &f, &target, TOLERANCE_DEFAULT, &s, &e))
		abort();
	return &s;
}

static void
find_near(const char *text)
{
	const Space *s = space_of_all();
	Pick p = {.variant = -1};

	if (space_near(s, text, (NearFrom){8, 16}, NEAR_FILLED, &p))
		return;
	if (p.variant < 0 || p.variant >= s->variant.n)
		abort();
	for (int i = 0; i < s->variant.v[p.variant].task->stage.n; i++)
		if (p.option[i] < 0 || p.option[i] >= s->variant.v[p.variant].stage[i].option.n)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char rewrite[SCHED_REWRITE_MAX];
	Arena *a = arena_new();
	Str text = {0}, once = {0}, twice = {0};
	TaskForm plain, f;
	Task *t, *to;
	Sched s;
	Err e = {0};

	str_addn(&text, (const char *)data, size);
	if (task_parse(task_text, a, &t, &e))
		abort();
	find_near(str_get(&text));
	plain = task_form_plain(a, t);
	if (!sched_parse_rewrite(str_get(&text), rewrite, &e) &&
	    !rewrite_apply(rewrite, a, t, &plain, &to, &f, &e) &&
	    !sched_parse(str_get(&text), to, a, &s, &e)) {
		sched_print(&s, to, &once);
		lower_it(a, to, &f, &s);
		if (sched_parse(once.s, to, a, &s, &e))
			abort();
		sched_print(&s, to, &twice);
		if (strcmp(once.s, twice.s))
			abort();
	}
	str_fini(&text);
	str_fini(&once);
	str_fini(&twice);
	arena_free(a);
	return 0;
}
