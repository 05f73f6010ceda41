/* Runs one (Task, Form, Sched) in this process and compares it with the oracle: lower, emit, link,
 * load, buffers against unreadable pages, pack, call. For tests and kernel benchmarks; the product
 * runs kernels in the agent's runner. */
#ifndef TESTS_SUPPORT_KERNEL_RUN_H
#define TESTS_SUPPORT_KERNEL_RUN_H

#include "base/image.h"
#include "codegen/lower.h"
#include "codegen/objects.h"
#include "graph/oracle.h"

typedef int KernelFn(const void *const *in, void *const *out, void *scratch, int chunk, int chunks);

/* Memory that ends (or starts) exactly at an unreadable page. */
typedef struct Guarded {
	void *map;
	size_t map_bytes;
	unsigned char *p;
	size_t bytes;
} Guarded;

typedef enum GuardSide { GUARD_AFTER, GUARD_BEFORE } GuardSide;

int guarded_open(Guarded *g, size_t bytes, GuardSide side);
void guarded_close(Guarded *g);

typedef struct KernelRun {
	Arena *a;
	Task *t; /* rewritten as the Sched says */
	TaskForm f;
	double slack; /* of the rewrite */
	Loop *loop;
	Objects code;
	Image *image;
	KernelFn **fn;  /* a phase each */
	Guarded *store; /* per tensor: stored buffer (in, out), row-major contents (const, lit) */
	void **logical; /* per in tensor: row-major contents; per const: store.p */
	Guarded pool, scratch;
	const void **in; /* kernel arguments */
	void **out;
	Oracle *oracle; /* of the Task before the rewrite */
} KernelRun;

/* t and f are those before the rewrite that the text of the Sched names. NOT_APPLICABLE with the
 * reason in why when the lowering refuses. The caller closes r whenever this returns OK. */
int kernel_run_open(KernelRun *r, Arena *a, Emit *m, const Task *t, const TaskForm *f,
		    const char *sched, GuardSide side, uint64_t seed, char why[LOWER_WHY_MAX],
		    Err *e);
void kernel_run_close(KernelRun *r);

void kernel_run_poison(KernelRun *r); /* outputs and scratch become NaN */
int kernel_run_call(KernelRun *r);    /* all phases once; the first non-zero answer */

/* The same in so many chunks, at most loop->threads: on threads of their own, or one after another
 * from the last to the first. */
int kernel_run_chunks(KernelRun *r, int chunks, bool together);

/* Runs those chunks with out tensor `out` in the memory of in tensor `in`, which task_may_overwrite
 * allows, and back. False when the outputs are other bytes than those there are now. The input is
 * lost. */
bool kernel_run_overwrite(KernelRun *r, int in, int out, int chunks, bool together);

/* All bytes of the outputs, slack included, one tensor after another; in r's arena. */
void *kernel_run_outputs(const KernelRun *r, size_t *bytes);

typedef struct KernelCheck {
	double worst;   /* largest |got - want| / allowed */
	double max_abs; /* largest |want| */
	double max_err; /* largest |got - want| */
	char where[96]; /* the worst element */
} KernelCheck;

/* Compares up to `samples` elements of every output (all of them when fewer) with the oracle, the
 * border with its value and slack of others with the poison. */
KernelCheck kernel_run_check(KernelRun *r, int samples, uint64_t seed);

#endif
