/* Double-precision interpreter with running error bounds.
 *
 * Values of temporaries and derived constants are computed when first asked for and kept. The axes
 * of the stage that writes an element are found by inverting its output index: positional
 * numbers per dimension, largest coefficient first.
 */
#include "graph/oracle_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Memo {
	OracleValue *v;
	bool *known;
} Memo;

struct Oracle {
	const Task *t;
	const void **data;
	Memo *memo; /* per tensor; v is NULL until first used */
};

typedef struct Point {
	Oracle *o;
	const Stage *s;
	int64_t axis[STAGE_AXES_MAX];
	OracleValue acc;
} Point;

static void *
must_alloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p) {
		fprintf(stderr, "hone: out of memory in the oracle\n");
		abort();
	}
	return p;
}

Oracle *
oracle_new(const Task *t, const void *const *data)
{
	Oracle *o = must_alloc(1, sizeof *o);

	o->t = t;
	o->memo = must_alloc((size_t)t->tensor.n, sizeof *o->memo);
	o->data = must_alloc((size_t)t->tensor.n, sizeof *o->data);
	for (int i = 0; i < t->tensor.n; i++)
		o->data[i] = data[i];
	return o;
}

void
oracle_free(Oracle *o)
{
	if (!o)
		return;
	for (int i = 0; i < o->t->tensor.n; i++) {
		free(o->memo[i].v);
		free(o->memo[i].known);
	}
	free(o->memo);
	free(o->data);
	free(o);
}

static OracleValue eval(Point *p, int e);

static int64_t
index_at(Point *p, const Index *ix, int64_t extent)
{
	int64_t v = ix->k;

	for (int a = 0; a < p->s->naxes; a++)
		v += ix->coef[a] * p->axis[a];
	if (ix->via != TASK_NONE) {
		v += (int64_t)eval(p, ix->via).v;
		v = v < 0 ? v + extent : v;
		v = v < 0 ? 0 : v >= extent ? extent - 1 : v;
	}
	return v;
}

static OracleValue
load(Point *p, const Expr *x)
{
	const TaskTensor *src = &p->o->t->tensor.v[x->tensor];
	int64_t ix[TASK_RANK_MAX], flat = 0;

	for (int d = 0; d < src->rank; d++) {
		ix[d] = index_at(p, &x->ix[d], src->dim[d]);
		if (ix[d] < 0 || ix[d] >= src->dim[d])
			return (OracleValue){x->otherwise, 0};
		flat = flat * src->dim[d] + ix[d];
	}
	if (src->kind == TENSOR_LIT)
		return (OracleValue){src->lit[flat], 0};
	if (src->kind == TENSOR_IN || !tensor_is_made(p->o->t, x->tensor)) {
		const void *data = p->o->data[x->tensor];

		if (src->type == DT_F32)
			return (OracleValue){((const float *)data)[flat], 0};
		return (OracleValue){dtype_get(src->type, data, (size_t)flat), 0};
	}
	return oracle_at(p->o, x->tensor, ix);
}

static OracleValue
eval(Point *p, int e)
{
	const Expr *x = &p->o->t->expr.v[e];
	OracleValue a, b, c;

	switch (x->op) {
	case EXPR_LIT: return (OracleValue){x->lit, 0};
	case EXPR_LOAD: return load(p, x);
	case EXPR_ACC: return p->acc;
	case EXPR_INDEX: return (OracleValue){(double)index_at(p, x->ix, 0), 0};
	case EXPR_IN: {
		int64_t v = index_at(p, x->ix, 0);

		return (OracleValue){v >= x->lo && v < x->hi, 0};
	}
	default: break;
	}
	a = eval(p, x->a);
	if (expr_operands(x->op) == 1)
		return oracle_unary(x, p->o->t->expr.v[x->a].type, a);
	b = eval(p, x->b);
	if (expr_operands(x->op) == 2)
		return oracle_binary(x, a, b);
	c = eval(p, x->c);
	if (a.err > 0)
		return (OracleValue){a.v != 0 ? b.v : c.v, fmax(b.err, c.err) + fabs(b.v - c.v)};
	return a.v != 0 ? b : c;
}

/* Steps the reduction axes but one (TASK_NONE: all) like an odometer; false after the last point.
 */
static bool
next_point(Point *p, int but)
{
	for (int a = p->s->naxes - 1; a >= p->s->nspatial; a--) {
		if (a == but)
			continue;
		if (++p->axis[a] < p->s->axis[a].extent)
			return true;
		p->axis[a] = 0;
	}
	return false;
}

/* What a load reads along an axis: data[first + step * i] for lo <= i < hi, else `otherwise`. */
typedef struct Row {
	const float *data;
	int64_t first, step, lo, hi;
	double otherwise;
} Row;

