/* Task: what is computed. Maths, types and shapes of one fused subgraph, nothing else.
 *
 * A Task is a list of stages. A stage computes one tensor from index expressions over named axes,
 * like einsum: spatial axes enumerate what is written, reduction axes what is combined. Everything
 * refers to everything by number (tensors, stages, expressions, axes), so a Task is plain data.
 *
 * Value types: F32 F64 I32 U32 I64 U64 BOOL. Narrower storage widens on load (value_type()) and is
 * cut on store. Operands of an operator have one type; casts are explicit.
 *
 * Text form (docs/text_forms.md):
 *
 *   task
 *     in x f32[1,64,56,56]
 *     const w f32[64,64,3,3]
 *     out y f32[1,64,56,56]
 *     stage k:64 p:56 q:56 | c:64 i:3 j:3
 *       acc f32 sum x[0,c,p+i-1,q+j-1 else 0] * w[k,c,i,j]
 *       y[0,k,p,q] = max(acc, 0)
 */
#ifndef GRAPH_TASK_H
#define GRAPH_TASK_H

#include "base/arena.h"
#include "base/dtype.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"

enum { TASK_RANK_MAX = 8, STAGE_AXES_MAX = 16, TASK_NAME_MAX = 12, TASK_NONE = -1 };

/* Stages of a Task that has a Space: partition makes no longer ones. */
enum { TASK_STAGES_MAX = 64 };

/* name, text */
#define TENSOR_KIND_LIST(X)       \
	X(IN, "in")               \
	X(CONST, "const")         \
	X(LIT, "lit") /* folds */ \
	X(TMP, "tmp")             \
	X(OUT, "out")

typedef enum TensorKind {
#define X(name, text) TENSOR_##name,
	TENSOR_KIND_LIST(X)
#undef X
		TENSOR_KIND_COUNT
} TensorKind;

/* name, text, needs an order (ARG*: index of the first or last extreme, acc is I32) */
#define COMBINER_LIST(X)             \
	X(NONE, "none")              \
	X(SUM, "sum")                \
	X(PROD, "prod")              \
	X(MAX, "max")                \
	X(MIN, "min")                \
	X(ARGMAX, "argmax")          \
	X(ARGMIN, "argmin")          \
	X(ARGMAX_LAST, "argmaxlast") \
	X(ARGMIN_LAST, "argminlast")

typedef enum Combiner {
#define X(name, text) COMB_##name,
	COMBINER_LIST(X)
#undef X
		COMB_COUNT
} Combiner;

/* name, text, operands, operator sign for printing ("" = function call) */
#define EXPR_LIST(X)                                                  \
	X(LIT, "lit", 0, "")                                          \
	X(LOAD, "load", 0, "")                                        \
	X(ACC, "acc", 0, "")     /* the stage's reduction */          \
	X(INDEX, "index", 0, "") /* value of an affine index */       \
	X(IN, "in", 0, "")       /* 1 when lo <= index < hi */        \
	X(NEG, "neg", 1, "")                                          \
	X(ABS, "abs", 1, "")                                          \
	X(SQRT, "sqrt", 1, "")                                        \
	X(EXP, "exp", 1, "")                                          \
	X(LOG, "log", 1, "")                                          \
	X(ERF, "erf", 1, "")                                          \
	X(TANH, "tanh", 1, "")                                        \
	X(FLOOR, "floor", 1, "")                                      \
	X(CEIL, "ceil", 1, "")                                        \
	X(RINT, "rint", 1, "") /* half to even */                     \
	X(NOT, "not", 1, "")                                          \
	X(CAST, "cast", 1, "") /* printed as the type: i32(x) */      \
	X(ADD, "add", 2, "+")                                         \
	X(SUB, "sub", 2, "-")                                         \
	X(MUL, "mul", 2, "*")                                         \
	X(DIV, "div", 2, "/") /* integers: towards 0, by 0 gives 0 */ \
	X(MAX, "max", 2, "")                                          \
	X(MIN, "min", 2, "")                                          \
	X(POW, "pow", 2, "")                                          \
	X(LT, "lt", 2, "<")                                           \
	X(LE, "le", 2, "<=")                                          \
	X(EQ, "eq", 2, "==")                                          \
	X(AND, "and", 2, "")                                          \
	X(OR, "or", 2, "")                                            \
	X(XOR, "xor", 2, "")                                          \
	X(SELECT, "select", 3, "")

