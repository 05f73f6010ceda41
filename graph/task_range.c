/* Which integers an expression can give: whether a stage's value may skip the tensor it is stored
 * in, whose narrower type would cut it.
 */
#include <math.h>

#include "graph/task.h"

typedef struct Range {
	double lo, hi;
} Range;

static Range
type_range(DType t)
{
	double bits = (double)dtype_size(t) * 8;

	if (dtype_is_float(t))
		return (Range){-INFINITY, INFINITY};
	if (t == DT_BOOL)
		return (Range){0, 1};
	return dtype_is_signed(t) ? (Range){-ldexp(1, (int)bits - 1), ldexp(1, (int)bits - 1) - 1}
				  : (Range){0, ldexp(1, (int)bits) - 1};
}

static bool
within(Range inner, Range outer)
{
	return inner.lo >= outer.lo && inner.hi <= outer.hi;
}

/* Conservative: what is not followed may take any value of its type. */
static Range
range_of(const Task *t, int e)
{
	const Expr *x = &t->expr.v[e];
	Range a, b, all = type_range(x->type);

	switch (x->op) {
	case EXPR_LIT: return (Range){x->lit, x->lit};
	case EXPR_LOAD:
		a = type_range(t->tensor.v[x->tensor].type);
		if (!x->has_else)
			return a;
		return (Range){fmin(a.lo, x->otherwise), fmax(a.hi, x->otherwise)};
	case EXPR_CAST: a = range_of(t, x->a); return within(a, all) ? a : all;
	case EXPR_SELECT:
		a = range_of(t, x->b);
		b = range_of(t, x->c);
		return (Range){fmin(a.lo, b.lo), fmax(a.hi, b.hi)};
	case EXPR_MAX:
		a = range_of(t, x->a);
		b = range_of(t, x->b);
		return (Range){fmax(a.lo, b.lo), fmax(a.hi, b.hi)};
	case EXPR_MIN:
		a = range_of(t, x->a);
		b = range_of(t, x->b);
		return (Range){fmin(a.lo, b.lo), fmin(a.hi, b.hi)};
	default: return all;
	}
}

bool
expr_fits(const Task *t, int expr, DType storage)
{
	return dtype_is_float(storage) || value_type(storage) == storage ||
	       within(range_of(t, expr), type_range(storage));
}
