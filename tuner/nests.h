/* Parts of a stored tensor as strided regions of its buffer. */
#ifndef TUNER_NESTS_H
#define TUNER_NESTS_H

#include "base/fill.h"
#include "graph/form.h"

enum { REGION_MAX = 3 * 2 * TASK_RANK_MAX };

typedef struct Region {
	int n;
	bool whole; /* false: something did not fit and is missing */
	Nest nest[REGION_MAX];
} Region;

Region region_elements(const Form *f, const TaskTensor *x); /* the tensor itself */
Region region_border(const Form *f, const TaskTensor *x);   /* own slack */
Region region_foreign(const Form *f, const TaskTensor *x);  /* slack of others */
Region region_lanes(const Form *f, const TaskTensor *x);    /* pad lanes of the last block */

#endif
