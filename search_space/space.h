/* Space: every Sched the rules offer for one Task under one Form on one Target, ranked by the
 * analytic model.
 *
 * A Space is a list of variants; a variant is an algorithm (rewrite), the stages it computes inline
 * and its shared loops. Each remaining stage of a variant has a list of options: register tile,
 * loop order, unroll... A Pick is a variant and one option per stage; its cost is the sum of the
 * options' costs and the variant's own. Rules prune before they score, so a stage has at most
 * SPACE_OPTIONS_MAX options.
 *
 * Everything lives in the arena given to space_build. Read-only afterwards; any thread.
 */
#ifndef SEARCH_SPACE_SPACE_H
#define SEARCH_SPACE_SPACE_H

#include "base/rng.h"
#include "search_space/rewrite.h"
#include "search_space/sched.h"
#include "search_space/target.h"

enum { SPACE_OPTIONS_MAX = 4096, SPACE_KNOBS_MAX = 12 };

typedef struct Option {
	StageSched sched;
	double ns;                     /* what the model expects of this stage */
	int16_t knob[SPACE_KNOBS_MAX]; /* value number of each knob; equal lists, equal options */
} Option;

typedef struct StageOptions {
	VEC(Option) option; /* cheapest first; one inert option for constant and inline stages */
} StageOptions;

typedef struct Variant {
	const char *rewrite;
	const char *name; /* "direct", "winograd4+fuse"...: for tables and reports */
	Task *task;       /* rewritten */
	TaskForm form;
	double slack; /* of the rewrite */
	Sched base;   /* shared loops and inline flags; the stages' lists are the options' */
	StageOptions *stage;
	double ns; /* beyond the stages: launch, passes through temporaries */
} Variant;

typedef struct Space {
	Arena *arena;
	const Target *target; /* NULL in a Space made by hand */
	VEC(Variant) variant;
	double floor_flops, floor_pass_ns; /* least arithmetic of an algorithm; inputs and outputs:
					      per thread */
	double floor_ns; /* roofline: what the best algorithm takes at the Target's rates */
} Space;

typedef struct Pick {
	int variant;
	int option[TASK_STAGES_MAX]; /* per stage of the variant's Task */
} Pick;

/* t and f as the Plan has them. Offers no algorithm that the tolerance class forbids, and always at
 * least the scalar schedule. Errors: ERR_UNSUPPORTED
 * when t has more than TASK_STAGES_MAX stages, ERR_INTERNAL when a rewrite gives a malformed Task.
 */
int space_build(Arena *a, const Task *t, const TaskForm *f, const Target *target,
		ToleranceClass tolerance, Space *out, Err *e);

/* The roofline at a measured multiply-add peak, GFLOPS. */
static inline double
space_floor_at(const Space *s, double gflops)
{
	double ns = s->floor_flops / gflops;

	return ns > s->floor_pass_ns ? ns : s->floor_pass_ns;
}

double space_rows(const Space *s);                   /* number of picks; may be astronomic */
double space_cost(const Space *s, const Pick *p);    /* ns */
bool space_is_scalar(const Space *s, const Pick *p); /* the plainest schedule there is */
bool pick_equal(const Space *s, const Pick *a, const Pick *b);
int options_apart(const Option *a, const Option *b); /* knobs in which they differ */

/* The n cheapest picks in ascending order, with the cheapest of every variant among them; stages
 * that take little of a variant's time stay at their cheapest option. Returns how many there are.
 */
int space_top(const Space *s, int n, Pick *out);

/* All picks that differ from p in one knob of one stage, most promising first, at most max: cheap
 * ones, and those of stages that take long. */
int space_neighbours(const Space *s, const Pick *p, int max, Pick *out);

/* Picks of a variant for the values of knobs, tiles left out, that its cheapest pick does not have:
 * the cheapest pick with each, as one stage that takes long is varied and the others stay. Values
 * that most options have come first. At most max, of at most `most` ns. */
int space_varied(const Space *s, int variant, double most, int max, Pick *out);

Pick space_random(const Space *s, Rng *r);

Sched space_sched(const Space *s, Arena *a, const Pick *p);
const char *space_text(const Space *s, Arena *a, const Pick *p); /* sched_print of it */

/* The pick whose text that is; NOT_APPLICABLE when the Space offers none. */
int space_find(const Space *s, const char *text, Pick *out);

#endif
