/* Plan: a Graph cut into steps over buffers, and the Form of every buffer.
 *
 * A step is a Task (several graph nodes fused) or an extern node computed by its reference kernel.
 * Steps stand in execution order. Equal Tasks under equal Forms are one PlanTask, so a network with
 * sixteen equal blocks tunes one. Which Sched a PlanTask gets is decided elsewhere (tuner, log).
 */
#ifndef GRAPH_PLAN_H
#define GRAPH_PLAN_H

#include "graph/form.h"
#include "graph/graph.h"
#include "graph/task.h"

typedef struct PlanTask {
	Task *task;
	TaskForm form;
	Digest task_key, form_key;
	int uses;
} PlanTask;

typedef enum BufferKind { BUFFER_INPUT, BUFFER_OUTPUT, BUFFER_TEMPORARY } BufferKind;

/* Memory that holds one value of the graph in one Form. */
typedef struct Buffer {
	BufferKind kind;
	int value;
	Form form;
	int view_of; /* buffer whose memory this is, or -1 */
	size_t bytes;
} Buffer;

typedef enum StepKind { STEP_TASK, STEP_EXTERN } StepKind;

typedef struct Step {
	StepKind kind;
	int task;      /* PlanTask, or -1 */
	VEC(int) node; /* graph nodes it computes; none for a copy between Forms */
	VEC(int)
	in;                /* buffers: the Task's in tensors in order; the node's inputs, -1 for
			    * constants and absent ones */
	VEC(int) out;      /* buffers: the Task's out tensors in order; the node's outputs, or -1 */
	VEC(int) constant; /* graph values: the Task's given const tensors in order */
} Step;

/* How the nodes are grouped: the part of a Plan that a search may vary. */
typedef struct Groups {
	int n;
	int *of;   /* per node: its group; groups are numbered in execution order */
	int *rows; /* per group: its Task is cut into strips of so many rows, and its temporaries
		    * have room for one strip; 0: it is whole. NULL: all are */
	int *room; /* per group that is whole: bytes for its temporaries; 0: any. NULL: all any */
} Groups;

typedef struct Plan {
	Arena *arena;
	const Graph *g;
	VEC(PlanTask) task;
	VEC(Buffer) buffer;
	VEC(Step) step;
	int *input, *output; /* buffers of the graph's inputs and outputs, in its order */
	Groups groups;       /* what steps and buffers were made from... */
	const Form *form;    /* ...and the Form of each graph value that has memory */
} Plan;

/* Groups by greedy fusion: elementwise regions join the operator before them where the Task does
 * not get more stages by it. */
Groups partition(const Graph *g, Arena *a);

/* partition_apart.c: another way to group them: groups of whole Tasks, where something behind the
 * first node reads a second value, are cut before it. */
Groups partition_apart(const Graph *g, Arena *a, const Groups *from);

/* Task of a set of nodes (in topological order), fused and simplified. value[t] is the graph value
 * of each of its tensors, NO_VALUE for temporaries and literals. NOT_APPLICABLE when a node has no
 * stages, when several together make no Task, or when the Task has more than TASK_STAGES_MAX. */
int group_task(const Graph *g, Arena *a, const int *node, int n, Task **out, int **value);

/* What Tasks cost, for whoever knows: then Forms are chosen by it. One thread at a time. */
typedef struct FormCost {
	void *self;
	double (*ns)(void *self, const Task *t, const TaskForm *f); /* not finite: unknown */
	int lanes;    /* f32 lanes of a vector: channels of a block, 2 to 64 */
	int channels; /* values of fewer are left as they are */
} FormCost;

/* What the temporaries of a Plan may take together with what the caller gives and gets. */
typedef struct PlanMemory {
	size_t bytes; /* 0: any */
	int threads;  /* that compute together, each with temporaries of its own; 0: 1 */
} PlanMemory;

/* Partition, Forms and steps. cost may be NULL. Errors: ERR_INTERNAL when a Task comes out
 * malformed. */
int plan_build(const Graph *g, Arena *a, const FormCost *cost, Plan **out, Err *e);
/* The same in little memory: while more than `memory` is needed at once, groups in a row become
 * one, cut into strips, where that helps. What cannot be kept is none of its errors. */
int plan_build_within(const Graph *g, Arena *a, const FormCost *cost, PlanMemory memory, Plan **out,
		      Err *e);
/* The same with given groups. Errors: as plan_build_with. */
int plan_build_groups(const Graph *g, Arena *a, const Groups *groups, const FormCost *cost,
		      Plan **out, Err *e);
/* The same with given groups and Forms per graph value. Errors: ERR_INPUT when a group makes no
 * Task or reads what a later one computes, or when a Form does not suit its value; what the caller
 * or a reference kernel touches is plain. */
int plan_build_with(const Graph *g, Arena *a, const Groups *groups, const Form *form, Plan **out,
		    Err *e);

/* plan_lives.c: from the first to the last step that touches a buffer's memory. */
typedef struct BufferLife {
	size_t bytes;    /* of a temporary with memory of its own, else 0 */
	int first, last; /* steps; first > last: no step touches it */
	int lies_in;     /* the buffer whose memory it has: itself, or an input of its step that
			  * ends there, whose life then goes on until its own end */
} BufferLife;

int plan_root(const Plan *p, int buffer);  /* the buffer that a view shows, itself otherwise */
bool buffer_is_temporary(const Buffer *x); /* and no view */
/* Per buffer, in a. keep: temporaries live on to the end. */
BufferLife *plan_lives(const Plan *p, Arena *a, bool keep);
/* Of the step's Task, in whole lines as temporaries are; 0: none, or not limited. */
size_t plan_room(const Plan *p, int step);
/* Temporaries that are live at a step, and the room of its Task for each thread. */
size_t plan_step_bytes(const Plan *p, const BufferLife *l, int step, int threads);
/* The largest of them, and the step; a for what is needed on the way. No plan of memory is smaller,
 * and scratch that the room does not limit comes on top. */
size_t plan_peak(const Plan *p, Arena *a, int threads, int *step);
size_t plan_given_bytes(const Plan *p); /* inputs and outputs of the graph */

/* share.c: joins groups until the plan fits into memory, or nothing helps any more. In a. */
int share_strips(const Graph *g, Arena *a, PlanMemory memory, Groups *groups, Err *e);

/* What a log calls plans of the graph in so much memory: its digest, and the bytes if they are
 * limited. */
const char *plan_key(const Graph *g, PlanMemory memory, Arena *a);

/* Text: groups and Forms; with the same graph it reads back to the same Plan. Grammar in
 * docs/text_forms.md. Parsing: ERR_INPUT with the line. */
void plan_print(const Plan *p, Str *out);
const char *plan_text(const Plan *p, Arena *a); /* the same, in a */
int plan_parse(const char *text, const Graph *g, Arena *a, Plan **out, Err *e);

/* forms.c: preferred Forms of all values, for given groups and their Tasks. cost may be NULL. */
typedef struct GroupTask {
	Task *task; /* NULL: extern */
	int *value; /* per tensor */
	int *node, nnode;
	size_t room; /* as in TaskForm */
} GroupTask;
Form *assign_forms(const Graph *g, Arena *a, const GroupTask *group, int n, const FormCost *cost);

#endif
