/* Form: where the elements of a Task's tensors lie in memory.
 *
 * Per tensor: the storage order of its dimensions, at most one blocked dimension (its block is the
 * innermost storage axis: nChw16c), slack of lo and hi elements on each side of each dimension,
 * and the value that slack holds. Slack belongs to the tensor (a border: whoever produces the
 * tensor writes it on every run) unless its dimension is marked foreign (the tensor is a part of a
 * larger one, for example of a concatenation: never written, never read).
 *
 * The blocked dimension is stored rounded up to whole blocks; the pad lanes hold unspecified finite
 * or non-finite values that nobody may use. It has no border; foreign slack on it is a multiple of
 * the block, and behind the tensor only where the tensor fills its last block.
 *
 * Text: one line per tensor, "x acdb", "y aBcd16b border 0,0,1,1/0,0,1,1 = 0". Letters are
 * dimensions in storage order as in oneDNN's tags; a capital marks the blocked one. Before them
 * "room BYTES", where the room for temporaries is limited.
 */
#ifndef GRAPH_FORM_H
#define GRAPH_FORM_H

#include "graph/task.h"

typedef struct Form {
	int rank;
	int order[TASK_RANK_MAX]; /* dimensions, outermost first */
	int block_dim;            /* TASK_NONE: plain */
	int block;                /* elements; 1 when plain */
	int lo[TASK_RANK_MAX], hi[TASK_RANK_MAX];
	unsigned foreign; /* bit d: slack of dimension d belongs to others */
	double border;    /* value of own slack */
} Form;

/* Forms of all tensors of a Task, by tensor number, and the room there is for its temporaries: what
 * needs more does not lower. */
typedef struct TaskForm {
	int n;
	Form *v;
	size_t room; /* bytes, of each thread; 0: no limit */
} TaskForm;

/* Layout: a Form applied to extents. Strides in elements. The element at index (i0, i1...) lies at
 * base + sum over d of i_d * stride[d], but for the blocked dimension b, which contributes
 * (i_b / block) * stride[b] + i_b % block. */
typedef struct Layout {
	int rank, block_dim, block;
	int64_t base;
	int64_t stride[TASK_RANK_MAX];
	int64_t count; /* elements of the whole buffer, slack and pad lanes included */
} Layout;

Form form_plain(int rank);
Form form_innermost(int rank, int dim);          /* row-major, but dim innermost */
Form form_channels_last(int rank);               /* n c d1 d2 -> n d1 d2 c */
Form form_blocked(int rank, int dim, int block); /* nChw16c: dimension 1 blocked by 16 */
bool form_equal(const Form *a, const Form *b);
bool form_is_plain(const Form *f);   /* row-major without slack */
bool form_has_border(const Form *f); /* own slack anywhere */

/* row_align: elements; when > 0, a stride that is a multiple of 1 KiB gets that much more, which
 * keeps lines of a temporary off one cache set. 0 for tensors that others address too. */
Layout form_layout(const Form *f, const int64_t *dim, DType type, int row_align);
int64_t layout_at(const Layout *l, const int64_t *ix); /* element number */

/* What a Form must satisfy for extents dim; names the first violation. */
int form_check(const Form *f, int rank, const int64_t *dim, Err *e);

/* Every tensor plain. */
TaskForm task_form_plain(Arena *a, const Task *t);
int task_form_check(const Task *t, const TaskForm *f, Err *e);

/* Whether out may take the memory of in, when nobody needs in afterwards: both lie alike, belong to
 * nobody else's memory, and each element of in is read only for that element of out. A kernel of
 * the Task, whatever its Sched, reads an element before it writes it. */
bool task_may_overwrite(const Task *t, const TaskForm *f, int in, int out);

void form_print(const Form *f, Str *out); /* "aBcd16b border ..." */
struct Lex;
Form form_parse(struct Lex *l); /* not checked: form_check */
/* In, const and out tensors, each on a line "name form". Temporaries are not the Form's: they
 * belong to the rewrite that made them. */
void task_form_print(const Task *t, const TaskForm *f, Str *out);
int task_form_parse(const char *text, const Task *t, Arena *a, TaskForm *out, Err *e);
Digest task_form_digest(const Task *t, const TaskForm *f);

#endif
