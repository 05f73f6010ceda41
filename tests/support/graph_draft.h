/* A node of a random graph in the making: inside of graph_random. */
#ifndef TESTS_SUPPORT_GRAPH_DRAFT_H
#define TESTS_SUPPORT_GRAPH_DRAFT_H

#include "base/rng.h"
#include "graph/graph.h"

enum { DRAFT_LIST_MAX = 2 * KERNEL_RANK_MAX };

/* What a node gets besides its operator: attributes, a given shape, more inputs. */
typedef struct Draft {
	Graph *g;
	Rng r;
	int x; /* value that the node reads first */
	NodeSpec spec;
	int in[8];
	KAttr attr[OP_ATTRS_MAX];
	int64_t list[OP_ATTRS_MAX][DRAFT_LIST_MAX];
	double number[OP_ATTRS_MAX][DRAFT_LIST_MAX];
	Value given;
} Draft;

static inline int64_t
draft_below(Draft *d, int64_t n)
{
	return (int64_t)rng_below(&d->r, (uint64_t)n);
}

static inline const Value *
draft_value(const Draft *d)
{
	return &d->g->value.v[d->x];
}

static inline bool
draft_is_f32(const Draft *d)
{
	return draft_value(d)->type == DT_F32;
}

/* Attributes: the next one of the node; a list is for the caller to fill. */
int64_t *draft_ints(Draft *d, AttrKey key, int n);
void draft_int(Draft *d, AttrKey key, int64_t v);
void draft_float(Draft *d, AttrKey key, double v);

/* Small numbers, none negative for unsigned types. */
void draft_fill(DType type, void *data, size_t n, uint64_t seed);

/* A new constant of the graph. Pointers to values stay readable: the arena keeps what a growing
 * array leaves behind. */
int draft_constant(Draft *d, DType type, int rank, const int64_t *dim);

/* Each maker fills d for its operator; false when the drawn value is nothing for it. */
typedef bool Maker(Draft *d);
Maker make_unary, make_binary, make_where, make_cast, make_transpose, make_slice, make_reshape,
	make_concat, make_pad, make_gather, make_repeat, make_shuffle, make_trilu, make_reduce,
	make_along, make_norm, make_pool, make_conv, make_matmul, make_resize, make_lrn;

#endif
