/* Nodes, value numbering, placement, constant folding. */
#include "codegen/build.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

void
build_init(Build *b, Loop *l, const Target *t, int nodes_max)
{
	memset(b, 0, sizeof *b);
	b->loop = l;
	b->target = t;
	b->nodes_max = nodes_max;
	vec_push(l->arena, &l->node, (LoopNode){0}); /* node 0: none */
	vec_push(l->arena, &b->chain, 0);
}

void
build_refuse(Build *b, const char *fmt, ...)
{
	va_list ap;

	if (b->refused)
		return;
	b->refused = true;
	va_start(ap, fmt);
	vsnprintf(b->why, sizeof b->why, fmt, ap);
	va_end(ap);
}

static int
new_body(Build *b)
{
	vec_push(b->loop->arena, &b->loop->body, (LoopBody){0});
	return b->loop->body.n - 1;
}

void
build_phase(Build *b)
{
	assert(b->depth == 0);
	b->open[0] = new_body(b);
	vec_push(b->loop->arena, &b->loop->phase, b->open[0]);
}

int
build_loop(Build *b, int64_t extent)
{
	if (b->depth + 1 >= LOOP_DEPTH_MAX) {
		build_refuse(b, "more than %d nested loops", LOOP_DEPTH_MAX - 1);
		return b->depth; /* the refusal ends the lowering before this is used */
	}
	b->depth++;
	b->open[b->depth] = new_body(b);
	b->extent[b->depth] = extent;
	b->apart[b->depth] = false;
	return b->depth;
}

void
build_apart(Build *b)
{
	b->apart[b->depth] = true;
}

void
build_end(Build *b)
{
	LoopNode n = {.op = LOOP_LOOP, .lanes = 1};

	if (b->refused && b->depth == 0)
		return;
	n.k = b->open[b->depth];
	n.k2 = b->extent[b->depth];
	n.b = b->depth;
	n.a = b->apart[b->depth];
	n.depth = (int16_t)--b->depth;
	if (b->loop->body.v[n.k].n) /* a body where everything folded away needs no loop */
		build_node(b, n, false);
}

LoopNode *
build_at(const Build *b, int node)
{
	return &b->loop->node.v[node];
}

int
build_depth(const Build *b, int node)
{
	return b->loop->node.v[node].depth;
}

static bool
same(const LoopNode *p, const LoopNode *q)
{
	return p->op == q->op && p->type == q->type && p->mem == q->mem && p->lanes == q->lanes &&
	       p->valid == q->valid && p->a == q->a && p->b == q->b && p->c == q->c &&
	       p->k == q->k && p->k2 == q->k2 && !memcmp(&p->f, &q->f, sizeof p->f);
}

static unsigned
bucket_of(const LoopNode *n)
{
	int64_t key[] = {
		n->op | n->type << 8 | n->mem << 16, n->lanes, n->a, n->b, n->c, n->k, n->k2, 0};

	memcpy(&key[7], &n->f, sizeof n->f);
	return (unsigned)hash64(key, sizeof key, 0) % BUILD_BUCKETS;
}

int
build_node(Build *b, LoopNode n, bool pure)
{
	Loop *l = b->loop;
	unsigned h = 0;

	if (!n.valid)
		n.valid = n.lanes;
	if (pure) {
		h = bucket_of(&n);
		for (int i = b->bucket[h]; i; i = b->chain.v[i]) {
			const LoopNode *p = &l->node.v[i];

			if (same(p, &n) && p->depth <= b->depth && b->open[p->depth] == p->body)
				return i;
		}
	}
	if (l->node.n >= b->nodes_max) {
		build_refuse(b, "more than %d nodes", b->nodes_max);
		return l->node.n - 1;
	}
	assert(n.depth <= b->depth);
	n.body = b->open[n.depth];
	vec_push(l->arena, &l->node, n);
	vec_push(l->arena, &b->chain, pure ? b->bucket[h] : 0);
	if (pure)
		b->bucket[h] = l->node.n - 1;
	vec_push(l->arena, &l->body.v[n.body], l->node.n - 1);
	return l->node.n - 1;
}

static int16_t
deepest(const Build *b, int x, int y, int z)
{
	int d = build_depth(b, x);

	d = build_depth(b, y) > d ? build_depth(b, y) : d;
	return (int16_t)(build_depth(b, z) > d ? build_depth(b, z) : d);
}

int
build_const(Build *b, DType type, double v)
{
	if (type == DT_F32)
		v = (double)(float)v;
	if (v == 0 && dtype_is_float(type) && !signbit(v))
		v = 0;
	return build_node(b, (LoopNode){.op = LOOP_CONST, .type = type, .lanes = 1, .f = v}, true);
}

bool
build_is_const(const Build *b, int node, double *v)
{
	const LoopNode *n = build_at(b, node);

	if (n->op == LOOP_SPLAT)
		n = build_at(b, n->a);
	*v = n->f;
	return n->op == LOOP_CONST;
}

static bool
is_value(const Build *b, int node, double want)
{
	double v;

	return build_is_const(b, node, &v) && v == want;
}

