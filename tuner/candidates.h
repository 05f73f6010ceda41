/* Candidates: the picks among which the most promising are looked for. */
#ifndef TUNER_CANDIDATES_H
#define TUNER_CANDIDATES_H

#include "tuner/tried.h"

enum { CANDIDATES_WHOLE = 12000 }; /* picks of a Space, at most, that are candidates all */

typedef struct Candidate {
	Pick pick;
	double score; /* higher is better */
} Candidate;

typedef VEC(Candidate) Candidates;

/* Adds the whole Space of t where it is small, else its cheapest picks, neighbours of the fastest
 * that were tried, and random ones; hopeless ones never. Scores are 0. */
void candidates_add(Tried *t, Arena *a, Candidates *out);

/* Best first. */
void candidates_sort(Candidates *list);

#endif
