/* Loop: text and checks. */
#include "codegen/loop.h"

static const char *const texts[] = {
#define X(name, text) text,
	LOOP_OP_LIST(X)
#undef X
};

Loop *
loop_new(Arena *a)
{
	Loop *l = ARENA_NEW(a, Loop);

	l->arena = a;
	l->threads = 1;
	return l;
}

static void
print_root(const Loop *l, int i, Str *out)
{
	static const char *const kind[] = {"in", "pool", "out", "scratch"};
	const Root *r = &l->root.v[i];

	str_printf(out, " %s", kind[r->kind]);
	if (r->kind == ROOT_IN || r->kind == ROOT_OUT)
		str_printf(out, "%d", r->arg);
	if (r->kind == ROOT_SCRATCH)
		str_printf(out, "+%lld", (long long)r->offset);
	if (r->stride)
		str_printf(out, "+chunk*%lld", (long long)r->stride);
}

static void
print_access(const LoopNode *n, Str *out)
{
	str_printf(out, " v%d[%lld]", n->a, (long long)n->k);
	if (n->op == LOOP_STORE)
		str_printf(out, " v%d", n->b);
	if (n->mem != n->type)
		str_printf(out, " as %s", dtype_name((DType)n->mem));
	if (n->lanes > 1 && n->k2 != (int64_t)dtype_size((DType)n->mem))
		str_printf(out, " by %lld", (long long)n->k2);
	if (n->op == LOOP_LOAD_BYTES && n->b)
		str_add(out, " flipped");
	if (n->valid < n->lanes)
		str_printf(out, " first %d", n->valid);
	if (n->c) {
		str_printf(out, " if v%d", n->c);
		if (n->op != LOOP_STORE) {
			str_add(out, " else ");
			str_double(out, n->f);
		}
	}
}

static void
print_operands(const LoopNode *n, Str *out)
{
	const int arg[] = {n->a, n->b, n->c};

	for (int i = 0; i < 3; i++)
		if (arg[i])
			str_printf(out, " v%d", arg[i]);
	if (n->k || n->op == LOOP_INT)
		str_printf(out, " %lld", (long long)n->k);
}

static void
print_node(const Loop *l, int i, Str *out)
{
	const LoopNode *n = &l->node.v[i];

	str_printf(out, "v%d = %s", i, texts[n->op]);
	if (n->lanes > 1)
		str_printf(out, ".%d", n->lanes);
	switch ((LoopOp)n->op) {
	case LOOP_ROOT: print_root(l, (int)n->k, out); break;
	case LOOP_STEP: str_printf(out, " v%d + i%d*%lld", n->a, n->b, (long long)n->k); break;
	case LOOP_SEG_STEP:
		if (n->k < 0)
			str_printf(out, " v%d + segment %d", n->a, n->c);
		else
			str_printf(out, " v%d + i%d*%lld", n->a, n->b,
				   (long long)(l->seg.v[n->c].loop[n->k].stride /
					       (n->k2 ? n->k2 : 1)));
		break;
	case LOOP_PREFETCH:
		str_printf(out, " v%d + %lld, %d of %d shares of a part of %lld", n->a,
			   (long long)l->seg.v[n->c].loop[n->k].stride, n->b + 1, n->lanes,
			   (long long)n->k2);
		break;
	case LOOP_INT_STEP: str_printf(out, " v%d + i%d*%lld", n->a, n->b, (long long)n->k); break;
	case LOOP_CONST:
		str_add(out, " ");
		str_double(out, n->f);
		str_printf(out, ":%s", dtype_name((DType)n->type));
		break;
	case LOOP_IN_RANGE:
		str_printf(out, " v%d in %lld..%lld", n->a, (long long)n->k, (long long)n->k2);
		break;
	case LOOP_CAST:
	case LOOP_BITCAST: str_printf(out, " v%d to %s", n->a, dtype_name((DType)n->type)); break;
	case LOOP_LOAD:
	case LOOP_LOAD_BYTES:
	case LOOP_STORE: print_access(n, out); break;
	case LOOP_DOT:
		str_printf(out, " v%d v%d:%s v%d:%s", n->a, n->b, n->k & DOT_B_SIGNED ? "i8" : "u8",
			   n->c, n->k & DOT_C_SIGNED ? "i8" : "u8");
		break;
	case LOOP_GET: str_printf(out, " acc%lld", (long long)n->k); break;
	case LOOP_SET: str_printf(out, " acc%lld v%d", (long long)n->k, n->a); break;
	default: print_operands(n, out);
	}
	str_add(out, "\n");
}

