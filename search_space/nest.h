/* What the files of the cost model share. Private to search_space. */
#ifndef SEARCH_SPACE_NEST_H
#define SEARCH_SPACE_NEST_H

#include "search_space/stage_info.h"
#include "search_space/target.h"

enum { LINE_BYTES = 64 };

/* A stage under a StageSched, and its register tile. */
typedef struct Nest {
	const StageInfo *s;
	const StageSched *q;
	const Target *t;
	int lanes;
	int terms;           /* of the reduction axis q->dot, in the vector for each lane */
	bool bytes;          /* they are the bytes of a lane, which one instruction multiplies */
	double width;        /* registers that one vector takes */
	bool across;         /* lanes run along a reduction axis and are folded at the end */
	bool window;         /* nest_is_window */
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

Nest nest_of(const StageInfo *s, const StageSched *q, const Target *t); /* of one thread */

/* Bytes of the lines of x that a box of the given extents touches. */
double nest_footprint(const StageInfo *s, const Access *x, const int64_t *box);

static inline bool
nest_reduces(const Nest *n)
{
	return n->s->stage->comb != COMB_NONE;
}

/* Elements of x that one body touches, vectors counted as one. */
double nest_elements(const Nest *n, const Access *x);

/* Those of them that lie at least so many bytes from each other: lines, rows or pages walked side
 * by side. */
double nest_apart(const Nest *n, const Access *x, int64_t bytes);

double nest_registers(const Nest *n); /* vectors of the schedule's lanes */

/* Scalars that one body reads from lines which the tile's other lines have pushed out of the first
 * cache. */
double nest_collisions(const Nest *n);

/* Whether x moves along one dimension with both axes. */
bool nest_slides(const Access *x, int a, int b);

/* Whether every reduction axis is one of taps of a window weighted by constants, no literals, and
 * lanes along vec lie beside each other in what it slides over. */
bool nest_is_window(const StageInfo *s, int vec);

/* A window without a loop around its taps: one tile's instructions overlap with the next one's. */
static inline bool
nest_is_straight(const Nest *n)
{
	return n->window && n->bodies <= 1;
}

/* The part of a first cache's sets that a box of x lies in; 1 unless the nest is a window. */
double nest_sets_used(const Nest *n, const Access *x, const int64_t *box);

/* Time of a window's traffic: bytes from beyond the first cache, and those of them from beyond the
 * second. */
double nest_window_ns(const Nest *n, double near_bytes, double far_bytes);

#endif
