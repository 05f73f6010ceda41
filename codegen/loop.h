/* Loop: the lowered form of a Task under a Form and a Sched. A small typed tree.
 *
 * Values are numbered nodes; every node lives in one body, the body of the deepest loop it depends
 * on. A Loop has one or more phases, each with a root body, and each becomes a function
 *
 *     int k(const void *const *in, void *const *out, void *scratch, int chunk, int chunks)
 *
 * Memory is addressed from roots: inputs, outputs, scratch, and the pool of packed constants, whose
 * segments hold constants in exactly the order the loops read them.
 *
 * Invariants (loop_check): operands are numbered below their user and live in its body or in an
 * enclosing one; types and lanes agree as LOOP_OP_LIST says; accumulators are set before they are
 * got; every address has a root.
 */
#ifndef CODEGEN_LOOP_H
#define CODEGEN_LOOP_H

#include "base/arena.h"
#include "base/dtype.h"
#include "base/err.h"
#include "base/str.h"
#include "graph/task.h"

enum { LOOP_DEPTH_MAX = 24 };
enum {
	LOOP_LINE = 64
}; /* bytes of a cache line; where they are longer, a fetch too many does no harm */

/* name, text, what the fields mean beyond a, b, c = operand nodes */
#define LOOP_OP_LIST(X)                                                                       \
	X(NONE, "none")          /* node 0 */                                                 \
	X(CONST, "const")        /* f; one lane */                                            \
	X(SPLAT, "splat")        /* a's lanes over and over */                                \
	X(ROOT, "root")          /* k: root number; an address */                             \
	X(STEP, "step")          /* address a + counter of level b * k bytes */               \
	X(SEG_STEP, "segstep")   /* address a + counter of level b * stride of its segment: c \
				  * segment, k loop of it (-1: the segment's start), the      \
				  * stride divided by k2 unless that is 0 */                  \
	X(OFFSET, "offset")      /* address a + integer b * k bytes */                        \
	X(INT, "int")            /* I32: k */                                                 \
	X(INT_STEP, "intstep")   /* I32: a + counter of level b * k */                        \
	X(INT_LANES, "intlanes") /* I32 vector: a + lane * k */                               \
	X(IN_RANGE, "inrange")   /* BOOL: k <= a < k2 */                                      \
	X(LANE_MASK, "lanemask") /* BOOL vector: lane < k */                                  \
	X(LOAD, "load")          /* address a + k bytes, mem type, valid lanes, k2 bytes      \
				  * between lanes; under condition c, else f */               \
	X(LOAD_BYTES, "bytes")   /* the same of four bytes a lane at any address, as I32;     \
				  * b 1: each with its upper bit changed (f is not) */        \
	X(STORE, "store")        /* same, value b */                                          \
	X(ADD, "add")                                                                         \
	X(SUB, "sub")                                                                         \
	X(MUL, "mul")                                                                         \
	X(DIV, "div")                                                                         \
	X(MAX, "max") /* a > b ? a : b */                                                     \
	X(MIN, "min") /* a < b ? a : b */                                                     \
	X(FMA, "fma") /* a * b + c, fused or not */                                           \
	X(DOT, "dot") /* I32: a + sum of the products of the four bytes of b and c;           \
		       * k: DotSigns */                                                       \
	X(NEG, "neg")                                                                         \
	X(ABS, "abs")                                                                         \
	X(SQRT, "sqrt")                                                                       \
	X(FLOOR, "floor")                                                                     \
	X(CEIL, "ceil")                                                                       \
	X(RINT, "rint")                                                                       \
	X(LT, "lt") /* BOOL */                                                                \
	X(LE, "le")                                                                           \
	X(EQ, "eq")                                                                           \
	X(AND, "and") /* bits, or BOOL */                                                     \
	X(OR, "or")                                                                           \
	X(XOR, "xor")                                                                         \
	X(NOT, "not")                                                                         \
	X(SHL, "shl")       /* by k bits */                                                   \
	X(SHR, "shr")       /* arithmetic, by k bits */                                       \
	X(SELECT, "select") /* a ? b : c */                                                   \
	X(CAST, "cast")     /* value conversion; k: 1 saturates float to integer */           \
	X(BITCAST, "bitcast")                                                                 \
	X(REDUCE, "reduce")     /* adjacent lanes of a by combiner k */                       \
	X(GET, "get")           /* accumulator k */                                           \
	X(SET, "set")           /* accumulator k = a */                                       \
	X(PREFETCH, "prefetch") /* from address a + stride on, share b of `lanes` of          \
				 * stride / k2 bytes; the stride is that of loop k of segment \
				 * c */                                                       \
	X(TOUCH, "touch")       /* the line at address a + k bytes will soon be read */       \
	X(LOOP, "loop")         /* body k, extent k2, level b; a: 1 where iterations may run  \
				 * at once; c: how chunks share it, LoopShare */

