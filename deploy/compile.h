/* Compile: Graph -> Bundle. Measures nothing, needs no network; the same graph, log, Target and
 * versions give the same bytes. */
#ifndef DEPLOY_COMPILE_H
#define DEPLOY_COMPILE_H

#include "codegen/lowered.h"
#include "db/log.h"
#include "deploy/bundle.h"
#include "graph/plan.h"

/* Stages that can be shown, in the order of the flow. */
#define COMPILE_DUMP_LIST(X)                                         \
	X(graph, "the graph after import")                           \
	X(plan, "groups and Forms")                                  \
	X(tasks, "each Task with its Forms")                         \
	X(sched, "the Sched of each Task")                           \
	X(loop, "each Task lowered")                                 \
	X(code, "each Task as assembly")                             \
	X(memory, "what lies where among the activations, and when") \
	X(model, "the calls of the model function")

typedef enum CompileDump {
#define X(name, text) COMPILE_DUMP_##name,
	COMPILE_DUMP_LIST(X)
#undef X
} CompileDump;

/* A Sched for the Task and Forms of these digests. */
typedef struct CompileSched {
	Digest task, form;
	const char *text;
} CompileSched;

/* What an earlier compile() decided, to be made again. */
typedef struct CompileFixed {
	const char *plan; /* text */
	const CompileSched *sched;
	int n;
} CompileFixed;

typedef struct CompileOptions {
	const char *name;          /* of the bundle, any text; NULL: the graph's */
	const Target *target;      /* NULL: this machine */
	Log *log;                  /* NULL: the analytic model chooses every Sched */
	LogKey key;                /* preferred device, mode...; fields may be NULL: any */
	ToleranceClass tolerance;  /* which algorithms may be chosen */
	int threads;               /* that compute together; 0: 1 */
	size_t memory;             /* for inputs, outputs and activations; 0: any */
	const CompileFixed *fixed; /* NULL: log and model decide; else they are not asked */
	bool scalar;   /* the plain scalar Sched everywhere: for tests of everything else */
	bool keep;     /* keep the value of every step: Bundle.layer */
	unsigned dump; /* bit per CompileDump */
	Str *dumped;   /* where they go */
} CompileOptions;

/* What stands behind one PlanTask: the Sched chosen, lowered, and why this one. */
typedef struct Choice {
	Lowered low;
	const char *grade;  /* "exact", "target", "family" of the log, "estimate", or "fixed" */
	const char *note;   /* what else the report should say; or "" */
	double expected_ns; /* measured, or what the analytic model expects */
} Choice;

/* opt may be NULL. Everything in *out lives in a, constants included; g may go away. Errors:
 * ERR_UNSUPPORTED when the Target cannot be emitted for or the memory is too little, ERR_IO and
 * ERR_INTERNAL from the linker, ERR_INTERNAL. */
int compile(const Graph *g, Arena *a, const CompileOptions *opt, Bundle *out, Err *e);

/* What compile() decided: the Plan, and a Choice for each of its Tasks. */
typedef struct Chosen {
	const Plan *plan;
	const Choice *choice;
} Chosen;

/* compile() that also shows what it decided, in a; the Plan needs g. Errors: those of compile();
 * ERR_INPUT when what opt->fixed says does not suit g or lacks a Task. */
int compile_chosen(const Graph *g, Arena *a, const CompileOptions *opt, Bundle *out, Chosen *chosen,
		   Err *e);

/* A line per kernel with its share of the expected time, then sizes and the planner's efficiency.
 */
void compile_report(const Bundle *b, Str *out);
void compile_report_json(const Bundle *b, Str *out); /* the same for scripts */

#endif
