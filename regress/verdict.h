/* Verdicts: pairs so far -> an answer, or how many more are needed. Pure: the same pairs and policy
 * give the same answer, whatever else happened.
 *
 * A round goes like this. Every kernel with different bytes is a contestant. All get
 * policy.pairs_first pairs; then verdict_round looks at all of them together (Holm needs them all)
 * and says for each: decided, or how many more. Those get their pairs, and it looks again. Who is
 * decided stays decided. A round ends when nobody needs more; by the budget it always does.
 *
 * Kernels that are REGRESSED after the first round go through a second one, in new processes (and
 * on another board of the model where there is one), as a family of their own; verdict_confirm puts
 * both together. Nothing else is ever measured twice: there is no "again until it is green".
 *
 * The looks are part of the budget that policy.family_error is divided by, so looking often costs
 * nothing in honesty.
 */
#ifndef REGRESS_VERDICT_H
#define REGRESS_VERDICT_H

#include "regress/stats.h"

/* One kernel in a round. */
typedef struct VerdictEntry {
	const RegressPair *pair;
	int npair; /* with the dropped ones */
	double threshold;
	/* Answers. Where `decided` is set before the call, verdict, est and reason are kept. */
	bool decided;
	RegressVerdict verdict; /* REGRESSED, IMPROVED, OK or INCONCLUSIVE */
	int more;               /* pairs to add that count; 0 when decided */
	RegressEstimate est;
	bool two_modes;
	const char *reason; /* in the arena */
} VerdictEntry;

/* Judges a look at n entries; returns how many are not decided. Fails never. A disturbed kernel
 * whose dropped pairs exceed policy.dropped_most is INCONCLUSIVE with the pairs it has. */
int verdict_round(VerdictEntry *v, int n, const RegressPolicy *p, Arena *a);

/* First and second round of one kernel -> its verdict and reason. Only REGRESSED twice is
 * REGRESSED; REGRESSED once is INCONCLUSIVE, whatever the other round said. */
RegressVerdict verdict_confirm(const VerdictEntry *first, const VerdictEntry *second, Arena *a,
			       const char **reason);

/* Why the session counts for nothing: a canary changed by more than the policy allows between
 * start, middle and end. "" when it counts. Times that are 0 were not taken and say nothing. */
const char *verdict_canaries(const RegressCanary *c, int n, const RegressPolicy *p, Arena *a);

/* Turns every verdict that rests on times alone into INCONCLUSIVE because the session is void. */
void verdict_void(RegressResult *r, const char *reason);

/* Fewest pairs with which n kernels can be told REGRESSED at all under this policy. */
int verdict_least_pairs(const RegressPolicy *p, int n);

/* Copies what a round decided into the kernel, as its next round. pair stays the caller's. */
void verdict_keep(RegressKernel *k, const VerdictEntry *v);

#endif
