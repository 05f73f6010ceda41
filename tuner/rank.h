/* Rank: proposes what trees expect to be fast. They are trained anew in each round from everything
 * that was tried, on what the analytic model, and the prior where there is one, leaves. */
#ifndef TUNER_RANK_H
#define TUNER_RANK_H

#include "search_space/features.h"
#include "tuner/tried.h"

typedef struct Rank {
	Arena *arena;
	Tried *tried;
	const Trees *prior; /* NULL: none */
	Features *features;
	uint64_t seed;
	double belief; /* how far the analytic model's differences are believed, 0 to 1 */
	Pick *order;   /* the candidates of this round, most promising first */
	int n, next;
} Rank;

void rank_init(Rank *r, Arena *a, Tried *t, const SearchOptions *opt);

/* Trains and orders the candidates (tuner/candidates.h). Before the first offer after reports. */
void rank_begin(Rank *r);

/* The most promising of these picks, as far as they are candidates; false when none is or all were
 * proposed. */
bool rank_offer_among(Rank *r, const Pick *pick, int npick, const char *stage, Proposal *out,
		      int *n);

/* The most promising candidate that was not proposed yet; false when there is none. */
bool rank_offer(Rank *r, const char *stage, Proposal *out, int *n);

#endif
