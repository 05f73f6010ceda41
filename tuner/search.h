/* Search: proposes picks of one Space and learns from how long they took. One const struct of
 * functions per strategy; the table is in search.c.
 *
 * A strategy keeps nothing but its state in the arena given to start, draws from no other random
 * numbers than a generator seeded there, and so gives the same proposals for the same answers.
 */
#ifndef TUNER_SEARCH_H
#define TUNER_SEARCH_H

#include "search_space/space.h"
#include "search_space/trees.h"

/* name, what it does */
#define SEARCH_LIST(X)                                                               \
	X(mixed, "the cost model's best, coordinate descent, then trees that learn") \
	X(descent, "the cost model's best, then coordinate descent")                 \
	X(trees, "random ones, then trees that learn from them")                     \
	X(model, "the cost model's best alone, in its order")                        \
	X(random, "any")

typedef struct Proposal {
	Pick pick;
	const char *stage; /* how it was found: "top", "descent", "trees", "random"... */
} Proposal;

typedef struct SearchOptions {
	int trials; /* how many proposals will be measured */
	uint64_t seed;
	const Proposal *warm; /* of tuner/warm.h: a strategy that learns proposes them first */
	int nwarm;
	const Trees *prior; /* over Features, learnt from other Tasks: what it adds to the analytic
			       model's answer; NULL: none. Outlives the search. */
} SearchOptions;

typedef struct Search {
	const char *name;
	/* Once, before the rest. The state lives in a; s outlives it. */
	void *(*start)(Arena *a, const Space *s, const SearchOptions *opt);
	/* At most max new picks, none that was proposed before; 0: nothing is left to try. Every
	 * pick is reported before the next call; in a replay (tuner/replay.h) those without a row
	 * never are. */
	int (*propose)(void *state, int max, Proposal *out);
	/* ns of a run; INFINITY when it failed in any way. In the order of the proposals. */
	void (*report)(void *state, const Pick *p, double ns);
} Search;

const Search *search_named(const char *name); /* NULL names the first; NULL when there is none */

#define X(name, text) extern const Search search_##name;
SEARCH_LIST(X)
#undef X

#endif
