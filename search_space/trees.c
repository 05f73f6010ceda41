/* Growing trees and asking them.
 *
 * A column is cut into at most TREES_BINS bins once; growing sees bins only. The rows of a node are
 * a run of one array, which a split partitions in place. A node's trees are in preorder, so the
 * left child of node i is i + 1. */
#include "search_space/trees.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

const TreesOptions trees_small = {
	.trees = 60, .depth = 4, .leaf = 1, .rate = .15, .smooth = 1, .share = .8};
const TreesOptions trees_large = {
	.trees = 200, .depth = 6, .leaf = 8, .rate = .1, .smooth = 4, .share = .7};

/* Of a node's loss that a split must take away. */
static const double LEAST_GAIN = 1e-9;

typedef struct Cuts {
	int n;
	float at[TREES_BINS - 1]; /* bin b holds what is at most at[b], and above at[b - 1] */
} Cuts;

typedef struct Bin {
	double sum, weight;
	int n;
} Bin;

typedef struct Split {
	double gain;
	int column, bin; /* the last bin that goes left */
} Split;

typedef struct Grower {
	const TreesData *d;
	const TreesOptions *o;
	Arena *arena; /* of the trees */
	Trees *out;
	Cuts *cuts;   /* per column */
	uint8_t *bin; /* rows of columns */
	double *rest; /* per row, what the trees so far leave */
	int *row;     /* of the tree that grows */
} Grower;

static int
by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}

/* A number with x <= it < y. */
static float
between(float x, float y)
{
	float middle = x / 2 + y / 2;

	return middle >= x && middle < y ? middle : x;
}

/* Cuts between values: all of them where there are few, else so that bins hold equally many rows.
 */
static void
cut_column(const TreesData *d, int column, float *sorted, Cuts *out)
{
	int distinct = 1;

	for (int i = 0; i < d->n; i++)
		sorted[i] = d->x[(size_t)i * (size_t)d->width + (size_t)column];
	qsort(sorted, (size_t)d->n, sizeof *sorted, by_value);
	for (int i = 1; i < d->n; i++)
		distinct += sorted[i] > sorted[i - 1];
	out->n = 0;
	for (int i = 1, due = 1; i < d->n; i++) {
		bool wanted =
			distinct <= TREES_BINS || (int64_t)i * TREES_BINS >= (int64_t)due * d->n;

		if (!wanted || !(sorted[i] > sorted[i - 1]))
			continue;
		out->at[out->n++] = between(sorted[i - 1], sorted[i]);
		due = (int)((int64_t)i * TREES_BINS / d->n) + 1;
	}
}

static uint8_t
bin_of(const Cuts *c, float x)
{
	int lo = 0, hi = c->n;

	while (lo < hi) {
		int middle = (lo + hi) / 2;

		if (x <= c->at[middle])
			hi = middle;
		else
			lo = middle + 1;
	}
	return (uint8_t)lo;
}

static void
fill_bins(Grower *g, Arena *work)
{
	size_t width = (size_t)g->d->width;
	float *sorted = ARENA_ARRAY(work, float, g->d->n);

	g->cuts = ARENA_ARRAY(work, Cuts, g->d->width);
	g->bin = ARENA_ARRAY(work, uint8_t, (size_t)g->d->n * width);
	for (size_t c = 0; c < width; c++) {
		cut_column(g->d, (int)c, sorted, &g->cuts[c]);
		for (size_t i = 0; i < (size_t)g->d->n; i++)
			g->bin[i * width + c] = bin_of(&g->cuts[c], g->d->x[i * width + c]);
	}
}

static double
weight_of(const Grower *g, int row)
{
	return g->d->weight ? g->d->weight[row] : 1;
}

static Bin
sum_of(const Grower *g, const int *row, int n)
{
	Bin all = {0};

	for (int i = 0; i < n; i++) {
		double w = weight_of(g, row[i]);

		all.sum += w * g->rest[row[i]];
		all.weight += w;
	}
	all.n = n;
	return all;
}

/* What a leaf with these rows takes away of the loss, up to a constant. */
static double
worth(const Grower *g, Bin b)
{
	return b.sum * b.sum / (b.weight + g->o->smooth);
}

