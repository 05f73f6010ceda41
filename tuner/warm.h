/* Warm: what was measured elsewhere as first proposals of a search: the same Task on another
 * device, in another Form, on another Target; Tasks of the same kind at other extents. Nothing of
 * it counts as measured: the proposals are trials like any other. */
#ifndef TUNER_WARM_H
#define TUNER_WARM_H

#include "search_space/space_near.h"
#include "tuner/search.h"

/* Proposals of a search; rows of a source; rows that teach more than which were fastest; sources of
 * one kind. */
enum { WARM_MOST = 10, WARM_ROWS = 256, WARM_TEACHES = 16, WARM_EACH = 3 };

/* Where something was measured, nearest first: name, what a proposal's stage says. */
#define WARM_LIST(X)              \
	X(DEVICE, "other device") \
	X(FORM, "other form")     \
	X(TARGET, "other target") \
	X(SHAPE, "near shape")

typedef enum WarmFrom {
#define X(name, text) WARM_##name,
	WARM_LIST(X)
#undef X
		WARM_COUNT
} WarmFrom;

const char *warm_stage(WarmFrom from);

typedef struct WarmRow {
	const char *sched;
	double ns;
} WarmRow;

/* Rows of one Task, Form, device and Target. */
typedef struct WarmSource {
	WarmFrom from;
	double apart; /* among those: SHAPE by kind_apart, others by their keys */
	NearFrom target;
	const Space *space; /* of the same Task, that offers the rows; NULL: not known */
	const WarmRow *row; /* fastest first */
	int n;
	int number; /* for whoever adds sources to tell them by */
} WarmSource;

typedef struct Warm {
	VEC(WarmSource) source;
} Warm;

/* Adds a source; the nearest WARM_EACH of its kind stay. Its rows and Space outlive w. */
void warm_add(Warm *w, Arena *a, const WarmSource *s);

/* At most max picks of the Space, most promising first, none twice. */
int warm_proposals(const Warm *w, const Space *s, int max, Proposal *out);

/* What Tasks with the same loops and the same reduction have in common, whatever their extents,
 * steps and what is done to the result, as text; extents of its axes. */
typedef struct Kind {
	const char *text;
	VEC(double) extent;
} Kind;

Kind kind_of(const char *task_text, Arena *a);

/* Sum of |log2| of the ratios of extents; INFINITY: not of one kind. */
double kind_apart(const Kind *a, const Kind *b);

#endif
