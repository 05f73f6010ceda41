/* Tasks in their plain Form with the Space of one Target, for tests of what is chosen and lowered.
 */
#ifndef TESTS_UNIT_SPACE_CASE_H
#define TESTS_UNIT_SPACE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "search_space/space.h"

#define CONV3X3                                                                  \
	"task\n in x f32[24,14,14]\n const w f32[40,24,3,3]\n const b f32[40]\n" \
	" out y f32[40,14,14]\n stage k:40 p:14 q:14 | c:24 i:3 j:3\n"           \
	"  acc f32 sum x[c,p+i-1,q+j-1 else 0] * w[k,c,i,j]\n"                   \
	"  y[k,p,q] = max(acc + b[k], 0)\n"

/* 49 pixels by 2,048 channels. */
#define CONV7                                                                    \
	"task\n in x f32[49,2048]\n const w f32[512,2048]\n out y f32[49,512]\n" \
	" stage k:512 p:49 | c:2048\n  acc f32 sum x[p,c] * w[k,c]\n  y[p,k] = max(acc, 0)\n"

typedef struct Fixture {
	Arena *a;
	Task *t;
	TaskForm f;
	Target target;
	Space s;
	Err e;
} Fixture;

static inline void
start(Fixture *f, const char *text, const char *target)
{
	*f = (Fixture){.a = arena_new()};
	if (task_parse(text, f->a, &f->t, &f->e) || target_named(target, &f->target, &f->e))
		fail_msg("%s", f->e.msg);
	f->f = task_form_plain(f->a, f->t);
	if (space_build(f->a, f->t, &f->f, &f->target, TOLERANCE_DEFAULT, &f->s, &f->e))
		fail_msg("%s", f->e.msg);
}

static inline void
stop(Fixture *f)
{
	arena_free(f->a);
}

#endif
