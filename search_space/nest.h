/* What the files of the cost model share. Private to search_space. */
#ifndef SEARCH_SPACE_NEST_H
#define SEARCH_SPACE_NEST_H

#include "search_space/stage_info.h"
#include "search_space/target.h"

/* A stage under a StageSched, and its register tile. */
typedef struct Nest {
	const StageInfo *s;
	const StageSched *q;
	const Target *t;
	int lanes;
	int terms;           /* of the reduction axis q->dot, in the vector for each lane */
	double width;        /* registers that one vector takes */
	bool across;         /* lanes run along a reduction axis and are folded at the end */
	bool folded;         /* the tile holds all axes of literals, which fold away */
	double accumulators; /* vectors */
	double steps;        /* reduction steps in the innermost body */
	double bodies;       /* times that runs for one tile */
	double tiles;        /* of the size below */
	double all_tiles;    /* remainders included */
	double gain;         /* of the threads that share it; 1: one does all */
	int dealt;           /* axis of the loop they share, or TASK_NONE */
	int loop;            /* axis of the loop around the tile, or TASK_NONE */
	int64_t size[STAGE_AXES_MAX];  /* elements of the tile along each axis */
	int64_t units[STAGE_AXES_MAX]; /* the same, lanes counted as one */
	int64_t reach[STAGE_AXES_MAX]; /* from the first unit to the last, in elements */
} Nest;

static inline bool
nest_reduces(const Nest *n)
{
	return n->s->stage->comb != COMB_NONE;
}

/* Elements of x that one body touches, vectors counted as one. */
double nest_elements(const Nest *n, const Access *x);

double nest_registers(const Nest *n); /* vectors of the schedule's lanes */

/* Scalars that one body reads from lines which the tile's other lines have pushed out of the first
 * cache. */
double nest_collisions(const Nest *n);

#endif
