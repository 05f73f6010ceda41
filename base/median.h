/* Numbers in order. */
#ifndef BASE_MEDIAN_H
#define BASE_MEDIAN_H

int by_double(const void *a, const void *b); /* for qsort: ascending */

/* Sorts v. Of an even number it is between the middle two; 0 for n = 0. */
double median_sorting(double *v, int n);

#endif
