/* What the cost model needs to know of a stage: its memory accesses and its arithmetic, inline
 * stages included. */
#ifndef SEARCH_SPACE_STAGE_INFO_H
#define SEARCH_SPACE_STAGE_INFO_H

#include "search_space/bytes.h"
#include "search_space/sched.h"

enum { ACCESS_MAX = 48, ACCESS_TERMS_MAX = 32, INNER_MAX = 8 };

/* coef * axis in the index along dim. */
typedef struct AccessTerm {
	int dim, axis;
	double coef; /* its size: the direction costs nothing */
} AccessTerm;

/* One load or the store. Axes are those of the stage that is scheduled, then those that inline
 * reductions run over. */
typedef struct Access {
	int tensor;
	bool is_const;    /* packed in the order it is read: lanes are always contiguous */
	bool is_literal;  /* folds away where its indices are constants */
	bool is_shared;   /* an earlier stage touches it: in shared loops, moments before */
	bool final;       /* read once per output, not once per reduction step */
	bool guarded;     /* some indices may lie outside the stored tensor */
	bool by_value;    /* an index comes from another tensor */
	int bytes;        /* of an element */
	double footprint; /* bytes of the whole tensor */
	int nterm;        /* by dimension */
	AccessTerm term[ACCESS_TERMS_MAX];
	int64_t stride[STAGE_AXES_MAX]; /* elements per step of the axis, in memory */
	bool varies[STAGE_AXES_MAX];
} Access;

/* A value of an inline stage: computed once per element that the tile needs. */
typedef struct Inner {
	Access at;
	double ops; /* per element, literals that are 0 left out */
} Inner;

typedef struct StageInfo {
	const Stage *stage;
	int n;
	Access access[ACCESS_MAX]; /* loads */
	Access store;
	int ninner;
	Inner inner[INNER_MAX];
	double body_ops, final_ops; /* vector operations; a multiply-add is one */
	double density; /* the part of the body's terms that literals leave when they fold */
	int naxes;      /* with those of inline reductions, which are always unrolled */
	int64_t extent[STAGE_AXES_MAX];
	bool factor[STAGE_AXES_MAX]; /* axes that index literals */
	double rounds;               /* how often shared loops run the stage; 1: there are none */
	bool narrow;                 /* computes in 64-bit types: half the lanes */
	bool bytes;                  /* sums products of bytes... */
	ByteOperand byte[2];         /* ...of these */
} StageInfo;

/* inlined: by stage number, which stages are evaluated where their output is read. share: extents
 * that shared loops leave of the axes, 0 where there is none; NULL: none. */
void stage_info(const Task *t, const TaskForm *f, int stage, const bool *inlined,
		const int64_t *share, StageInfo *out);

/* The longest reduction axis whose terms may share vectors with lanes along vec, so many terms to a
 * lane (Sched: dot=); TASK_NONE: none. */
int stage_shared_axis(const StageInfo *s, int vec, int terms);

/* Whether some constants come in slabs that several iterations use and the lowering would prefetch:
 * they vary with a loop around one they do not vary with, and the reduction has loops. */
bool stage_has_slabs(const StageInfo *s, const StageSched *q);

#endif
