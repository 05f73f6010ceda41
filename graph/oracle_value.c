/* One operation on a value and its error bound: first-order analysis, and what single precision
 * cannot hold is not foretold. */
#include "graph/oracle_value.h"

#include <math.h>

double
oracle_unit(DType t)
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
		return (OracleValue){a.v, a.err + fabs(a.v) * oracle_unit(to)};
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
unary(const Expr *x, DType from, OracleValue a)
{
	double u = oracle_unit(x->type), v;

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
		return (OracleValue){v, a.err / fmax(a.v - a.err, ORACLE_TINY) +
						4 * u * (fabs(v) + 1)};
	case EXPR_ERF: return (OracleValue){erf(a.v), 1.2 * a.err + 4 * u};
	case EXPR_TANH: return (OracleValue){tanh(a.v), a.err + 4 * u};
	case EXPR_FLOOR: return step(a, floor);
	case EXPR_CEIL: return step(a, ceil);
	case EXPR_RINT: return step(a, x->type == DT_F32 ? rint_float : rint);
	case EXPR_NOT: return (OracleValue){a.v == 0, a.err};
	default: return cast(from, x->type, a);
	}
}

/* The result of integer arithmetic wraps in its type; doubles hold 53 bits exactly. */
double
oracle_wrap(DType t, double v)
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
		return (OracleValue){v, oracle_unit(x->type) * fabs(v)};
	if (fabs(b.v) <= b.err)
		return (OracleValue){v, INFINITY};
	return (OracleValue){v, (a.err + fabs(v) * b.err) / (fabs(b.v) - b.err) +
					oracle_unit(x->type) * fabs(v)};
}

static OracleValue
power(const Expr *x, OracleValue a, OracleValue b)
{
	double v = pow(a.v, b.v), l = a.v != 0 ? fabs(log(fabs(a.v))) : 0;
	double rel = (a.v != 0 ? fabs(b.v) * a.err / fabs(a.v) : a.err) + l * b.err;

	return (OracleValue){v, fabs(v) * (rel + 8 * oracle_unit(x->type) * (1 + fabs(b.v) * l))};
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
	double u = oracle_unit(x->type), v;

	switch (x->op) {
	case EXPR_ADD:
	case EXPR_SUB:
		v = oracle_wrap(x->type, x->op == EXPR_ADD ? a.v + b.v : a.v - b.v);
		return (OracleValue){v, a.err + b.err + u * fabs(v)};
	case EXPR_MUL:
		v = oracle_wrap(x->type, a.v * b.v);
		return (OracleValue){v, fabs(a.v) * b.err + fabs(b.v) * a.err + u * fabs(v) +
						(u > 0 ? ORACLE_TINY : 0)};
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

OracleValue
oracle_unary(const Expr *x, DType from, OracleValue a)
{
	return in_range(x->type, unary(x, from, a));
}

OracleValue
oracle_binary(const Expr *x, OracleValue a, OracleValue b)
{
	return in_range(x->type, binary(x, a, b));
}
