/* Sched: how a Task is computed. The loop nest itself, as text that the tuning log keeps.
 *
 * Text (docs/text_forms.md): the rewrite ("direct", "winograd4"...), an optional line of shared
 * loops, then one line per stage that is not over constants only:
 *
 *   winograd4
 *   fuse ty:7
 *   inline
 *   nest vec=c c:16 ty:1 tx:1
 *   nest vec=k a:1 b:1 k:32 ty:1 tx:7 | c:2
 *   inline
 *   nest vec=k k:16 ty:1 tx:1
 *
 * A nest is the list of axis:step, outermost first. An axis may occur several times; its last step
 * is its extent in the register tile; an axis not listed is unrolled whole; reduction axes stand
 * after the bar. Flags: vec=AXIS (lanes run along it), vl=N (lanes, default the Target's),
 * dot=AXIS (with fewer lanes than the Target's, each of them is several lanes of its vector, which
 * hold consecutive terms of that reduction axis and are added at its end; with all of them, the
 * four bytes of each are terms of a product of bytes), par=N (partial accumulators), pf (prefetch,
 * see codegen/prefetch.c), peel (split loops where loads leave the tensor). inline: computed where
 * used.
 */
#ifndef SEARCH_SPACE_SCHED_H
#define SEARCH_SPACE_SCHED_H

#include "graph/form.h"
#include "graph/task.h"

enum { SCHED_SPLITS_MAX = 24, SCHED_FUSE_MAX = 4, SCHED_REWRITE_MAX = 24 };

/* Vectors of constants that an unrolled tile keeps in registers from one tile to the next; when
 * there are more, the lowering loads them anew. The cost model counts on it. */
enum { SCHED_CONSTANTS_HELD = 12 };

typedef struct Split {
	int axis; /* of the stage */
	int64_t step;
} Split;

typedef struct StageSched {
	bool inlined, prefetch, peel;
	int vec;   /* axis, or TASK_NONE: one lane */
	int lanes; /* 0: the Target's f32 lanes; 1 without vec */
	int dot;   /* reduction axis whose terms share the vector with the lanes (target_terms), or
		    * TASK_NONE */
	int par;   /* at least 1 */
	int n;
	Split split[SCHED_SPLITS_MAX];
} StageSched;

typedef struct SharedLoop {
	char axis[TASK_NAME_MAX];
	int64_t step;
} SharedLoop;

typedef struct Sched {
	char rewrite[SCHED_REWRITE_MAX];
	int nfuse;
	SharedLoop fuse[SCHED_FUSE_MAX];
	int nstage;
	StageSched *stage; /* by stage number of the rewritten Task; unused for constant stages */
} Sched;

StageSched stage_sched_init(void); /* scalar, everything unrolled */
Sched sched_new(Arena *a, const Task *rewritten, const char *rewrite);
void stage_sched_add(StageSched *s, int axis, int64_t step);
bool stage_sched_equal(const StageSched *a, const StageSched *b); /* as they print */

/* The valid schedule of last resort: every stage scalar, every axis a loop of its own; where the
 * room for temporaries is limited, all loops shared that may be. Always lowers, unless what there
 * is no room for is left. */
Sched sched_scalar(Arena *a, const Task *rewritten, const TaskForm *f, const char *rewrite);

void stage_sched_print(const StageSched *q, const Stage *s, Str *out); /* its line */
void sched_print(const Sched *s, const Task *rewritten, Str *out);
/* Reads the first line only: which rewrite the rest refers to. */
int sched_parse_rewrite(const char *text, char rewrite[SCHED_REWRITE_MAX], Err *e);
int sched_parse(const char *text, const Task *rewritten, Arena *a, Sched *out, Err *e);
int sched_check(const Sched *s, const Task *rewritten, Err *e);

#endif
