/* Walk: visits an index space in row-major order, in runs along its last axis, and keeps the
 * offset of each operand. Broadcasting, transposition, slices, tiles and reductions are all steps
 * of such a walk (0 repeats, negative goes backwards). Freestanding.
 *
 *	walk_init(&w, rank, dim); set steps; optionally walk_merge(&w);
 *	walk_start(&w);
 *	while (walk_next(&w))
 *		... w.n elements at w.at[o], w.at[o] + w.run[o], ... of operand o
 */
#ifndef KERNELS_WALK_H
#define KERNELS_WALK_H

#include "kernels/element.h"

enum { WALK_AXES = 2 * KERNEL_RANK_MAX, WALK_OPERANDS = 4 };

typedef struct Walk {
	int axes; /* at least 1 */
	int n;    /* elements in the present run, at most K_RUN */
	int64_t left;
	int64_t dim[WALK_AXES], index[WALK_AXES];
	int64_t step[WALK_OPERANDS][WALK_AXES]; /* elements per axis */
	int64_t at[WALK_OPERANDS];              /* where the present run starts */
	int64_t run[WALK_OPERANDS];             /* step within the run */
} Walk;

/* A space without operands; all steps are 0. */
void walk_init(Walk *w, int axes, const int64_t *dim);

/* Operand o is t, broadcast to the space as NumPy does (extents 1 repeat). A t of higher rank than
 * the space is not allowed. */
void walk_broadcast(Walk *w, int o, const KTensor *t);

/* Operand o is contiguous in the space. */
void walk_contiguous(Walk *w, int o);

/* Joins neighbouring axes where every operand's steps allow, so that runs get long. */
void walk_merge(Walk *w);

/* Goes (back) to the start of the space with all offsets 0; the caller may then add to w->at. */
void walk_start(Walk *w);
bool walk_next(Walk *w); /* to the first or the next run; false at the end */

/* Copies operand 1 to operand 0 all over the space, from offsets at0 and at1. */
void walk_copy(Walk *w, const KTensor *to, int64_t at0, const KTensor *from, int64_t at1);

/* Next index of a small space, last axis fastest; false when it comes back to all zeros. */
static inline bool
k_next(int axes, const int64_t *dim, int64_t *index)
{
	for (int a = axes - 1; a >= 0; a--) {
		if (++index[a] < dim[a])
			return true;
		index[a] = 0;
	}
	return false;
}

#endif
