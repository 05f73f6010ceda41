/* A search compiles some hundred phases of a Task: a list is enough. Codes stay where they are when
 * the list grows, for they are allocated one by one. */
#include "codegen/objects.h"

#include <stdio.h>

#include "codegen/phase.h"

enum { LOOPS_MAX = 256 }; /* inner ones that are looked at for spills */

void
kernel_name(const char *sched, char name[KERNEL_NAME_MAX])
{
	char hex[DIGEST_TEXT];

	digest_name(sched, hex);
	snprintf(name, KERNEL_NAME_MAX, "k%.16s", hex);
}

static int
emit_phase(ObjectCache *c, Emit *m, const Loop *l, const Code **out, Err *e)
{
	char hex[DIGEST_TEXT], name[KERNEL_NAME_MAX];
	Digest key = loop_digest(l);
	Code *code;
	int rc;

	for (int i = 0; i < c->key.n; i++)
		if (digest_equal(&c->key.v[i], &key)) {
			*out = c->code.v[i];
			return OK;
		}
	digest_print(&key, hex);
	snprintf(name, sizeof name, "k%.16s", hex);
	code = ARENA_NEW(c->arena, Code);
	if ((rc = emit(m, l, name, c->arena, code, e)))
		return rc;
	vec_push(c->arena, &c->key, key);
	vec_push(c->arena, &c->code, code);
	*out = code;
	return OK;
}

static int
count_spills(const Objects *o, const Loop *l, const Target *t)
{
	InnerLoop all[LOOPS_MAX];
	int n = 0;

	for (int p = 0; p < o->n; p++)
		for (int i = 0; i < o->phase[p]->inner.n && n < LOOPS_MAX; i++)
			all[n++] = o->phase[p]->inner.v[i];
	return spills_count(l, t, all, n);
}

int
objects_emit(ObjectCache *c, Emit *m, const Loop *l, Arena *a, Objects *out, Err *e)
{
	DigestState all;

	*out = (Objects){.n = l->phase.n,
			 .phase = ARENA_ARRAY(a, const Code *, l->phase.n + 1),
			 .symbol = ARENA_ARRAY(a, const char *, l->phase.n + 1)};
	digest_init(&all);
	for (int p = 0; p < l->phase.n; p++) {
		int rc = emit_phase(c, m, loop_phase(a, l, p), &out->phase[p], e);

		if (rc)
			return rc;
		out->symbol[p] = out->phase[p]->symbol[0];
		digest_add(&all, out->phase[p]->bytes, out->phase[p]->size);
	}
	out->digest = digest_end(&all);
	out->spills = count_spills(out, l, emit_target(m));
	return OK;
}

void
objects_add(const Objects *o, Arena *a, LinkInputs *to)
{
	for (int p = 0; p < o->n; p++) {
		bool there = false;

		for (int i = 0; i < to->n; i++)
			there |= to->v[i].bytes == o->phase[p]->bytes;
		if (!there)
			vec_push(a, to, ((LinkInput){o->phase[p]->bytes, o->phase[p]->size}));
	}
}
