/* Random small graphs over most operators, for checks of everything that comes after the import:
 * the same seed gives the same graph.
 */
#ifndef TESTS_SUPPORT_GRAPH_RANDOM_H
#define TESTS_SUPPORT_GRAPH_RANDOM_H

#include "graph/graph.h"

/* One to a dozen nodes, a few thousand elements at most in any value. graph_free frees it. */
Graph *graph_random(uint64_t seed);

/* Contents for the inputs of g, in its order, in memory of `a`. */
const void **graph_random_inputs(const Graph *g, Arena *a, uint64_t seed);

#endif
