/* Comparing tensors: what `verify` calls right. */
#ifndef DEPLOY_COMPARE_H
#define DEPLOY_COMPARE_H

#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

/* An element is right when |got - want| <= atol * max |want| + rtol * |want|, the maximum over the
 * finite elements of the tensor. NaN is right where NaN is wanted, an infinity where the same one
 * is. */
typedef struct Tolerance {
	double rtol, atol;
} Tolerance;

typedef struct Comparison {
	double largest; /* max |want| */
	double error;   /* largest |got - want|; infinite where only one is finite */
	double worst;   /* largest share of what is allowed; at most 1 when all is right */
	size_t wrong;   /* elements */
	size_t at;      /* the worst element */
	double got, want;
} Comparison;

Comparison compare_tensors(DType type, const void *got, const void *want, size_t n, Tolerance t);

#endif
