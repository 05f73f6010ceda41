/* Which outputs to look at, and what they should be. The order of points is drawn once; how many
 * of them are computed depends on how long that takes. */
#include "tuner/expect.h"

#include <math.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/rng.h"
#include "graph/oracle.h"

enum { CORNERS_MAX = 64, EDGE = 8 };

typedef struct Points {
	const TaskTensor *x;
	int64_t count, step; /* elements; all of them are visited in steps of `step` */
	bool all;
	Rng rng;
} Points;

static void
split(const TaskTensor *x, int64_t flat, int64_t *ix)
{
	for (int d = x->rank - 1; d >= 0; d--) {
		ix[d] = flat % x->dim[d];
		flat /= x->dim[d];
	}
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Point k: a corner, then in turn points anywhere and points near the end of one dimension, where
 * remainders of tiles are. */
static void
point(Points *p, int64_t k, int64_t *ix)
{
	const TaskTensor *x = p->x;

	if (p->all) {
		split(x, k * p->step % p->count, ix);
		return;
	}
	if (k < CORNERS_MAX && k < (int64_t)1 << x->rank) {
		for (int d = 0; d < x->rank; d++)
			ix[d] = k >> d & 1 ? x->dim[d] - 1 : 0;
		return;
	}
	split(x, (int64_t)rng_below(&p->rng, (uint64_t)p->count), ix);
	if (k % 2 && x->rank) {
		int d = (int)rng_below(&p->rng, (uint64_t)x->rank);

		ix[d] = x->dim[d] - 1 - (int64_t)rng_below(&p->rng, least(EDGE, x->dim[d]));
	}
}

static Points
points_init(const TaskTensor *x, const ExpectOptions *opt)
{
	Points p = {.x = x, .count = tensor_count(x), .step = 1};

	p.all = p.count <= opt->most;
	rng_init(&p.rng, opt->seed);
	if (p.all && p.count > 2)
		for (p.step = p.count * 5 / 8; gcd64(p.step, p.count) != 1;)
			p.step++;
	return p;
}

static void
expect_tensor(Arena *a, Oracle *o, const Task *t, const TaskForm *f, int tensor, int out_number,
	      const ExpectOptions *opt, ExpectedList *out)
{
	const TaskTensor *x = &t->tensor.v[tensor];
	Layout l = form_layout(&f->v[tensor], x->dim, x->type, 0);
	uint64_t end = clock_ns() + (uint64_t)(opt->seconds * 1e9);
	Points p = points_init(x, opt);

	for (int64_t k = 0; k < least(opt->most, p.count); k++) {
		int64_t ix[TASK_RANK_MAX] = {0};
		OracleValue v;

		if (k >= opt->least && clock_ns() > end)
			break;
		point(&p, k, ix);
		v = oracle_at(o, tensor, ix);
		if (!isfinite(v.err) && !isnan(v.v))
			continue;
		if (isnan(v.v) && !dtype_is_float(x->type))
			continue;
		vec_push(a, out, ((Expected){out_number, layout_at(&l, ix), v.v, v.err}));
	}
}

void
expect_outputs(Arena *a, const Task *t, const TaskForm *f, const void *const *data,
	       const ExpectOptions *opt, ExpectedList *out)
{
	Oracle *o = oracle_new(t, data);
	ExpectOptions each = *opt;
	int nout = 0, k = 0;

	for (int i = 0; i < t->tensor.n; i++)
		nout += t->tensor.v[i].kind == TENSOR_OUT;
	each.seconds /= nout ? nout : 1;
	for (int i = 0; i < t->tensor.n; i++)
		if (t->tensor.v[i].kind == TENSOR_OUT)
			expect_tensor(a, o, t, f, i, k++, &each, out);
	oracle_free(o);
}