/* The best split of a column, if it is better than *best. */
static void
try_column(const Grower *g, const int *row, int n, int column, Bin all, Split *best)
{
	const Cuts *c = &g->cuts[column];
	Bin bin[TREES_BINS] = {0}, left = {0};
	size_t width = (size_t)g->d->width;

	for (int i = 0; i < n; i++) {
		Bin *b = &bin[g->bin[(size_t)row[i] * width + (size_t)column]];
		double w = weight_of(g, row[i]);

		b->sum += w * g->rest[row[i]];
		b->weight += w;
		b->n++;
	}
	for (int k = 0; k < c->n; k++) {
		Bin right;
		double gain;

		left.sum += bin[k].sum;
		left.weight += bin[k].weight;
		left.n += bin[k].n;
		right = (Bin){all.sum - left.sum, all.weight - left.weight, all.n - left.n};
		if (!bin[k].n || left.n < g->o->leaf || right.n < g->o->leaf)
			continue;
		gain = worth(g, left) + worth(g, right) - worth(g, all);
		if (gain > best->gain)
			*best = (Split){gain, column, k};
	}
}

/* Rows up to the split's bin come first; returns how many. The order within stays. */
static int
partition(const Grower *g, int *row, int n, const Split *s, int *spare)
{
	size_t width = (size_t)g->d->width;
	int left = 0, right = 0;

	for (int i = 0; i < n; i++) {
		int r = row[i];

		if (g->bin[(size_t)r * width + (size_t)s->column] <= s->bin)
			row[left++] = r;
		else
			spare[right++] = r;
	}
	memcpy(row + left, spare, (size_t)right * sizeof *row);
	return left;
}

/* Adds the node of these rows and what is below it. spare: room for n numbers. */
static void
grow(Grower *g, int *row, int n, int depth, int *spare)
{
	Bin all = sum_of(g, row, n);
	Split best = {.gain = LEAST_GAIN, .column = -1};
	int at = g->out->node.n, left;
	TreeNode node = {.column = -1, .value = g->o->rate * all.sum / (all.weight + g->o->smooth)};

	for (int c = 0; c < g->d->width && depth < g->o->depth && n >= 2 * g->o->leaf; c++)
		if (g->cuts[c].n)
			try_column(g, row, n, c, all, &best);
	if (best.column >= 0) {
		node = (TreeNode){.column = best.column,
				  .threshold = g->cuts[best.column].at[best.bin]};
	}
	vec_push(g->arena, &g->out->node, node);
	if (best.column < 0)
		return;
	left = partition(g, row, n, &best, spare);
	grow(g, row, left, depth + 1, spare);
	g->out->node.v[at].right = g->out->node.n;
	grow(g, row + left, n - left, depth + 1, spare);
}

static double
tree_value(const Trees *t, int tree, const float *x)
{
	const TreeNode *n = &t->node.v[t->root.v[tree]];

	while (n->column >= 0)
		n = x[n->column] <= n->threshold ? n + 1 : &t->node.v[n->right];
	return n->value;
}

/* A tree from a share of the rows, and what all rows have left after it. */
static void
add_tree(Grower *g, Rng *rng, int *spare)
{
	int n = 0;

	for (int i = 0; i < g->d->n; i++)
		if (rng_unit(rng) < g->o->share)
			g->row[n++] = i;
	vec_push(g->arena, &g->out->root, g->out->node.n);
	grow(g, g->row, n, 0, spare);
	for (int i = 0; i < g->d->n; i++)
		g->rest[i] -= tree_value(g->out, g->out->root.n - 1,
					 g->d->x + (size_t)i * (size_t)g->d->width);
}

Trees
trees_train(Arena *a, const TreesData *d, const TreesOptions *o)
{
	Trees t = {.width = d->width, .name = d->name};
	Grower g = {.d = d, .o = o, .arena = a, .out = &t};
	Arena *work;
	double weight = 0;
	int *spare;
	Rng rng;

	if (!d->n)
		return t;
	work = arena_new();
	rng_init(&rng, o->seed);
	fill_bins(&g, work);
	g.rest = ARENA_ARRAY(work, double, d->n);
	g.row = ARENA_ARRAY(work, int, d->n);
	spare = ARENA_ARRAY(work, int, d->n);
	for (int i = 0; i < d->n; i++) {
		g.rest[i] = d->y[i] - (d->offset ? d->offset[i] : 0);
		t.base += weight_of(&g, i) * g.rest[i];
		weight += weight_of(&g, i);
	}
	t.base /= weight;
	for (int i = 0; i < d->n; i++)
		g.rest[i] -= t.base;
	for (int i = 0; i < o->trees; i++)
		add_tree(&g, &rng, spare);
	arena_free(work);
	return t;
}

double
trees_predict(const Trees *t, const float *x)
{
	double sum = t->base;

	for (int i = 0; i < t->root.n; i++)
		sum += tree_value(t, i, x);
	return sum;
}