static void
print_body(const Loop *l, int body, int indent, Str *out)
{
	for (int i = 0; i < l->body.v[body].n; i++) {
		int x = l->body.v[body].v[i];
		const LoopNode *n = &l->node.v[x];

		str_printf(out, "%*s", indent, "");
		if (n->op == LOOP_LOOP) {
			str_printf(out, "loop i%d < %lld", n->b, (long long)n->k2);
			if (n->c >= SHARE_DEALT)
				str_printf(out, " dealt from chunk %d", n->c - SHARE_DEALT);
			str_add(out, n->c == SHARE_ALL ? " in all chunks\n" : "\n");
			print_body(l, (int)n->k, indent + 2, out);
		} else {
			print_node(l, x, out);
		}
	}
}

void
loop_print(const Loop *l, Str *out)
{
	str_printf(out, "loop in %d out %d pool %lld scratch %lld\n", l->nin, l->nout,
		   (long long)l->pool_bytes, (long long)l->scratch_bytes);
	for (int i = 0; i < l->seg.n; i++) {
		const Segment *s = &l->seg.v[i];

		str_printf(out, "segment %d: tensor %d lanes %d slots %d", i, s->tensor, s->lanes,
			   s->slot.n);
		if (s->run > 1)
			str_printf(out, " in runs of %d", s->run);
		str_add(out, " loops");
		for (int k = 0; k < s->nloop; k++)
			str_printf(out, " %lld", (long long)s->loop[k].extent);
		str_printf(out, " at %lld\n", (long long)s->offset);
	}
	for (int p = 0; p < l->phase.n; p++) {
		str_printf(out, "phase %d\n", p);
		print_body(l, l->phase.v[p], 2, out);
	}
}

void
loop_operands(const LoopNode *n, int operand[3])
{
	bool flags = n->op == LOOP_LOOP;
	/* levels, shares, accumulators and segments are numbers of other things */
	bool segment = n->op == LOOP_SEG_STEP || n->op == LOOP_PREFETCH;
	bool level = segment || n->op == LOOP_STEP || n->op == LOOP_INT_STEP;

	operand[0] = flags ? 0 : n->a;
	operand[1] = flags || level || n->op == LOOP_LOAD_BYTES ? 0 : n->b;
	operand[2] = flags || segment ? 0 : n->c;
}

int64_t
loop_operations(const Loop *l, int64_t vector_bytes)
{
	int64_t sum = 0;

	for (int i = 1; i < l->node.n; i++) {
		const LoopNode *n = &l->node.v[i];
		bool memory = n->op == LOOP_LOAD || n->op == LOOP_LOAD_BYTES || n->op == LOOP_STORE;
		int64_t each = (int64_t)dtype_size((DType)(memory ? n->mem : n->type));

		if (memory && n->lanes > 1 && n->k2 != each)
			sum += 2 * n->lanes;
		else
			sum += (n->lanes * each + vector_bytes - 1) / vector_bytes;
	}
	return sum;
}

typedef struct Check {
	const Loop *l;
	bool *visible; /* per node */
	Err *e;
} Check;

