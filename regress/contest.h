/* Contest: one kernel, or the model, while it is compared. Private to compare*.c. */
#ifndef REGRESS_CONTEST_H
#define REGRESS_CONTEST_H

#include "base/rng.h"
#include "regress/compare.h"
#include "regress/process.h"
#include "regress/verdict.h"

enum { SIDE_OLD, SIDE_NEW, SIDES };

typedef struct Contest {
	RegressKernel *out;
	Parcel *side[SIDES]; /* the old one is the contest's */
	bool control;        /* both sides have the same bytes */
	bool over;           /* answered by something else than times */
	VEC(RegressPair) pair;
	int want, dropped;
	VerdictEntry entry; /* of the present round */
	bool fetched[SIDES];
	Digest output[SIDES][PROCESS_OUTPUTS_MAX]; /* of the model, the first time */
} Contest;

typedef struct Canary {
	Parcel *parcel;
	RegressCanary *out;
} Canary;

typedef struct Compare {
	const CompareOptions *opt;
	Suite *suite;
	const Baseline *base;
	Arena *a;
	Rng rng;
	RegressResult *out;
	VEC(Contest *) contest; /* controls among them */
	Canary canary[COMPARE_CANARIES];
	Device *device;    /* that measures now */
	int measured;      /* pairs, for the line of progress */
	const char *doubt; /* a control that was not equal twice; or NULL */
} Compare;

/* compare_entries.c: an entry of the result for each kernel of suite and baseline, and a Contest
 * for each that has to be measured. Errors: ERR_INPUT. */
int compare_entries(Compare *c, Err *e);
/* A Contest of that entry; the old side is the contest's. */
Contest *compare_add(Compare *c, RegressKernel *k, Parcel *old, Parcel *now);
void compare_fini(Compare *c);

/* compare.c: both rounds of all contests; their verdicts are in their entries then. */
int compare_measure(Compare *c, Err *e);

/* compare_round.c: measures until every contestant has its answer in entry, or is over. canaries:
 * take them too. Errors: of process_run. */
int compare_round(Compare *c, Contest *const *v, int n, bool canaries, Err *e);

/* Ends the contest with an answer that is not one of times. */
void contest_end(Compare *c, Contest *x, RegressVerdict v, const char *reason);

/* compare_outputs.c: whether both sides of the model compute the same; ends the contest if not.
 * Errors: of rpc_get_blob. */
int compare_outputs(Compare *c, Contest *x, const Process p[SIDES], Err *e);

#endif
