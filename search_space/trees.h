/* Trees: gradient-boosted regression trees over rows of numbers, for ranking candidates.
 *
 * Boosting as in Friedman, "Greedy function approximation: a gradient boosting machine" (2001),
 * rows drawn anew for each tree as in his "Stochastic gradient boosting" (2002), splits found over
 * histograms of binned values as LightGBM does (Ke et al. 2017). Squared loss. The same data,
 * options and seed give the same trees on one machine.
 *
 * Text: the names of the columns, a constant, and each tree in preorder, a node a line; rows whose
 * column is at most the number go to the node that follows, the others to what follows its leaves:
 *
 *   trees
 *   columns tile_a prefetch
 *   base -0.25
 *   tree
 *   tile_a 3.5
 *   leaf 0.125
 *   leaf -0.5
 */
#ifndef SEARCH_SPACE_TREES_H
#define SEARCH_SPACE_TREES_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { TREES_MAX = 2000, TREES_DEPTH_MAX = 8, TREES_COLUMNS_MAX = 64, TREES_BINS = 64 };

typedef struct TreeNode {
	int column;      /* -1: a leaf */
	int right;       /* node for what is above the threshold; the left one follows this */
	float threshold; /* finite */
	double value;    /* of a leaf */
} TreeNode;

typedef struct Trees {
	int width; /* columns */
	const char *const *name;
	double base;
	VEC(TreeNode) node;
	VEC(int) root; /* a tree each */
} Trees;

/* Rows to learn from. */
typedef struct TreesData {
	int n, width;
	const char *const *name; /* of the columns; outlives the trees */
	const float *x;          /* n rows of width numbers; not NaN */
	const double *y;
	const double *offset; /* per row, what is added to the trees' answer; NULL: 0 */
	const double *weight; /* per row; NULL: 1 */
} TreesData;

typedef struct TreesOptions {
	int trees, depth; /* at most TREES_MAX, TREES_DEPTH_MAX */
	int leaf;         /* a leaf has at least so many rows */
	double rate;      /* of its answer that each tree adds */
	double smooth;    /* rows of answer 0 that every leaf has besides its own */
	double share;     /* of the rows that a tree is grown from */
	uint64_t seed;
} TreesOptions;

/* What a search uses between its rounds, and what a model of many tasks is trained with. */
extern const TreesOptions trees_small, trees_large;

/* Fits d->y - d->offset. The trees live in a. No rows: a constant 0. */
Trees trees_train(Arena *a, const TreesData *d, const TreesOptions *o);

/* The answer for one row of t->width numbers. Any thread. */
double trees_predict(const Trees *t, const float *x);

void trees_print(const Trees *t, Str *out);

/* name, width: the columns that the reader has; trees over others are refused. Errors: ERR_INPUT
 * with the line. */
int trees_parse(const char *text, const char *const *name, int width, Arena *a, Trees *out, Err *e);

#endif