typedef enum ExprOp {
#define X(name, text, n, sign) EXPR_##name,
	EXPR_LIST(X)
#undef X
		EXPR_COUNT
} ExprOp;

/* k + sum of coef[a] * axis a, plus, when via is an expression, its integer value. A via value is
 * wrapped once when negative and clamped into the dimension, so that no content of an index tensor
 * reads outside. via expressions are loads of in or const tensors. */
typedef struct Index {
	int64_t k;
	int32_t coef[STAGE_AXES_MAX];
	int via;
} Index;

typedef struct Expr {
	ExprOp op;
	DType type;      /* value type of the result */
	int a, b, c;     /* operands, TASK_NONE where absent */
	double lit;      /* LIT */
	int tensor;      /* LOAD */
	const Index *ix; /* LOAD: one per dimension; INDEX, IN: one */
	bool has_else;   /* LOAD: outside the tensor the value is `otherwise` */
	double otherwise;
	int64_t lo, hi; /* IN */
} Expr;

typedef struct TaskTensor {
	char name[TASK_NAME_MAX];
	TensorKind kind;
	DType type;
	int rank;
	int64_t dim[TASK_RANK_MAX];
	const double *lit; /* LIT: contents, row-major */
} TaskTensor;

typedef struct Axis {
	char name[TASK_NAME_MAX];
	int64_t extent;
} Axis;

typedef struct Stage {
	int naxes, nspatial; /* axis[0..nspatial) spatial, the rest reduction */
	Axis axis[STAGE_AXES_MAX];
	Combiner comb; /* NONE exactly when there are no reduction axes */
	DType acc_type;
	int body; /* expression combined over the reduction axes */
	int out;  /* tensor written; elements whose index is outside it are dropped */
	const Index *out_ix;
	int value; /* final expression: what is stored */
} Stage;

typedef struct Task {
	Arena *arena;
	VEC(TaskTensor) tensor;
	VEC(Stage) stage;
	VEC(Expr) expr;
} Task;

DType value_type(DType storage);

Task *task_new(Arena *a);
Task *task_copy(Arena *a, const Task *t); /* deep */

/* Builders. Names are cut to TASK_NAME_MAX - 1. All return a number. */
int task_tensor(Task *t, TensorKind kind, const char *name, DType type, int rank,
		const int64_t *dim);
int task_stage(Task *t, int out); /* empty stage; fill with the calls below */
int stage_axis(Task *t, int stage, const char *name, int64_t extent, bool reduce);
int expr_lit(Task *t, DType type, double v);
int expr_acc(Task *t, DType type);
int expr_un(Task *t, ExprOp op, int a);
int expr_bin(Task *t, ExprOp op, int a, int b); /* comparisons give BOOL */
int expr_select(Task *t, int cond, int a, int b);
int expr_cast(Task *t, DType type, int a);           /* a itself when it has that type */
int expr_load(Task *t, int tensor, const Index *ix); /* ix: one per dimension, copied */
int expr_load_else(Task *t, int tensor, const Index *ix, double otherwise);
int expr_index(Task *t, DType type, const Index *ix);
int expr_in(Task *t, DType type, const Index *ix, int64_t lo, int64_t hi);
Index index_const(int64_t k);
Index index_axis(int axis); /* the axis itself */
Index index_add(Index a, const Index *b, int64_t scale);
bool index_equal(const Index *a, const Index *b);
bool index_is_axis(const Index *ix, int axis); /* it and nothing else; false for TASK_NONE */

/* Lowest and highest value over the stage's axes; via is not counted. */
void index_range(const Stage *s, const Index *ix, int64_t *lo, int64_t *hi);

