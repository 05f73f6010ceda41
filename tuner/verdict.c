/* A verdict is one line; its name is a digest of all that it depends on. */
#include "tuner/verdict.h"

#include <stdio.h>
#include <string.h>

int
verdict_put(Tuner *t, const Work *w, Err *e)
{
	char untuned[KERNEL_NAME_MAX];
	Str s = {0};
	int rc;

	kernel_name(w->trial.v[w->untuned].text, untuned);
	str_printf(&s, "rows %d trials %d flops %.17g pass_ns %.17g floor_ns %.17g untuned %s",
		   w->rows, w->used, w->space.floor_flops, w->space.floor_pass_ns,
		   w->space.floor_ns, untuned);
	rc = tuner_add_text(t, LOG_TEXT_VERDICT, work_name(w, t->emit, w->arena), str_get(&s), e);
	str_fini(&s);
	return rc;
}

/* Reads what is said of w; false when that is not a verdict. */
static bool
parse(const char *text, Work *w, int *rows, char untuned[KERNEL_NAME_MAX])
{
	_Static_assert(KERNEL_NAME_MAX == 24, "as scanned");
	return sscanf(text, "rows %d trials %d flops %lg pass_ns %lg floor_ns %lg untuned %23s",
		      rows, &w->row->trials, &w->space.floor_flops, &w->space.floor_pass_ns,
		      &w->space.floor_ns, untuned) == 6;
}

static int
find_named(const Work *w, const char *name)
{
	for (int i = 0; i < w->trial.n; i++) {
		char own[KERNEL_NAME_MAX];

		kernel_name(w->trial.v[i].text, own);
		if (!strcmp(own, name))
			return i;
	}
	return -1;
}

static int
open_by(Tuner *t, Work *w, Err *e)
{
	char untuned[KERNEL_NAME_MAX];
	const char *text;
	int said, rc;

	rc = log_get_text(t->log, w->arena, LOG_TEXT_VERDICT, work_name(w, t->emit, w->arena),
			  &text, e);
	if (rc)
		return rc;
	if (!parse(text, w, &said, untuned))
		return NOT_APPLICABLE;
	rc = work_read(w, t->log, e);
	if (rc)
		return rc;
	w->untuned = find_named(w, untuned);
	if (w->rows != said || w->untuned < 0)
		return NOT_APPLICABLE;
	w->row->floor_ns = w->space.floor_ns;
	return OK;
}

int
verdict_open(Tuner *t, Work *w, Err *e)
{
	Work before = *w;
	TuneTask row = *w->row;
	int rc;

	w->arena = arena_new();
	rc = open_by(t, w, e);
	if (!rc)
		return OK;
	work_close(w);
	*w = before;
	*w->row = row;
	return rc;
}
