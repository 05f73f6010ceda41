/* Parts: values that lie inside another one. What makes the inputs of a concatenation writes them
 * where the output has them, so the concatenation itself computes nothing. */
#ifndef GRAPH_PARTS_H
#define GRAPH_PARTS_H

#include "graph/plan.h"

typedef struct Part {
	int whole; /* value; NO_VALUE: lies by itself */
	int dim;
	int64_t start; /* along dim */
} Part;

/* Whether the node joins values some of which may be made in place: then it stays a group of its
 * own. Says nothing about Forms. */
bool parts_joined_by(const Graph *g, const Node *n);

/* Per value of the graph, whether somebody outside the Tasks touches it, or a reshape that may be a
 * view: such a value is plain and lies by itself. */
bool *fixed_values(const Graph *g, Arena *a, const GroupTask *group, int n);

/* Per value of the graph: what it may be a part of. A value is part of one other at most; that may
 * be a part in turn. At least half of every whole is made of such parts. */
Part *parts_find(const Graph *g, Arena *a, const GroupTask *group, int n);

/* The Form of a part v of w: the slack of others before and after it along its dimension, w's
 * border along the rest. False when w has a border along that dimension: it would belong to none of
 * the parts. */
bool part_form(const Part *p, const Value *v, const Form *whole, const Value *w, Form *out);

#endif
