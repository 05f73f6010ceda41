/* Scales and ticks. Nothing a log can hold gives a place that is not a number. */
#include "report/scale.h"

#include <math.h>

static const double LEAST = 1e-12, MOST = 1e15;

static double
within(double v, double lo, double hi)
{
	return v >= lo ? (v <= hi ? v : hi) : lo; /* not a number: lo */
}

Scale
scale_init(bool log, double lo, double hi, double from, double to)
{
	lo = within(lo, log ? LEAST : -MOST, MOST);
	hi = within(hi, log ? LEAST : -MOST, MOST);
	if (!(hi > lo)) {
		double at = lo > hi ? lo : hi;

		lo = log ? at / 2 : at - (at != 0 ? fabs(at) / 2 : 0.5);
		hi = log ? at * 2 : at + (at != 0 ? fabs(at) / 2 : 0.5);
	}
	return (Scale){log, lo, hi, from, to};
}

double
scale_at(const Scale *s, double v)
{
	double share;

	v = within(v, s->lo, s->hi);
	share = s->log ? log(v / s->lo) / log(s->hi / s->lo) : (v - s->lo) / (s->hi - s->lo);
	return s->from + within(share, 0, 1) * (s->to - s->from);
}

void
extent_add(Extent *x, double v)
{
	if (!(v > 0) || !isfinite(v))
		return;
	x->lo = x->lo > 0 ? fmin(x->lo, v) : v;
	x->hi = fmax(x->hi, v);
}

static int
linear_ticks(const Scale *s, int about, double tick[TICKS_MAX])
{
	double rough = (s->hi - s->lo) / about, unit = pow(10, floor(log10(rough))), step;
	double first;
	int n = 0;

	step = rough / unit > 5   ? 10 * unit
	       : rough / unit > 2 ? 5 * unit
	       : rough / unit > 1 ? 2 * unit
				  : unit;
	first = ceil(s->lo / step - 1e-9);
	for (; n < TICKS_MAX && (first + n) * step <= s->hi + 1e-9 * step; n++)
		tick[n] = (first + n) * step;
	return n;
}

static int
log_ticks(const Scale *s, int about, double tick[TICKS_MAX])
{
	static const int few[] = {1, 2, 5};
	double decades = log10(s->hi / s->lo);
	int each = decades * 3 <= about + 2 ? 3 : 1, n = 0;
	int apart = each == 3 ? 1 : (int)fmax(1, ceil(decades / about));

	for (int d = (int)floor(log10(s->lo)); pow(10, d) <= s->hi && n < TICKS_MAX; d++)
		for (int i = 0; i < each && d % apart == 0 && n < TICKS_MAX; i++) {
			double v = few[i] * pow(10, d);

			if (v >= s->lo * (1 - 1e-9) && v <= s->hi * (1 + 1e-9))
				tick[n++] = v;
		}
	return n;
}

int
scale_ticks(const Scale *s, int about, double tick[TICKS_MAX])
{
	return s->log ? log_ticks(s, about, tick) : linear_ticks(s, about, tick);
}
