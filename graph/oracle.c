/* Double-precision interpreter with running error bounds.
 *
 * Values of temporaries and derived constants are computed when first asked for and kept. The axes
 * of the stage that writes an element are found by inverting its output index: positional
 * numbers per dimension, largest coefficient first.
 */
#include "graph/oracle.h"

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

static const double TINY = 1.2e-38; /* flushed denormals */

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

/* Relative rounding error of one operation, or of a store, in type t. */
static double
unit_of(DType t)
{
	return t == DT_F64    ? 0x1p-52
	       : t == DT_F32  ? 0x1p-23
	       : t == DT_F16  ? 0x1p-11
	       : t == DT_BF16 ? 0x1p-8
			      : 0;
}

/* The largest magnitude of a floating type. */
static double
largest_of(DType t)
{
	return t == DT_F64    ? 0x1.fffffffffffffp1023
	       : t == DT_F16  ? 0x1.ffcp15
	       : t == DT_BF16 ? 0x1.fep127
			      : 0x1.fffffep127;
}

/* A value beyond its type is infinite there though not in double: whatever follows from it is not
 * foretold. Infinities and NaNs that double has too stay as they are. */
static OracleValue
in_range(DType t, OracleValue r)
{
	bool beyond = dtype_is_float(t) && isfinite(r.v) && fabs(r.v) + r.err > largest_of(t);

	return beyond || isnan(r.err) ? (OracleValue){r.v, INFINITY} : r;
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

/* A step function of a: exact when a's interval stays on one step. */
static OracleValue
step(OracleValue a, double (*f)(double))
{
	double lo = f(a.v - a.err), hi = f(a.v + a.err);

	return (OracleValue){f(a.v), lo == hi ? 0 : hi - lo};
}

static double
as_float(double v)
{
	return (double)(float)v;
}

static double
rint_float(double v)
{
	return rint(as_float(v));
}

static OracleValue
cast(DType from, DType to, OracleValue a)
{
	double out = 0;

	if (to == DT_BOOL)
		return (OracleValue){a.v != 0, fabs(a.v) <= a.err && a.err > 0};
	if (dtype_is_float(to))
		return (OracleValue){a.v, a.err + fabs(a.v) * unit_of(to)};
	if (dtype_is_float(from)) {
		OracleValue r =
			step(from == DT_F32 ? (OracleValue){as_float(a.v), a.err} : a, trunc);
		int64_t buf = 0;

		dtype_put(to, &buf, 0, r.v);
		return (OracleValue){dtype_get(to, &buf, 0), r.err};
	}
	out = to == DT_I32              ? (double)(int32_t)(int64_t)a.v
	      : to == DT_U32            ? (double)(uint32_t)(int64_t)a.v
	      : to == DT_U64 && a.v < 0 ? a.v + 0x1p64
					: a.v;
	return (OracleValue){out, a.err};
}

static OracleValue
unary(const Point *p, const Expr *x, OracleValue a)
{
	double u = unit_of(x->type), v;

	switch (x->op) {
	case EXPR_NEG: return (OracleValue){-a.v, a.err};
	case EXPR_ABS: return (OracleValue){fabs(a.v), a.err};
	case EXPR_SQRT:
		v = sqrt(a.v);
		return (OracleValue){v, a.v != a.v || a.v < 0
						? 0
						: sqrt(a.v + a.err) - sqrt(fmax(a.v - a.err, 0)) +
							  u * v};
	case EXPR_EXP: v = exp(a.v); return (OracleValue){v, v * (expm1(fmin(a.err, 700)) + 4 * u)};
	case EXPR_LOG:
		v = log(a.v);
		return (OracleValue){v, a.err / fmax(a.v - a.err, TINY) + 4 * u * (fabs(v) + 1)};
	case EXPR_ERF: return (OracleValue){erf(a.v), 1.2 * a.err + 4 * u};
	case EXPR_TANH: return (OracleValue){tanh(a.v), a.err + 4 * u};
	case EXPR_FLOOR: return step(a, floor);
	case EXPR_CEIL: return step(a, ceil);
	case EXPR_RINT: return step(a, x->type == DT_F32 ? rint_float : rint);
	case EXPR_NOT: return (OracleValue){a.v == 0, a.err};
	default: return cast(p->o->t->expr.v[x->a].type, x->type, a);
	}
}

/* The result of integer arithmetic wraps in its type; doubles hold 53 bits exactly. */
static double
wrapped(DType t, double v)
{
	if (t == DT_I32)
		return (double)(int32_t)(uint32_t)(int64_t)v;
	if (t == DT_U32)
		return (double)(uint32_t)(int64_t)v;
	return v;
}

static OracleValue
divide(const Expr *x, OracleValue a, OracleValue b)
{
	double v = a.v / b.v;

	if (!dtype_is_float(x->type))
		return (OracleValue){b.v == 0 ? 0 : trunc(v), 0};
	if (a.err == 0 && b.err == 0)
		return (OracleValue){v, unit_of(x->type) * fabs(v)};
	if (fabs(b.v) <= b.err)
		return (OracleValue){v, INFINITY};
	return (OracleValue){v, (a.err + fabs(v) * b.err) / (fabs(b.v) - b.err) +
					unit_of(x->type) * fabs(v)};
}

static OracleValue
power(const Expr *x, OracleValue a, OracleValue b)
{
	double v = pow(a.v, b.v), l = a.v != 0 ? fabs(log(fabs(a.v))) : 0;
	double rel = (a.v != 0 ? fabs(b.v) * a.err / fabs(a.v) : a.err) + l * b.err;

	return (OracleValue){v, fabs(v) * (rel + 8 * unit_of(x->type) * (1 + fabs(b.v) * l))};
}

static OracleValue
compare(const Expr *x, OracleValue a, OracleValue b)
{
	bool r = x->op == EXPR_LT ? a.v < b.v : x->op == EXPR_LE ? a.v <= b.v : a.v == b.v;

	return (OracleValue){r, a.err + b.err > 0 && fabs(a.v - b.v) <= a.err + b.err};
}

static OracleValue
binary(const Expr *x, OracleValue a, OracleValue b)
{
	double u = unit_of(x->type), v;

	switch (x->op) {
	case EXPR_ADD:
	case EXPR_SUB:
		v = wrapped(x->type, x->op == EXPR_ADD ? a.v + b.v : a.v - b.v);
		return (OracleValue){v, a.err + b.err + u * fabs(v)};
	case EXPR_MUL:
		v = wrapped(x->type, a.v * b.v);
		return (OracleValue){v, fabs(a.v) * b.err + fabs(b.v) * a.err + u * fabs(v) +
						(u > 0 ? TINY : 0)};
	case EXPR_DIV: return divide(x, a, b);
	case EXPR_MAX: return (OracleValue){a.v > b.v ? a.v : b.v, fmax(a.err, b.err)};
	case EXPR_MIN: return (OracleValue){a.v < b.v ? a.v : b.v, fmax(a.err, b.err)};
	case EXPR_POW: return power(x, a, b);
	case EXPR_AND: return (OracleValue){a.v != 0 && b.v != 0, fmax(a.err, b.err)};
	case EXPR_OR: return (OracleValue){a.v != 0 || b.v != 0, fmax(a.err, b.err)};
	case EXPR_XOR: return (OracleValue){(a.v != 0) != (b.v != 0), fmax(a.err, b.err)};
	default: return compare(x, a, b);
	}
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
		return in_range(x->type, unary(p, x, a));
	b = eval(p, x->b);
	if (expr_operands(x->op) == 2)
		return in_range(x->type, binary(x, a, b));
	c = eval(p, x->c);
	if (a.err > 0)
		return (OracleValue){a.v != 0 ? b.v : c.v, fmax(b.err, c.err) + fabs(b.v - c.v)};
	return a.v != 0 ? b : c;
}

/* Steps the reduction axes like an odometer; false after the last point. */
static bool
next_point(Point *p)
{
	for (int a = p->s->naxes - 1; a >= p->s->nspatial; a--) {
		if (++p->axis[a] < p->s->axis[a].extent)
			return true;
		p->axis[a] = 0;
	}
	return false;
}

static void
reduce_sum(Point *p)
{
	const Stage *s = p->s;
	double sum = 0, size = 0, err = 0, n = 0;

	do {
		OracleValue x = eval(p, s->body);

		sum += x.v;
		size += fabs(x.v);
		err += x.err;
		n++;
	} while (next_point(p));
	err += unit_of(s->acc_type) * size * (1 + sqrt(n) / 4);
	p->acc = (OracleValue){wrapped(s->acc_type, sum), err};
}

static void
reduce_product(Point *p)
{
	double u = unit_of(p->s->acc_type);
	OracleValue r = {1, 0};

	do {
		OracleValue x = eval(p, p->s->body);
		double v = wrapped(p->s->acc_type, r.v * x.v);

		r.err = fabs(r.v) * x.err + fabs(x.v) * r.err + u * fabs(v);
		r.v = v;
	} while (next_point(p));
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
	} while (next_point(p));
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
	} while (next_point(p));
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
		r.err += fabs(r.v) * unit_of(x->type) + (dtype_is_float(x->type) ? TINY : 0);
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