static int
check_operand(const Check *c, int user, int x)
{
	if (x < 0 || x >= user)
		return err_set(c->e, ERR_INTERNAL, "node v%d uses v%d", user, x);
	if (x && !c->visible[x])
		return err_set(c->e, ERR_INTERNAL, "node v%d uses v%d, which is not in scope", user,
			       x);
	return OK;
}

static int
check_types(const Check *c, int i)
{
	const LoopNode *n = &c->l->node.v[i], *v = c->l->node.v;

	if (n->lanes < 1 || n->lanes > 64 || n->valid < 1 || n->valid > n->lanes)
		return err_set(c->e, ERR_INTERNAL, "node v%d has %d of %d lanes", i, n->valid,
			       n->lanes);
	if (n->op >= LOOP_ADD && n->op <= LOOP_MIN &&
	    (v[n->a].type != n->type || v[n->b].type != n->type || v[n->a].lanes != n->lanes ||
	     v[n->b].lanes != n->lanes))
		return err_set(c->e, ERR_INTERNAL, "operands of v%d (%s) do not agree", i,
			       texts[n->op]);
	if (n->op == LOOP_DOT &&
	    (n->type != DT_I32 || v[n->a].type != DT_I32 || v[n->b].type != DT_I32 ||
	     v[n->c].type != DT_I32 || v[n->a].lanes != n->lanes || v[n->b].lanes != n->lanes ||
	     v[n->c].lanes != n->lanes))
		return err_set(c->e, ERR_INTERNAL, "operands of v%d (dot) do not agree", i);
	if ((n->op == LOOP_SPLAT && n->lanes % v[n->a].lanes) ||
	    (n->op == LOOP_REDUCE && v[n->a].lanes % n->lanes))
		return err_set(c->e, ERR_INTERNAL, "v%d makes %d lanes of %d", i, n->lanes,
			       v[n->a].lanes);
	if ((n->op == LOOP_GET || n->op == LOOP_SET) && (n->k < 0 || n->k >= c->l->acc.n))
		return err_set(c->e, ERR_INTERNAL, "node v%d: no accumulator %lld", i,
			       (long long)n->k);
	if (n->op == LOOP_ROOT && (n->k < 0 || n->k >= c->l->root.n))
		return err_set(c->e, ERR_INTERNAL, "node v%d: no root %lld", i, (long long)n->k);
	return OK;
}

/* Loops that are dealt lie in loops that every chunk runs, and have iterations of their own. */
static int
check_share(const Check *c, int i, int outside)
{
	const LoopNode *n = &c->l->node.v[i];

	if (n->c != SHARE_NONE &&
	    (outside != SHARE_ALL || !n->a || n->c > c->l->threads || n->c < SHARE_ALL))
		return err_set(c->e, ERR_INTERNAL, "loop v%d cannot be shared so", i);
	return OK;
}

static int
check_body(const Check *c, int body, int outside)
{
	const LoopBody *list = &c->l->body.v[body];
	int rc = OK, operand[3];

	for (int i = 0; i < list->n && !rc; i++) {
		int x = list->v[i];
		const LoopNode *n = &c->l->node.v[x];

		if (n->op == LOOP_LOOP) {
			rc = check_share(c, x, outside);
			if (!rc)
				rc = check_body(c, (int)n->k, n->c);
			continue;
		}
		loop_operands(n, operand);
		for (int k = 0; k < 3 && !rc; k++)
			rc = check_operand(c, x, operand[k]);
		if (!rc)
			rc = check_types(c, x);
		c->visible[x] = true;
	}
	for (int i = 0; i < list->n; i++)
		c->visible[list->v[i]] = false;
	return rc;
}

int
loop_check(const Loop *l, Err *e)
{
	Check c = {.l = l, .visible = ARENA_ARRAY(l->arena, bool, l->node.n + 1), .e = e};
	int rc = OK;

	for (int p = 0; p < l->phase.n && !rc; p++)
		rc = check_body(&c, l->phase.v[p], SHARE_ALL);
	return rc;
}
