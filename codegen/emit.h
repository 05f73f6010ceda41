/* Emit: Loop -> Code. One const struct of functions per way to make code; the table is in emit.c.
 */
#ifndef CODEGEN_EMIT_H
#define CODEGEN_EMIT_H

#include "codegen/loop.h"
#include "codegen/model.h"
#include "codegen/spills.h"
#include "search_space/target.h"

/* Object code of one Loop. Everything lives in the arena given to emit(). */
typedef struct Code {
	const void *bytes; /* relocatable object */
	size_t size;
	int nsymbol;
	const char **symbol;  /* a function per phase, in order */
	int spills;           /* spills_count of it */
	VEC(InnerLoop) inner; /* that may have spills */
} Code;

/* Into another arena. */
Code code_copy(Arena *a, const Code *c);

/* A back end made ready for one Target; heap, freed by emit_close. One thread at a time. */
typedef struct Emit Emit;

typedef struct Emitter {
	const char *name;
	const char *version; /* of what generates the code: "LLVM 22.1.0" */
	/* Makes the back end ready. Errors: ERR_UNSUPPORTED when it does not know the Target. */
	int (*open)(const Target *t, void **state, Err *e);
	void (*close)(void *state);
	/* The Loop's phases become functions name_0, name_1... Errors: ERR_INTERNAL with the back
	 * end's text. */
	int (*emit)(void *state, const Loop *l, const char *name, Arena *a, Code *out, Err *e);
	/* The same as text a person can read (assembly). May be NULL. */
	int (*print)(void *state, const Loop *l, const char *name, Str *out, Err *e);
	/* The functions of codegen/model.h; the kernels they call are undefined symbols of the
	 * object. Code.symbol stays empty. */
	int (*model)(void *state, const ModelCalls *m, Arena *a, Code *out, Err *e);
} Emitter;

int emit_open(const char *emitter, const Target *t, Emit **out, Err *e);
void emit_close(Emit *m); /* NULL is fine */
int emit(Emit *m, const Loop *l, const char *name, Arena *a, Code *out, Err *e);
int emit_print(Emit *m, const Loop *l, const char *name, Str *out, Err *e);
int emit_model(Emit *m, const ModelCalls *model, Arena *a, Code *out, Err *e);
const char *emit_version(const Emit *m);
const Target *emit_target(const Emit *m);

extern const Emitter emit_llvm;

#endif