int64_t tensor_count(const TaskTensor *t);
int tensor_writer(const Task *t, int tensor);   /* first stage that writes it, or TASK_NONE */
bool tensor_is_made(const Task *t, int tensor); /* by a stage; what is not is given */
bool stage_is_const(const Task *t, int stage);  /* depends on const and lit tensors only */
bool stage_reads(const Task *t, int stage, int tensor);
int stage_axis_named(const Stage *s, const char *name);   /* or TASK_NONE */
int stage_spatial_axis(const Stage *s, const char *name); /* TASK_NONE for a reduction's, too */
int64_t stage_macs(const Stage *s);                       /* product of all extents */

/* Floating-point operations of the whole Task as written, and bytes of its in, const and out
 * tensors: the numerator and denominator of its roofline. */
double task_flops(const Task *t);
double task_bytes(const Task *t);

/* Everything that must hold of a Task: types, ranks, ranges of loads without else, order of
 * stages, every output written. Names what is wrong. */
int task_check(const Task *t, Err *e);

void task_print(const Task *t, Str *out);
/* For people: the axes of the stage with the most points, as they stand in the text. Lives in a. */
const char *task_axes(const Task *t, Arena *a);
int task_parse(const char *text, Arena *a, Task **out, Err *e); /* parses and checks */
Digest task_digest(const Task *t);

/* Brings a Task into the form in which equal ones print equally: axes of extent 1 and tensors,
 * stages and expressions nobody needs are gone, tensors stand in order of kind and first use and
 * are named after it. map, when not NULL, has an entry per old tensor: its new number or TASK_NONE.
 */
void task_simplify(Task *t, int *map);

/* Merges stages: an elementwise stage into the stage whose result it alone reads, and elementwise
 * or moving stages into the loads of their readers, where that computes nothing twice that costs
 * anything. What the Task computes is unchanged; temporaries disappear. */
void task_fuse(Task *t);

/* Cuts a Task of several stages into strips of so many rows along the dimension of its output that
 * leaves the smallest temporaries: all its stages get an axis "strip" in common, whose loop they
 * may share, and every temporary a first dimension that it alone indexes. room: bytes of one strip
 * of all temporaries, each rounded up to 64. Rows that two strips need are computed twice; what the
 * Task computes is unchanged. NOT_APPLICABLE, and t as it was, where one strip does not follow from
 * a few rows of every temporary, or is everything. */
int task_cut(Task *t, int64_t rows, size_t *room);

/* A load that may leave its tensor, at points of s that are dropped, gets an else value. */
void task_guard_load(const Task *t, const Stage *s, Expr *load);

/* Copies expressions while axes, acc and loads are replaced. */
typedef struct Subst {
	const Task *from;
	Task *to;
	const Index *axis;      /* per old axis: its form in the new axes */
	int acc;                /* expression for acc, or TASK_NONE: acc stays */
	const int *tensor;      /* new number by old one, or NULL: unchanged */
	int replaced;           /* loads of this (old) tensor become... */
	int with;               /* ...this expression of `to`, when not TASK_NONE... */
	const struct Subst *by; /* ...or the copy of by_value with the load's indices as axes */
	int by_value;
	const int *by_axis; /* per dimension of `replaced`: axis of `by` that it stands for */
} Subst;

Subst subst_init(const Task *from, Task *to, const Index *axis);
Index subst_index(const Subst *s, const Index *ix);
int subst_expr(const Subst *s, int expr);

/* Whether storing the value and loading it again gives the same value: false where an integer type
 * narrower than the arithmetic might cut it. Rounding of floats does not count. */
bool expr_fits(const Task *t, int expr, DType storage);

/* Nodes of the expression as a tree. */
int expr_size(const Task *t, int expr);

const char *tensor_kind_text(TensorKind k);
const char *combiner_text(Combiner c);
const char *expr_text(ExprOp op);
int expr_operands(ExprOp op);

#endif
