/* What the files of the lowering share. Private to codegen. */
#ifndef CODEGEN_LOWERING_H
#define CODEGEN_LOWERING_H

#include "codegen/build.h"
#include "codegen/lower.h"
#include "search_space/bytes.h"

enum { TILE_MAX = 512 };

/* k + lane * (number of the lane) + term * (number of the term in the lane) + sum of loop[d] *
 * (counter of level d) */
typedef struct Aff {
	int64_t k;
	int32_t lane, term;
	int32_t loop[LOOP_DEPTH_MAX];
} Aff;

/* Where a stage's axes stand while an expression is evaluated. */
typedef struct Env {
	Aff axis[STAGE_AXES_MAX];
	const Stage *stage;
	int lanes;
	int valid; /* lanes that count; the others may hold anything finite or not */
	int terms; /* each lane is so many lanes of the vector side by side, or so many bytes, which
		    * hold consecutive terms of a reduction; 0 and 1: it is one */
	int guard; /* BOOL node: memory may be read only where it holds; 0: everywhere */
} Env;

static inline bool
shares_lanes(const Env *env)
{
	return env->terms > 1;
}

/* Lanes of a vector, whatever each of them is. */
static inline int
env_width(const Env *env)
{
	return shares_lanes(env) ? env->lanes * env->terms : env->lanes;
}

/* Where a tensor of the Task is. */
typedef struct Place {
	int root;     /* number of its root; 0 is never a tensor's: constants and inline ones */
	int stage;    /* producing stage, or TASK_NONE */
	bool inlined; /* evaluated where used */
	bool own;     /* a temporary of each chunk: made and read inside one shared group */
	Layout layout;
	int follows[TASK_RANK_MAX]; /* shared loop + 1 whose axis alone indexes the dimension */
	int shared[TASK_RANK_MAX];  /* the same where only the part of one iteration is kept */
} Place;

/* A segment read by the body being lowered, and the open loop behind each of its loops. */
typedef struct Stream {
	int seg, nloop;
	int level[LOOP_DEPTH_MAX];
} Stream;

enum { STREAMS_MAX = 4 };

typedef struct Lower {
	Build b;
	Arena *a;
	const Task *t;
	const TaskForm *f;
	const Sched *s;
	Loop *loop;
	Place *place; /* by tensor */

	int nshared; /* shared loops of the group being lowered */
	int group_first, group_end;
	Aff shared_base[SCHED_FUSE_MAX];
	int64_t shared_span[SCHED_FUSE_MAX];
	int shared_depth; /* loads of temporaries are never placed above it */
	int const_depth;  /* loads of packed constants are never placed above it */

	const Stage *st;
	const StageSched *ss;
	int lanes, terms; /* as in Env, while a body is accumulated */
	bool bytes;       /* the terms are the bytes of a lane: of these products */
	ByteOperand byte[2];
	Aff axis[STAGE_AXES_MAX];     /* position of the nest */
	int64_t span[STAGE_AXES_MAX]; /* extent still to be covered inside it */
	bool reducing;
	int acc_first; /* accumulators of the tile being reduced */
	Stream stream[STREAMS_MAX];
	int nstream;
} Lower;

/* affine.c */
Aff aff_of(const Index *ix, const Env *env); /* without via */
/* Over the valid lanes of env and the open loops. */
void aff_range(const Build *b, const Aff *x, const Env *env, int64_t *lo, int64_t *hi);
Aff aff_sub(const Aff *x, const Aff *y, int depth);
bool aff_is_const(const Aff *x);
int aff_int(Build *b, const Aff *x, const Env *env); /* I32 node */
/* 1: always in [lo, hi), 0: never, 2: *cond is a BOOL node */
int aff_in_range(Build *b, const Aff *x, int64_t lo, int64_t hi, const Env *env, int *cond);

/* segment.c */
int segment_base(Lower *l, int seg); /* address node */
int segment_load(Lower *l, int tensor, const Aff *ix, double otherwise, const Env *env);
int segment_load_bytes(Lower *l, int tensor, const Aff *ix, double otherwise, const Env *env,
		       bool flip);
int segment_whole(Lower *l, int tensor); /* address of the plain tensor in the pool */
void segments_place(Lower *l);           /* strides and offsets, at the end */

/* access.c */
typedef struct Access {
	const Aff *ix;  /* one per dimension */
	const int *via; /* I32 node per dimension, 0: none; in range already */
	bool has_else;
	double otherwise;
} Access;
int access_load(Lower *l, int tensor, const Access *x, const Env *env);
/* Four terms a lane, as its bytes; 0 where the load surely misses its tensor. */
int access_load_bytes(Lower *l, int tensor, const Access *x, const Env *env, bool flip);
void access_store(Lower *l, int tensor, const Aff *ix, int value, const Env *env);
/* Fetches the line of what access_load would read; nothing where that depends on a condition. */
void access_touch(Lower *l, int tensor, const Access *x, const Env *env);

/* prefetch.c */
void prefetch_final(Lower *l, int expr, const Env *env); /* what expr loads at run time */

/* eval.c */
int eval(Lower *l, int expr, const Env *env, int acc);
int combine(Lower *l, Combiner c, int x, int y);
int fold(Lower *l, Combiner c, int x, int lanes); /* adjacent lanes of x, until so many are left */
double neutral(Combiner c, DType type);
/* acc combined with the stage's body at env; acc 0: nothing accumulated yet */
int accumulate(Lower *l, const Stage *s, int acc, const Env *env);

/* bytes.c */
int32_t bytes_four(double byte, bool flip);              /* the byte four times */
bool bytes_begin(Lower *l);                              /* can the stage be such products? */
int bytes_accumulate(Lower *l, int acc, const Env *env); /* acc plus four terms of each lane */

/* prefetch.c */
void prefetch_note(Lower *l, const Stream *s); /* the body reads s */
/* Ends the step-th of the unrolled steps of a body: its share of the prefetches of what the noted
 * segments hold next. */
void prefetch_next_slabs(Lower *l, int step, int steps);

/* tile.c */
int tile_units(const Lower *l, int axis); /* register-tile elements along it */
int tile_count(const Lower *l, int first, int last);
void tile_place(const Lower *l, Env *env, int first, int last, int i);
void tile_leaf(Lower *l);
void tile_reduce_leaf(Lower *l);
void tile_begin_reduction(Lower *l);
void tile_end_reduction(Lower *l);

/* nest.c */
void nest_stage(Lower *l, int stage);

/* border.c */
void border_fill(Lower *l, int tensor);

/* share.c: marks the loops that chunks share and sets l->threads: the Target's, or 1 where a fork
 * and join takes longer than it saves. */
void share_out(Loop *l, const Target *t);

#endif
