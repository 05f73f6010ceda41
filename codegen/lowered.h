/* Lowered: a Task under a Sched, ready to be emitted, and what makes its pool of constants. The
 * unit that tuner, compile and tests deal in. */
#ifndef CODEGEN_LOWERED_H
#define CODEGEN_LOWERED_H

#include "codegen/emit.h"
#include "codegen/lower.h"
#include "codegen/objects.h"
#include "search_space/space.h"

typedef struct Lowered {
	Task *task; /* as the Sched's rewrite made it */
	TaskForm form;
	Sched sched;
	const char *text; /* of the Sched, canonical */
	double slack;     /* of the rewrite: multiplies the oracle's bounds */
	Loop *loop;
	double expected_ns; /* of lowered_estimate: what the analytic model says; else 0 */
	Code code;          /* of lowered_estimate, where that could be emitted; else empty */
} Lowered;

/* Lowers the Sched that text says. t and f as the Plan has them. NOT_APPLICABLE with the reason in
 * why when it does not lower; ERR_INPUT when the text is not a Sched of this Task. */
int lowered_from_text(Arena *a, const Task *t, const TaskForm *f, const char *text,
		      const Target *target, Lowered *out, char why[LOWER_WHY_MAX], Err *e);

/* The Sched that the analytic model likes best among those that lower and whose vectors fit the
 * registers, as m's code for m's Target says: what is used where nothing was measured. name: what
 * the functions of that code are called after. */
int lowered_estimate(Arena *a, const Task *t, const TaskForm *f, Emit *m, ToleranceClass tolerance,
		     const char *name, Lowered *out, Err *e);

/* The same with the Space of t and f at hand. What is compiled on the way is kept in `kept`; of
 * out->code there is only how much it spills. */
int lowered_estimate_in(Arena *a, const Space *s, const Task *t, const TaskForm *f, Emit *m,
			ObjectCache *kept, Lowered *out, Err *e);

/* The stages over constants as a Task of its own: in tensors are the constants the model gives,
 * then the literals (the order of pack_number); out tensors are the constants made. Scheduled
 * plainly. NOT_APPLICABLE when there are none. */
int lowered_prepare(Arena *a, const Lowered *l, const Target *target, Lowered *out, Err *e);

/* Makes the pool on this machine: runs the constant stages (host emits code for this machine; NULL
 * is fine when there are none) and packs. given: contents of the constants the model gives,
 * row-major, in tensor order. *pool is 64-byte aligned in a, loop->pool_bytes long. */
int lowered_pool(Arena *a, const Lowered *l, Emit *host, const void *const *given, void **pool,
		 Err *e);

#endif
