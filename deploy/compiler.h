/* What the stages of compile() hand to each other. Private to deploy/. */
#ifndef DEPLOY_COMPILER_H
#define DEPLOY_COMPILER_H

#include "codegen/model.h"
#include "deploy/compile.h"
#include "graph/memory.h"

typedef struct Compiler {
	const Graph *g;
	const CompileOptions *opt;
	Arena *a;
	Bundle *b; /* in the making */
	Target target;
	LogKey key; /* without task and form */
	Emit *emit; /* for the target */
	Plan *plan;
	Choice *choice;  /* per PlanTask */
	Code *code;      /* per PlanTask; empty: not emitted yet */
	Place *pool;     /* per step of a Task: its constants */
	Place *constant; /* per graph value: row-major in the weights, or REGION_NONE */
	Place *buffer;   /* per buffer of the Plan */
	Place *scratch;  /* per step */
	ModelCalls model;
} Compiler;

/* choose.c: the Plan; a Sched per PlanTask, lowered. */
int choose_plan(Compiler *c, Err *e);
int choose_scheds(Compiler *c, Err *e);

/* What the functions of a PlanTask's kernel are called after. */
const char *task_symbol(const Compiler *c, int task);

/* weights.c: the weights region, a pool per different use of a Task. */
int make_weights(Compiler *c, Err *e);

/* place.c: inputs and outputs in the mutable region, all else among the activations. */
void place_buffers(Compiler *c);
int check_memory(const Compiler *c, Err *e); /* ERR_UNSUPPORTED: more than there is */

/* describe.c: what manifest and report say. Last of all. */
void describe_bundle(Compiler *c);

/* A KCall for kernel_scratch: shapes and types of a node's operands, without data. */
KCall node_call(const Graph *g, const Node *n, Arena *a);

static inline bool
compile_dumps(const Compiler *c, CompileDump stage)
{
	return c->opt->dumped && c->opt->dump >> stage & 1;
}

#endif
