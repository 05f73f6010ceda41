/* Which loops the chunks of a phase share.
 *
 * Along every path from the root at most one loop is dealt; the loops around it are run by all
 * chunks, and what stores outside dealt loops is the last chunk's, which the deal favours. Each
 * phase takes the split whose slowest chunk has the least to do; of equals the outermost, so that
 * a chunk reads few constants or rows that others read too. Work is counted in operations: the
 * parts of a phase are alike.
 */
#include <float.h>

#include "codegen/lowering.h"

enum {
	THREADS_MOST = 64,
	ENTRY_WORK = 8, /* of a dealt loop each time it is entered, in operations */
};

/* A loop further in must save so much. */
static const double INNER_GAIN = .07;

/* Operations per cycle, loads and arithmetic together. */
static const double PER_CYCLE = 3;

/* What sharing must save, in forks and joins per phase. */
static const double WORTH = 4;

typedef struct Share {
	const Loop *l;
	const Target *t;
	int threads;
	double *work;    /* per body: of one pass; below 0: not known */
	double *slowest; /* per body: of its slowest chunk */
} Share;

static double
node_work(const Share *s, const LoopNode *n)
{
	double bytes = n->lanes * (double)dtype_size((DType)n->type);

	return n->op == LOOP_CONST || n->op == LOOP_NONE ? 0
	       : bytes <= (double)s->t->vector_bytes     ? 1
							 : bytes / (double)s->t->vector_bytes;
}

static double
body_work(const Share *s, int body)
{
	const LoopBody *list = &s->l->body.v[body];
	double sum = 0;

	if (s->work[body] >= 0)
		return s->work[body];
	for (int i = 0; i < list->n; i++) {
		const LoopNode *n = &s->l->node.v[list->v[i]];

		sum += n->op == LOOP_LOOP ? (double)n->k2 * (body_work(s, (int)n->k) + 1)
					  : node_work(s, n);
	}
	return s->work[body] = sum;
}

/* Deals n iterations so that the slowest chunk ends soonest; returns the chunk that begins. */
static int
deal(const Share *s, double load[THREADS_MOST], int64_t n, double each)
{
	int64_t least = n / s->threads, more = n % s->threads;
	double best = DBL_MAX;
	int first = 0;

	for (int f = 0; f < s->threads; f++) {
		double top = 0;

		for (int c = 0; c < s->threads; c++) {
			int64_t mine = least + ((c - f + s->threads) % s->threads < more);

			top = top > load[c] + (double)mine * each ? top
								  : load[c] + (double)mine * each;
		}
		if (top < best) {
			best = top;
			first = f;
		}
	}
	for (int c = 0; c < s->threads; c++)
		load[c] += (double)(least + ((c - first + s->threads) % s->threads < more)) * each;
	return first;
}

static double share_body(Share *s, int body, bool mark);

static double
slowest_inside(Share *s, int body)
{
	if (s->slowest[body] < 0)
		s->slowest[body] = share_body(s, body, false);
	return s->slowest[body];
}

static void
share_loop(Share *s, LoopNode *n, double load[THREADS_MOST], bool mark)
{
	double each = body_work(s, (int)n->k) + 1, inside;
	int64_t most = (n->k2 + s->threads - 1) / s->threads;

	inside = (double)n->k2 * (slowest_inside(s, (int)n->k) + 1);
	if (inside < (1 - INNER_GAIN) * (double)most * each) {
		for (int c = 0; c < s->threads; c++)
			load[c] += inside;
		if (mark) {
			n->c = SHARE_ALL;
			share_body(s, (int)n->k, true);
		}
	} else {
		int first = deal(s, load, n->k2, each);

		if (mark)
			n->c = SHARE_DEALT + first;
	}
}

/* The work of the slowest chunk in one pass; mark: the loops are marked. */
static double
share_body(Share *s, int body, bool mark)
{
	const LoopBody *list = &s->l->body.v[body];
	double load[THREADS_MOST] = {0}, top = 0;

	for (int i = 0; i < list->n; i++) {
		const LoopNode *n = &s->l->node.v[list->v[i]];

		if (n->op != LOOP_LOOP)
			load[s->threads - 1] += node_work(s, n);
		else if (!n->a)
			load[s->threads - 1] += (double)n->k2 * (body_work(s, (int)n->k) + 1);
	}
	for (int i = 0; i < list->n; i++) {
		LoopNode *n = &s->l->node.v[list->v[i]];

		if (n->op == LOOP_LOOP && n->a)
			share_loop(s, n, load, mark);
	}
	for (int c = 0; c < s->threads; c++)
		top = top > load[c] ? top : load[c];
	return top + ENTRY_WORK;
}

void
share_out(Loop *l, const Target *t)
{
	Share s = {.l = l, .t = t, .threads = (int)t->threads};
	double saved = 0;

	if (t->threads <= 1 || t->threads > THREADS_MOST)
		return;
	s.work = ARENA_ARRAY(l->arena, double, l->body.n);
	s.slowest = ARENA_ARRAY(l->arena, double, l->body.n);
	for (int i = 0; i < l->body.n; i++)
		s.work[i] = s.slowest[i] = -1;
	for (int p = 0; p < l->phase.n; p++)
		saved += body_work(&s, l->phase.v[p]) - slowest_inside(&s, l->phase.v[p]);
	if (saved / PER_CYCLE / t->ghz <= WORTH * t->fork_ns * l->phase.n)
		return;
	for (int p = 0; p < l->phase.n; p++)
		share_body(&s, l->phase.v[p], true);
	l->threads = s.threads;
}