/* The part of the row where i0 + c * i is an index of a dimension. */
static void
narrow(Row *r, int64_t i0, int64_t c, int64_t dim)
{
	int64_t lo = 0, hi = r->hi;

	if (c == 0 && (i0 < 0 || i0 >= dim))
		hi = 0;
	if (c > 0) {
		lo = i0 < 0 ? (-i0 + c - 1) / c : 0;
		hi = i0 < dim ? (dim - 1 - i0) / c + 1 : 0;
	}
	r->lo = lo > r->lo ? lo : r->lo;
	r->hi = hi < r->hi ? hi : r->hi;
}

/* The row of a load at this point, along a reduction axis that stands at 0. False where it is no
 * plain load of floats, or goes backwards. */
static bool
row_of(Point *p, int e, int axis, Row *r)
{
	const Expr *x = &p->o->t->expr.v[e];
	const TaskTensor *src = x->op == EXPR_LOAD ? &p->o->t->tensor.v[x->tensor] : NULL;

	if (!src || src->type != DT_F32 || src->kind == TENSOR_LIT ||
	    (src->kind != TENSOR_IN && tensor_is_made(p->o->t, x->tensor)))
		return false;
	*r = (Row){.data = p->o->data[x->tensor],
		   .hi = p->s->axis[axis].extent,
		   .otherwise = x->otherwise};
	for (int d = 0; d < src->rank; d++) {
		const Index *ix = &x->ix[d];
		int64_t i0;

		if (ix->via != TASK_NONE || ix->coef[axis] < 0)
			return false;
		i0 = index_at(p, ix, src->dim[d]);
		narrow(r, i0, ix->coef[axis], src->dim[d]);
		r->first = r->first * src->dim[d] + i0;
		r->step = r->step * src->dim[d] + ix->coef[axis];
	}
	return true;
}

static double
row_at(const Row *r, int64_t i)
{
	return i >= r->lo && i < r->hi ? (double)r->data[r->first + r->step * i] : r->otherwise;
}

typedef struct Sum {
	double sum, size, err, n;
} Sum;

static void
add(Sum *s, OracleValue x)
{
	s->sum += x.v;
	s->size += fabs(x.v);
	s->err += x.err;
	s->n++;
}

/* A sum of products of two plain loads, row by row along the longest reduction axis: most of what
 * the oracle computes. The same values as point by point, in another order. */
static bool
sum_rows(Point *p, Sum *s)
{
	const Expr *x = &p->o->t->expr.v[p->s->body];
	int axis = p->s->nspatial;
	Row a, b;

	for (int k = axis; k < p->s->naxes; k++)
		axis = p->s->axis[k].extent > p->s->axis[axis].extent ? k : axis;
	if (axis >= p->s->naxes || x->op != EXPR_MUL)
		return false;
	do {
		if (!row_of(p, x->a, axis, &a) || !row_of(p, x->b, axis, &b))
			return false; /* at the first point or never */
		for (int64_t i = 0; i < p->s->axis[axis].extent; i++)
			add(s, oracle_binary(x, (OracleValue){row_at(&a, i), 0},
					     (OracleValue){row_at(&b, i), 0}));
	} while (next_point(p, axis));
	return true;
}

static void
reduce_sum(Point *p)
{
	const Stage *st = p->s;
	Sum s = {0};

	if (!sum_rows(p, &s))
		do
			add(&s, eval(p, st->body));
		while (next_point(p, TASK_NONE));
	s.err += oracle_unit(st->acc_type) * s.size * (1 + sqrt(s.n) / 4);
	p->acc = (OracleValue){oracle_wrap(st->acc_type, s.sum), s.err};
}

static void
reduce_product(Point *p)
{
	double u = oracle_unit(p->s->acc_type);
	OracleValue r = {1, 0};

	do {
		OracleValue x = eval(p, p->s->body);
		double v = oracle_wrap(p->s->acc_type, r.v * x.v);

		r.err = fabs(r.v) * x.err + fabs(x.v) * r.err + u * fabs(v);
		r.v = v;
	} while (next_point(p, TASK_NONE));
	p->acc = r;
}

static void
reduce_extreme(Point *p, double sign)
{
	OracleValue r = {-INFINITY, 0};

	do {
		OracleValue x = eval(p, p->s->body);

		if (sign * x.v > r.v)
			r.v = sign * x.v;
		r.err = fmax(r.err, x.err);
	} while (next_point(p, TASK_NONE));
	p->acc = (OracleValue){sign * r.v, r.err};
}

