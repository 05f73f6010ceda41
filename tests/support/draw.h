/* Random Tasks, Forms and Scheds as text: small, legal, and covering every rule of the lowering.
 * The same generator state gives the same text. */
#ifndef TESTS_SUPPORT_DRAW_H
#define TESTS_SUPPORT_DRAW_H

#include "base/rng.h"
#include "search_space/sched.h"

int64_t draw_int(Rng *r, int64_t lo, int64_t hi); /* uniform, both ends included */
bool draw_chance(Rng *r, int percent);

/* Appends the text of a Task that task_parse accepts; returns the name of its family. */
const char *draw_task(Rng *r, Str *out);

/* A Form per in and out tensor: order, block, border, slack of others. room: of it, 0: any. */
void draw_form(Rng *r, size_t room, const Task *t, Str *out);

/* A rewrite that applies, and a nest per stage of the rewritten Task. The lowering may still
 * refuse it. */
void draw_sched(Rng *r, Arena *a, const Task *t, const TaskForm *f, Str *out);

/* Parts of draw_task, one file each; the array ends with a NULL function. */
typedef struct Family {
	const char *name;
	void (*draw)(Rng *r, Str *out);
} Family;

extern const Family draw_window_families[]; /* convolutions and pooling */
extern const Family draw_dense_families[];  /* products, reductions, normalisation */
extern const Family draw_plain_families[];  /* elementwise, movement, types */

/* An f32 expression over operands, each already an f32 expression; depth bounds its nesting. */
void draw_expr(Rng *r, Str *out, const char *const *operand, int n, int depth);

/* One f32 final expression around acc; extra, when not NULL, is one more operand. */
void draw_epilogue(Rng *r, Str *out, const char *extra);

#endif
