/* Scale: values of a range to places in a picture, linear or logarithmic, and where ticks go. */
#ifndef REPORT_SCALE_H
#define REPORT_SCALE_H

#include <stdbool.h>

enum { TICKS_MAX = 24 };

typedef struct Scale {
	bool log;
	double lo, hi;   /* lo < hi; of a logarithmic one both above 0 */
	double from, to; /* places of lo and hi; from > to is fine */
} Scale;

/* A range that is empty, upside down, or not of numbers becomes one that holds what is there. */
Scale scale_init(bool log, double lo, double hi, double from, double to);
double scale_at(const Scale *s, double v); /* between from and to: what is outside is at the edge */

/* Round numbers within the range, ascending, about `about` of them; returns how many. Of a
 * logarithmic scale: powers of ten, and where these are few 1, 2, 5. */
int scale_ticks(const Scale *s, int about, double tick[TICKS_MAX]);

/* What the values above 0 that were added lie between; begins as {0}. */
typedef struct Extent {
	double lo, hi;
} Extent;
void extent_add(Extent *x, double v); /* what is no such number is left out */

#endif
