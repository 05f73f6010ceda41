/* A task of one sum. Its result goes to scratch memory instead of an output: that is the kernel's.
 */
#include "regress/delay.h"

#include "codegen/lowered.h"

static int
schedule(Arena *a, const Task *t, const TaskForm *f, const Target *target, Lowered *out, Err *e)
{
	char why[LOWER_WHY_MAX] = "";
	Sched s = sched_scalar(a, t, f, "direct");
	Str text = {0};
	int rc;

	sched_print(&s, t, &text);
	rc = lowered_from_text(a, t, f, str_get(&text), target, out, why, e);
	str_fini(&text);
	return rc == NOT_APPLICABLE ? err_set(e, ERR_INTERNAL, "delay: %s", why) : rc;
}

int
delay_build(Emit *m, int64_t turns, Arena *a, Code *out, Err *e)
{
	const char *text = arena_printf(a,
					"task\n"
					"  in x f32[1]\n"
					"  out y f32[1]\n"
					"  stage i:1 | c:%lld\n"
					"    acc f32 sum x[i]\n"
					"    y[i] = acc\n",
					(long long)(turns > 1 ? turns : 1));
	Task *t;
	TaskForm f;
	Lowered low;
	int rc = task_parse(text, a, &t, e);

	if (rc)
		return rc;
	f = task_form_plain(a, t);
	if ((rc = schedule(a, t, &f, emit_target(m), &low, e)))
		return rc;
	for (int i = 0; i < low.loop->root.n; i++)
		if (low.loop->root.v[i].kind == ROOT_OUT)
			low.loop->root.v[i] = (Root){.kind = ROOT_SCRATCH, .bytes = LOOP_LINE};
	return emit(m, low.loop, "regress_delay", a, out, e);
}