int
build_splat(Build *b, int a, int lanes)
{
	const LoopNode *n = build_at(b, a);

	if (n->lanes == lanes)
		return a;
	if (n->lanes != 1) {
		build_refuse(b, "vector of %d lanes where %d are wanted", n->lanes, lanes);
		return a;
	}
	return build_repeat(b, a, lanes);
}

int
build_repeat(Build *b, int a, int lanes)
{
	const LoopNode *n = build_at(b, a);

	if (n->lanes == lanes)
		return a;
	return build_node(b,
			  (LoopNode){.op = LOOP_SPLAT,
				     .type = n->type,
				     .lanes = (int16_t)lanes,
				     .a = a,
				     .depth = n->depth},
			  true);
}

static double
fold_un(LoopOp op, double v)
{
	switch (op) {
	case LOOP_NEG: return -v;
	case LOOP_ABS: return fabs(v);
	case LOOP_SQRT: return sqrt(v);
	case LOOP_FLOOR: return floor(v);
	case LOOP_CEIL: return ceil(v);
	case LOOP_RINT: return rint(v);
	default: return v == 0; /* NOT */
	}
}

int
build_un(Build *b, LoopOp op, int a)
{
	const LoopNode *n = build_at(b, a);
	double v;

	if (build_is_const(b, a, &v) && (op != LOOP_NOT || n->type == DT_BOOL))
		return build_const(b, n->type, fold_un(op, v));
	return build_node(b,
			  (LoopNode){.op = (uint8_t)op,
				     .type = n->type,
				     .lanes = n->lanes,
				     .a = a,
				     .depth = n->depth},
			  true);
}

static bool
fold_bin(LoopOp op, DType type, double x, double y, double *r)
{
	bool is_float = dtype_is_float(type);

	switch (op) {
	case LOOP_ADD: *r = x + y; break;
	case LOOP_SUB: *r = x - y; break;
	case LOOP_MUL: *r = x * y; break;
	case LOOP_DIV: *r = is_float ? x / y : y == 0 ? 0 : trunc(x / y); break;
	case LOOP_MAX: *r = x > y ? x : y; break;
	case LOOP_MIN: *r = x < y ? x : y; break;
	case LOOP_LT: *r = x < y; break;
	case LOOP_LE: *r = x <= y; break;
	case LOOP_EQ: *r = x == y; break;
	default:
		if (type != DT_BOOL)
			return false;
		*r = op == LOOP_AND ? x != 0 && y != 0 : op == LOOP_OR ? x != 0 || y != 0 : x != y;
	}
	return is_float || fabs(*r) < 0x1p31; /* integer wrap-around is left to the machine */
}

/* x op y where one side is a neutral or absorbing constant; 0 when no rule applies. An addend of
 * +0 is dropped although -0 + 0 is +0: signs of zero are not kept. x * 0 folds although NaN * 0
 * is NaN: a product with the border or with a literal 0 is no product. */
static int
fold_algebra(Build *b, LoopOp op, int x, int y)
{
	switch (op) {
	case LOOP_ADD:
		if (is_value(b, x, 0))
			return y;
		return is_value(b, y, 0) ? x : 0;
	case LOOP_SUB: return is_value(b, y, 0) ? x : 0;
	case LOOP_MUL:
		if (is_value(b, x, 0) || is_value(b, y, 0))
			return build_const(b, build_at(b, x)->type, 0);
		if (is_value(b, x, 1))
			return y;
		if (is_value(b, y, 1))
			return x;
		if (is_value(b, x, -1))
			return build_un(b, LOOP_NEG, y);
		return is_value(b, y, -1) ? build_un(b, LOOP_NEG, x) : 0;
	case LOOP_DIV: return is_value(b, y, 1) ? x : 0;
	case LOOP_MAX: return is_value(b, x, -INFINITY) ? y : is_value(b, y, -INFINITY) ? x : 0;
	case LOOP_MIN: return is_value(b, x, INFINITY) ? y : is_value(b, y, INFINITY) ? x : 0;
	case LOOP_AND:
		if (build_at(b, x)->type != DT_BOOL)
			return 0;
		if (is_value(b, x, 1))
			return y;
		return is_value(b, y, 1) ? x : 0;
	default: return 0;
	}
}

static bool
commutes(LoopOp op)
{
	return op == LOOP_ADD || op == LOOP_MUL || op == LOOP_AND || op == LOOP_OR ||
	       op == LOOP_XOR || op == LOOP_EQ;
}

static bool
compares(LoopOp op)
{
	return op == LOOP_LT || op == LOOP_LE || op == LOOP_EQ;
}