static void
reduce_position(Point *p, double sign, bool last)
{
	OracleValue best = {0};
	double where = -1, err = 0;

	do {
		OracleValue x = eval(p, p->s->body);
		bool better = last ? sign * x.v >= sign * best.v : sign * x.v > sign * best.v;

		if (where >= 0 && x.err + best.err > 0 && fabs(x.v - best.v) <= x.err + best.err)
			err = INFINITY;
		else if (better)
			err = 0;
		if (where < 0 || better) {
			best = x;
			where = (double)p->axis[p->s->nspatial];
		}
	} while (next_point(p, TASK_NONE));
	p->acc = (OracleValue){where, err};
}

static void
reduce(Point *p)
{
	for (int a = p->s->nspatial; a < p->s->naxes; a++)
		p->axis[a] = 0;
	switch (p->s->comb) {
	case COMB_SUM: reduce_sum(p); break;
	case COMB_PROD: reduce_product(p); break;
	case COMB_MAX: reduce_extreme(p, 1); break;
	case COMB_MIN: reduce_extreme(p, -1); break;
	case COMB_ARGMAX:
	case COMB_ARGMAX_LAST: reduce_position(p, 1, p->s->comb == COMB_ARGMAX_LAST); break;
	case COMB_ARGMIN:
	case COMB_ARGMIN_LAST: reduce_position(p, -1, p->s->comb == COMB_ARGMIN_LAST); break;
	default: break;
	}
}

/* Finds the axes of dimension d from the largest coefficient down; the rest must come out 0. */
static bool
solve_dimension(Point *p, const Index *ix, int64_t v)
{
	unsigned done = 0;

	v -= ix->k;
	for (int a = 0; a < p->s->nspatial; a++)
		if (ix->coef[a] < 0) /* count the axis from its other end */
			v += -(int64_t)ix->coef[a] * (p->s->axis[a].extent - 1);
	for (;;) {
		int64_t c, n;
		int best = -1;

		for (int a = 0; a < p->s->nspatial; a++)
			if (ix->coef[a] && !(done >> a & 1) &&
			    (best < 0 || abs(ix->coef[a]) > abs(ix->coef[best])))
				best = a;
		if (best < 0)
			return v == 0;
		c = llabs(ix->coef[best]);
		n = v < 0 ? -1 : v / c;
		if (n >= p->s->axis[best].extent)
			n = p->s->axis[best].extent - 1;
		if (n < 0)
			return false;
		v -= n * c;
		p->axis[best] = ix->coef[best] > 0 ? n : p->s->axis[best].extent - 1 - n;
		done |= 1u << best;
	}
}

static bool
find_point(Point *p, int rank, const int64_t *ix)
{
	for (int a = 0; a < p->s->nspatial; a++)
		p->axis[a] = 0;
	for (int d = 0; d < rank; d++)
		if (!solve_dimension(p, &p->s->out_ix[d], ix[d]))
			return false;
	return true;
}

/* A tensor of a narrow integer type keeps the low bits of what is stored. */
static double
stored(DType t, double v)
{
	int64_t bits = INT64_C(1) << (8 * dtype_size(t) & 63), low;

	if (dtype_is_float(t) || value_type(t) == t)
		return v;
	low = (int64_t)v & (bits - 1);
	return (double)(dtype_is_signed(t) && low >= bits / 2 ? low - bits : low);
}

static OracleValue
compute(Oracle *o, int tensor, const int64_t *ix)
{
	const TaskTensor *x = &o->t->tensor.v[tensor];
	OracleValue r = {NAN, 0};

	for (int i = o->t->stage.n - 1; i >= 0; i--) {
		Point p = {.o = o, .s = &o->t->stage.v[i]};

		if (p.s->out != tensor || !find_point(&p, x->rank, ix))
			continue;
		if (p.s->comb != COMB_NONE)
			reduce(&p);
		r = eval(&p, p.s->value);
		r.v = stored(x->type, r.v);
		r.err += fabs(r.v) * oracle_unit(x->type) +
			 (dtype_is_float(x->type) ? ORACLE_TINY : 0);
		break;
	}
	return r;
}

OracleValue
oracle_at(Oracle *o, int tensor, const int64_t *ix)
{
	const TaskTensor *x = &o->t->tensor.v[tensor];
	Memo *m = &o->memo[tensor];
	int64_t flat = 0;

	if (x->kind == TENSOR_OUT)
		return compute(o, tensor, ix);
	for (int d = 0; d < x->rank; d++)
		flat = flat * x->dim[d] + ix[d];
	if (!m->v) {
		m->v = must_alloc((size_t)tensor_count(x), sizeof *m->v);
		m->known = must_alloc((size_t)tensor_count(x), sizeof *m->known);
	}
	if (!m->known[flat]) {
		m->v[flat] = compute(o, tensor, ix);
		m->known[flat] = true;
	}
	return m->v[flat];
}