typedef enum LoopOp {
#define X(name, text) LOOP_##name,
	LOOP_OP_LIST(X)
#undef X
		LOOP_OP_COUNT
} LoopOp;

/* c of a LOOP. Above 0: its iterations are dealt to the chunks, c - 1 is the chunk that gets the
 * first ones. Whatever stores outside such loops runs in the last chunk only; values that they
 * need are computed by all. */
typedef enum LoopShare {
	SHARE_ALL = -1, /* every chunk runs it, for the sake of loops inside */
	SHARE_NONE = 0,
	SHARE_DEALT = 1,
} LoopShare;

/* Of the bytes that a DOT multiplies. */
typedef enum DotSigns { DOT_B_SIGNED = 1, DOT_C_SIGNED = 2 } DotSigns;

typedef struct LoopNode {
	uint8_t op;   /* LoopOp */
	uint8_t type; /* DType of the value; unused for addresses */
	uint8_t mem;  /* LOAD, STORE: DType in memory */
	int16_t lanes, valid;
	int16_t depth; /* of the body it lives in; 0 is the root */
	int32_t a, b, c;
	int32_t body;
	int64_t k, k2;
	double f;
} LoopNode;

typedef VEC(int) LoopBody;

/* One run of packed constants. A slot is `lanes` elements of one tensor; the slots of the unrolled
 * body follow each other, the loops surround them, outermost first. */
typedef struct SegLoop {
	int64_t extent;
	int32_t coef[TASK_RANK_MAX]; /* elements of the tensor per iteration */
	int64_t stride;              /* bytes of the pool per iteration */
} SegLoop;

typedef struct Slot {
	int32_t at[TASK_RANK_MAX]; /* index in the tensor with all counters 0, lane 0 */
} Slot;

typedef struct Segment {
	int tensor; /* of the Task */
	int lanes;
	int run; /* slots that one load takes: lanes that hold several terms each */
	int32_t lane_coef[TASK_RANK_MAX];
	double otherwise; /* for indices outside the tensor */
	int nloop;
	SegLoop loop[LOOP_DEPTH_MAX];
	VEC(Slot) slot;
	bool whole;     /* the plain tensor instead: addressed through indices known at run time */
	int64_t offset; /* bytes into the pool */
} Segment;

typedef struct Accumulator {
	DType type;
	int lanes;
} Accumulator;

/* Roots, in this order: Task inputs, the pool, Task outputs, scratch. */
typedef enum RootKind { ROOT_IN, ROOT_POOL, ROOT_OUT, ROOT_SCRATCH } RootKind;

typedef struct Root {
	RootKind kind;
	int arg;        /* position in in[] or out[] */
	int64_t offset; /* bytes into scratch */
	int64_t bytes;  /* of scratch, a multiple of 64 */
	int64_t stride; /* from one chunk's to the next one's; 0: all chunks have the same */
} Root;

typedef struct Loop {
	Arena *arena;
	VEC(LoopNode) node;
	VEC(LoopBody) body;
	VEC(int) phase; /* root bodies */
	VEC(Segment) seg;
	VEC(Accumulator) acc;
	VEC(Root) root;
	int nin, nout;                     /* in[] has nin tensors, then the pool */
	int64_t pool_bytes, scratch_bytes; /* scratch of all chunks */
	int threads;  /* a phase may be called with 1 to so many chunks; 1: with one only */
	double flops; /* floating-point operations really executed, border skipping included */
} Loop;

Loop *loop_new(Arena *a);
int loop_check(const Loop *l, Err *e);
/* Nodes that n computes with, 0 where there is none. */
void loop_operands(const LoopNode *n, int operand[3]);
void loop_print(const Loop *l, Str *out);

/* How many operations its code has, roughly: one for each register of a vector, two for each lane
 * that is loaded or stored by itself. Making the code takes about as long. */
int64_t loop_operations(const Loop *l, int64_t vector_bytes);

#endif
