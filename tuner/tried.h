/* Tried: the picks that a strategy proposed, with their times, and what every strategy does with
 * them: nothing is proposed twice, and what the analytic model holds for hopeless never. */
#ifndef TUNER_TRIED_H
#define TUNER_TRIED_H

#include "tuner/search.h"

typedef struct TriedPick {
	Pick pick;
	double ns; /* INFINITY: failed, or not reported yet */
	bool reported;
} TriedPick;

typedef struct Tried {
	Arena *arena;
	const Space *space;
	Rng rng;
	double cost_max;
	const Proposal *warm; /* still to be proposed: warm[next..nwarm) */
	int nwarm, next;
	VEC(TriedPick) list;
} Tried;

/* Of opt the seed, and the warm proposals, which must outlive t. */
void tried_init(Tried *t, Arena *a, const Space *s, const SearchOptions *opt);

/* Adds p to the proposals, out[*n], unless it was proposed before or is hopeless. */
bool tried_offer(Tried *t, const Pick *p, const char *stage, Proposal *out, int *n);

/* The same with the next warm proposal; false when there is none left. */
bool tried_offer_warm(Tried *t, Proposal *out, int *n);

/* The same with a random pick; false when several in a row were refused. */
bool tried_offer_random(Tried *t, Proposal *out, int *n);

/* Whether the next proposal is to be a random one: one in ten is. */
bool tried_wants_random(const Tried *t);

void tried_report(Tried *t, const Pick *p, double ns);

/* Numbers in list of the n fastest, fastest first; returns how many worked. */
int tried_best(const Tried *t, int n, int *at);

#endif
