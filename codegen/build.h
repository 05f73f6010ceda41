/* Build: makes Loop nodes. Value numbering and placement are one rule: a pure node is looked up by
 * its contents among the nodes of the open bodies, and if it is new it is appended to the body of
 * the deepest loop it depends on. Common subexpressions, invariant motion and address hoisting all
 * follow from it.
 *
 * Failure is sticky: after build_refuse() every call still returns a valid node number, and the
 * caller looks at `refused` at the end. A refusal means "not applicable", not an error.
 */
#ifndef CODEGEN_BUILD_H
#define CODEGEN_BUILD_H

#include "codegen/loop.h"
#include "search_space/target.h"

enum { BUILD_BUCKETS = 1 << 12, BUILD_NODES_MAX = 60000 };

typedef struct Build {
	Loop *loop;
	const Target *target;
	int depth;
	int open[LOOP_DEPTH_MAX];       /* open bodies, by depth */
	int64_t extent[LOOP_DEPTH_MAX]; /* iterations of the loop at each depth */
	bool apart[LOOP_DEPTH_MAX];     /* they may run at once */
	int bucket[BUILD_BUCKETS];      /* newest node of the bucket */
	VEC(int) chain;                 /* per node: next older one of its bucket */
	int nodes_max;
	bool refused;
	char why[160];
} Build;

void build_init(Build *b, Loop *l, const Target *t, int nodes_max);
void build_refuse(Build *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void build_phase(Build *b);               /* a new function; no loop may be open */
int build_loop(Build *b, int64_t extent); /* opens a loop, returns its level */
void build_apart(Build *b);               /* iterations of the innermost loop may run at once */
void build_end(Build *b);                 /* closes the innermost loop */

/* pure: looked up first. n.depth says where it must live. */
int build_node(Build *b, LoopNode n, bool pure);
LoopNode *build_at(const Build *b, int node);
int build_depth(const Build *b, int node);

int build_const(Build *b, DType type, double v);
bool build_is_const(const Build *b, int node, double *v); /* through splats */
int build_splat(Build *b, int a, int lanes);
int build_repeat(Build *b, int a, int lanes); /* a's lanes over and over */
int build_un(Build *b, LoopOp op, int a);
int build_bin(Build *b, LoopOp op, int x, int y); /* lanes are brought together */
int build_fma(Build *b, int x, int y, int z);
/* acc plus, in each lane, the products of the bytes of x and y. */
int build_dot(Build *b, int acc, int x, int y, bool x_signed, bool y_signed);
int build_select(Build *b, int cond, int x, int y);
int build_cast(Build *b, DType to, int a, bool saturate);
int build_bitcast(Build *b, DType to, int a);
int build_shift(Build *b, LoopOp op, int a, int bits);
int build_mask(Build *b, int lanes, int valid); /* BOOL vector */

/* Functions that few machines have, as polynomials (codegen/math.c). F32 only; others refuse. */
int build_exp(Build *b, int x);
int build_log(Build *b, int x);
int build_erf(Build *b, int x);
int build_tanh(Build *b, int x);
int build_pow(Build *b, int x, int y);
int build_round(Build *b, LoopOp op, int x); /* FLOOR, CEIL, RINT */

#endif
