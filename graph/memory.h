/* Memory plan: which bytes of one region hold which temporary, over the steps of a model. */
#ifndef GRAPH_MEMORY_H
#define GRAPH_MEMORY_H

#include "base/arena.h"
#include "base/str.h"

enum { MEMORY_ALIGN = 64 };

/* One block, live from step `first` to step `last`, both included. */
typedef struct MemoryItem {
	size_t bytes;
	int first, last;
	size_t offset; /* out: a multiple of MEMORY_ALIGN */
} MemoryItem;

typedef struct MemoryPlan {
	size_t bytes; /* of the region */
	size_t bound; /* largest sum of live bytes over all steps: no plan is smaller */
} MemoryPlan;

/* Places the items so that no two that are live at the same step overlap: largest first, each in
 * the tightest gap that holds it. A zero-sized item gets offset 0. Same items, same offsets. */
MemoryPlan memory_plan(MemoryItem *item, int n, Arena *tmp);

/* bound / bytes; 1 for an empty plan. */
double memory_efficiency(const MemoryPlan *p);

/* A line per item that is not empty, in the order given: offset, bytes, steps. */
void memory_print(const MemoryItem *item, int n, const MemoryPlan *p, Str *out);

#endif
