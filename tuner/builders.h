/* Builders: threads that compile parcels, where there are more boards than one thread can feed. A
 * Work has at most one parcel on its way, so its object code and its Problem are in one thread at
 * a time; each builder has a back end of its own. */
#ifndef TUNER_BUILDERS_H
#define TUNER_BUILDERS_H

#include "tuner/boards.h"
#include "tuner/work.h"

/* Trials of a job at most: the finalists of a race and the untuned choice, or a round. */
enum { BUILD_MAX = FINALISTS_MAX + 1 };
_Static_assert((int)ROUND_MAX <= (int)BUILD_MAX, "room for a round");

/* What is to be built of a Work. */
typedef struct BuildJob {
	Work *work;
	const char *text[BUILD_MAX]; /* in the Work's arena */
	int n;
	bool race;
	double expected_ns; /* of the slowest */
	ParcelSpec spec;    /* but for emit, problem, object, text, n, final and deadline_ms */
} BuildJob;

/* Compiles it, here and now; the Work's Problem is made when first needed. Errors: of work_problem
 * and parcel_build. */
int build_job(const BuildJob *j, Emit *emit, Parcel **out, Err *e);

typedef struct Builders Builders;

/* n threads. What they make goes to boards_built. Errors: of emit_open, ERR_NOMEM. */
int builders_open(const Target *t, int n, Boards *boards, Builders **out, Err *e);

/* Waits for what is being built; what waits is dropped. Before boards_close. NULL is fine. */
void builders_close(Builders *b);

void builders_put(Builders *b, const BuildJob *j); /* copies it */

#endif
