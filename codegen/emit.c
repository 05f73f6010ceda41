/* The table of emitters. */
#include "codegen/emit.h"

#include <stdlib.h>
#include <string.h>

static const Emitter *const emitters[] = {
	&emit_llvm,
};

struct Emit {
	const Emitter *with;
	void *state;
	Target target;
};

int
emit_open(const char *name, const Target *t, Emit **out, Err *e)
{
	const Emitter *with = NULL;
	Emit *m;
	int rc;

	for (size_t i = 0; i < sizeof emitters / sizeof *emitters; i++)
		if (!strcmp(emitters[i]->name, name))
			with = emitters[i];
	if (!with)
		return err_set(e, ERR_INPUT, "no emitter '%s'", name);
	m = calloc(1, sizeof *m);
	if (!m)
		return err_set(e, ERR_NOMEM, "emitter");
	m->with = with;
	m->target = *t;
	if ((rc = with->open(&m->target, &m->state, e))) {
		free(m);
		return rc;
	}
	*out = m;
	return OK;
}

void
emit_close(Emit *m)
{
	if (!m)
		return;
	m->with->close(m->state);
	free(m);
}

int
emit(Emit *m, const Loop *l, const char *name, Arena *a, Code *out, Err *e)
{
	return m->with->emit(m->state, l, name, a, out, e);
}

int
emit_print(Emit *m, const Loop *l, const char *name, Str *out, Err *e)
{
	if (!m->with->print)
		return err_set(e, ERR_UNSUPPORTED, "emitter %s prints no text", m->with->name);
	return m->with->print(m->state, l, name, out, e);
}

int
emit_model(Emit *m, const ModelCalls *model, Arena *a, Code *out, Err *e)
{
	return m->with->model(m->state, model, a, out, e);
}

const char *
emit_version(const Emit *m)
{
	return m->with->version;
}

const Target *
emit_target(const Emit *m)
{
	return &m->target;
}

Code
code_copy(Arena *a, const Code *c)
{
	Code r = *c;

	r.bytes = arena_copy(a, c->bytes, c->size);
	r.inner.v = arena_copy(a, c->inner.v, (size_t)c->inner.n * sizeof *c->inner.v);
	r.symbol = ARENA_ARRAY(a, const char *, c->nsymbol + 1);
	for (int i = 0; i < c->nsymbol; i++)
		r.symbol[i] = arena_strdup(a, c->symbol[i]);
	return r;
}