int
build_bin(Build *b, LoopOp op, int x, int y)
{
	DType type = build_at(b, x)->type;
	int lx = build_at(b, x)->lanes, ly = build_at(b, y)->lanes, lanes = lx > ly ? lx : ly, r;
	double vx, vy, v;

	if (build_is_const(b, x, &vx) && build_is_const(b, y, &vy) &&
	    fold_bin(op, type, vx, vy, &v))
		return build_const(b, compares(op) ? DT_BOOL : type, v);
	if ((r = fold_algebra(b, op, x, y)))
		return r;
	x = build_splat(b, x, lanes);
	y = build_splat(b, y, lanes);
	if (commutes(op) && x > y) {
		int swap = x;

		x = y;
		y = swap;
	}
	return build_node(b,
			  (LoopNode){.op = (uint8_t)op,
				     .type = compares(op) ? DT_BOOL : type,
				     .lanes = (int16_t)lanes,
				     .a = x,
				     .b = y,
				     .depth = deepest(b, x, y, 0)},
			  true);
}

int
build_fma(Build *b, int x, int y, int z)
{
	int lanes = build_at(b, x)->lanes;
	double v;

	if (build_is_const(b, y, &v)) {
		int swap = x;

		x = y;
		y = swap;
	}
	if (build_is_const(b, x, &v) && v == -1)
		return build_bin(b, LOOP_SUB, z, y);
	if ((build_is_const(b, x, &v) && (v == 0 || v == 1)) || is_value(b, z, 0) ||
	    is_value(b, y, 0))
		return build_bin(b, LOOP_ADD, build_bin(b, LOOP_MUL, x, y), z);
	lanes = build_at(b, y)->lanes > lanes ? build_at(b, y)->lanes : lanes;
	lanes = build_at(b, z)->lanes > lanes ? build_at(b, z)->lanes : lanes;
	x = build_splat(b, x, lanes);
	y = build_splat(b, y, lanes);
	z = build_splat(b, z, lanes);
	return build_node(b,
			  (LoopNode){.op = LOOP_FMA,
				     .type = build_at(b, x)->type,
				     .lanes = (int16_t)lanes,
				     .a = x,
				     .b = y,
				     .c = z,
				     .depth = deepest(b, x, y, z)},
			  true);
}

int
build_dot(Build *b, int acc, int x, int y, bool x_signed, bool y_signed)
{
	int lanes = target_lanes(b->target);

	acc = build_splat(b, acc, lanes);
	x = build_splat(b, x, lanes);
	y = build_splat(b, y, lanes);
	return build_node(
		b,
		(LoopNode){.op = LOOP_DOT,
			   .type = DT_I32,
			   .lanes = (int16_t)lanes,
			   .a = acc,
			   .b = x,
			   .c = y,
			   .k = (x_signed ? DOT_B_SIGNED : 0) | (y_signed ? DOT_C_SIGNED : 0),
			   .depth = deepest(b, acc, x, y)},
		true);
}

int
build_select(Build *b, int cond, int x, int y)
{
	int lanes = build_at(b, cond)->lanes;
	double v;

	if (build_is_const(b, cond, &v))
		return v != 0 ? x : y;
	if (x == y)
		return x;
	lanes = build_at(b, x)->lanes > lanes ? build_at(b, x)->lanes : lanes;
	lanes = build_at(b, y)->lanes > lanes ? build_at(b, y)->lanes : lanes;
	x = build_splat(b, x, lanes);
	y = build_splat(b, y, lanes);
	if (build_at(b, cond)->lanes != 1)
		cond = build_splat(b, cond, lanes);
	return build_node(b,
			  (LoopNode){.op = LOOP_SELECT,
				     .type = build_at(b, x)->type,
				     .lanes = (int16_t)lanes,
				     .a = cond,
				     .b = x,
				     .c = y,
				     .depth = deepest(b, cond, x, y)},
			  true);
}

static double
fold_cast(DType from, DType to, double v)
{
	int64_t buf = 0;

	if (dtype_is_float(to) || to == DT_BOOL || dtype_is_float(from)) {
		dtype_put(to, &buf, 0, v);
		return dtype_get(to, &buf, 0);
	}
	return v;
}

int
build_cast(Build *b, DType to, int a, bool saturate)
{
	const LoopNode *n = build_at(b, a);
	double v;

	if (n->type == to)
		return a;
	if (build_is_const(b, a, &v))
		return build_const(b, to, fold_cast((DType)n->type, to, v));
	return build_node(b,
			  (LoopNode){.op = LOOP_CAST,
				     .type = to,
				     .lanes = n->lanes,
				     .a = a,
				     .k = saturate,
				     .depth = n->depth},
			  true);
}

int
build_bitcast(Build *b, DType to, int a)
{
	const LoopNode *n = build_at(b, a);

	return build_node(b,
			  (LoopNode){.op = LOOP_BITCAST,
				     .type = to,
				     .lanes = n->lanes,
				     .a = a,
				     .depth = n->depth},
			  true);
}

int
build_shift(Build *b, LoopOp op, int a, int bits)
{
	const LoopNode *n = build_at(b, a);

	return build_node(b,
			  (LoopNode){.op = (uint8_t)op,
				     .type = n->type,
				     .lanes = n->lanes,
				     .a = a,
				     .k = bits,
				     .depth = n->depth},
			  true);
}

int
build_mask(Build *b, int lanes, int valid)
{
	return build_node(
		b,
		(LoopNode){
			.op = LOOP_LANE_MASK, .type = DT_BOOL, .lanes = (int16_t)lanes, .k = valid},
		true);
}
