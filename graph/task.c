/* Task: builders and the small queries on it. */
#include "graph/task.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_texts[] = {
#define X(name, text) text,
	TENSOR_KIND_LIST(X)
#undef X
};

static const char *const combiner_texts[] = {
#define X(name, text) text,
	COMBINER_LIST(X)
#undef X
};

static const struct {
	const char *text;
	int operands;
} exprs[] = {
#define X(name, text, n, sign) {text, n},
	EXPR_LIST(X)
#undef X
};

const char *
tensor_kind_text(TensorKind k)
{
	return kind_texts[k];
}

const char *
combiner_text(Combiner c)
{
	return combiner_texts[c];
}

const char *
expr_text(ExprOp op)
{
	return exprs[op].text;
}

int
expr_operands(ExprOp op)
{
	return exprs[op].operands;
}

DType
value_type(DType storage)
{
	switch (storage) {
	case DT_F16:
	case DT_BF16: return DT_F32;
	case DT_I8:
	case DT_U8:
	case DT_I16:
	case DT_U16: return DT_I32;
	default: return storage;
	}
}

Task *
task_new(Arena *a)
{
	Task *t = ARENA_NEW(a, Task);

	t->arena = a;
	return t;
}

Task *
task_copy(Arena *a, const Task *from)
{
	Task *t = task_new(a);

	for (int i = 0; i < from->tensor.n; i++) {
		TaskTensor x = from->tensor.v[i];

		if (x.lit)
			x.lit = arena_copy(a, x.lit, (size_t)tensor_count(&x) * sizeof *x.lit);
		vec_push(a, &t->tensor, x);
	}
	for (int i = 0; i < from->expr.n; i++) {
		Expr x = from->expr.v[i];

		if (x.ix) {
			int n = x.op == EXPR_LOAD ? from->tensor.v[x.tensor].rank : 1;

			x.ix = arena_copy(a, x.ix, (size_t)n * sizeof *x.ix);
		}
		vec_push(a, &t->expr, x);
	}
	for (int i = 0; i < from->stage.n; i++) {
		Stage s = from->stage.v[i];
		size_t n = (size_t)from->tensor.v[s.out].rank;

		s.out_ix = arena_copy(a, s.out_ix, n * sizeof *s.out_ix);
		vec_push(a, &t->stage, s);
	}
	return t;
}

static void
set_name(char to[TASK_NAME_MAX], const char *from)
{
	snprintf(to, TASK_NAME_MAX, "%.*s", TASK_NAME_MAX - 1, from);
}

int
task_tensor(Task *t, TensorKind kind, const char *name, DType type, int rank, const int64_t *dim)
{
	TaskTensor x = {.kind = kind, .type = type, .rank = rank};

	assert(rank >= 0 && rank <= TASK_RANK_MAX);
	set_name(x.name, name);
	for (int d = 0; d < rank; d++)
		x.dim[d] = dim[d];
	vec_push(t->arena, &t->tensor, x);
	return t->tensor.n - 1;
}

int
task_stage(Task *t, int out)
{
	size_t rank = (size_t)t->tensor.v[out].rank;
	Stage s = {.out = out, .body = TASK_NONE, .value = TASK_NONE, .acc_type = DT_F32};

	s.out_ix = ARENA_ARRAY(t->arena, Index, rank ? rank : 1);
	vec_push(t->arena, &t->stage, s);
	return t->stage.n - 1;
}

int
stage_axis(Task *t, int stage, const char *name, int64_t extent, bool reduce)
{
	Stage *s = &t->stage.v[stage];

	assert(s->naxes < STAGE_AXES_MAX && (reduce || s->nspatial == s->naxes));
	set_name(s->axis[s->naxes].name, name);
	s->axis[s->naxes].extent = extent;
	s->nspatial += !reduce;
	return s->naxes++;
}

static int
push(Task *t, Expr e)
{
	vec_push(t->arena, &t->expr, e);
	return t->expr.n - 1;
}

#define EXPR_EMPTY .a = TASK_NONE, .b = TASK_NONE, .c = TASK_NONE, .tensor = TASK_NONE

int
expr_lit(Task *t, DType type, double v)
{
	return push(t, (Expr){.op = EXPR_LIT, .type = type, EXPR_EMPTY, .lit = v});
}

int
expr_acc(Task *t, DType type)
{
	return push(t, (Expr){.op = EXPR_ACC, .type = type, EXPR_EMPTY});
}

int
expr_un(Task *t, ExprOp op, int a)
{
	Expr e = {.op = op, .type = t->expr.v[a].type, EXPR_EMPTY};

	e.a = a;
	return push(t, e);
}

int
expr_bin(Task *t, ExprOp op, int a, int b)
{
	bool compare = op == EXPR_LT || op == EXPR_LE || op == EXPR_EQ;
	Expr e = {.op = op, .type = compare ? DT_BOOL : t->expr.v[a].type, EXPR_EMPTY};

	e.a = a;
	e.b = b;
	return push(t, e);
}

int
expr_select(Task *t, int cond, int a, int b)
{
	Expr e = {.op = EXPR_SELECT, .type = t->expr.v[a].type, EXPR_EMPTY};

	e.a = cond;
	e.b = a;
	e.c = b;
	return push(t, e);
}

int
expr_cast(Task *t, DType type, int a)
{
	Expr e = {.op = EXPR_CAST, .type = type, EXPR_EMPTY};

	if (t->expr.v[a].type == type)
		return a;
	e.a = a;
	return push(t, e);
}

static const Index *
copy_indices(Task *t, const Index *ix, int n)
{
	return arena_copy(t->arena, ix, (size_t)(n ? n : 1) * sizeof *ix);
}

int
expr_load(Task *t, int tensor, const Index *ix)
{
	const TaskTensor *x = &t->tensor.v[tensor];
	Expr e = {.op = EXPR_LOAD, .type = value_type(x->type), EXPR_EMPTY};

	e.tensor = tensor;
	e.ix = copy_indices(t, ix, x->rank);
	return push(t, e);
}

int
expr_load_else(Task *t, int tensor, const Index *ix, double otherwise)
{
	int e = expr_load(t, tensor, ix);

	t->expr.v[e].has_else = true;
	t->expr.v[e].otherwise = otherwise;
	return e;
}

int
expr_index(Task *t, DType type, const Index *ix)
{
	Expr e = {.op = EXPR_INDEX, .type = type, EXPR_EMPTY};

	e.ix = copy_indices(t, ix, 1);
	return push(t, e);
}

int
expr_in(Task *t, DType type, const Index *ix, int64_t lo, int64_t hi)
{
	Expr e = {.op = EXPR_IN, .type = type, EXPR_EMPTY, .lo = lo, .hi = hi};

	e.ix = copy_indices(t, ix, 1);
	return push(t, e);
}

Index
index_const(int64_t k)
{
	return (Index){.k = k, .via = TASK_NONE};
}

Index
index_axis(int axis)
{
	Index ix = {.via = TASK_NONE};

	ix.coef[axis] = 1;
	return ix;
}

Index
index_add(Index a, const Index *b, int64_t scale)
{
	a.k += scale * b->k;
	for (int i = 0; i < STAGE_AXES_MAX; i++)
		a.coef[i] += (int32_t)scale * b->coef[i];
	if (b->via != TASK_NONE) {
		assert(a.via == TASK_NONE && scale == 1);
		a.via = b->via;
	}
	return a;
}

bool
index_equal(const Index *a, const Index *b)
{
	return a->k == b->k && a->via == b->via && !memcmp(a->coef, b->coef, sizeof a->coef);
}

bool
index_is_axis(const Index *ix, int axis)
{
	Index plain;

	if (axis == TASK_NONE)
		return false;
	plain = index_axis(axis);
	return index_equal(ix, &plain);
}

void
index_range(const Stage *s, const Index *ix, int64_t *lo, int64_t *hi)
{
	*lo = *hi = ix->k;
	for (int a = 0; a < s->naxes; a++) {
		int64_t span = ix->coef[a] * (s->axis[a].extent - 1);

		*(span < 0 ? lo : hi) += span;
	}
}

int64_t
tensor_count(const TaskTensor *t)
{
	int64_t n = 1;

	for (int d = 0; d < t->rank; d++)
		n *= t->dim[d];
	return n;
}

int
tensor_writer(const Task *t, int tensor)
{
	for (int s = 0; s < t->stage.n; s++)
		if (t->stage.v[s].out == tensor)
			return s;
	return TASK_NONE;
}

bool
tensor_is_made(const Task *t, int tensor)
{
	return tensor_writer(t, tensor) != TASK_NONE;
}

static bool
expr_is_const(const Task *t, int e)
{
	const Expr *x;

	if (e == TASK_NONE)
		return true;
	x = &t->expr.v[e];
	if (x->op == EXPR_LOAD) {
		const TaskTensor *src = &t->tensor.v[x->tensor];

		if (src->kind != TENSOR_CONST && src->kind != TENSOR_LIT)
			return false;
		for (int d = 0; d < src->rank; d++)
			if (!expr_is_const(t, x->ix[d].via))
				return false;
	}
	return expr_is_const(t, x->a) && expr_is_const(t, x->b) && expr_is_const(t, x->c);
}

bool
stage_is_const(const Task *t, int stage)
{
	const Stage *s = &t->stage.v[stage];

	return t->tensor.v[s->out].kind == TENSOR_CONST && expr_is_const(t, s->body) &&
	       expr_is_const(t, s->value);
}

int
stage_axis_named(const Stage *s, const char *name)
{
	for (int a = 0; a < s->naxes; a++)
		if (!strcmp(s->axis[a].name, name))
			return a;
	return TASK_NONE;
}

int
stage_spatial_axis(const Stage *s, const char *name)
{
	int a = stage_axis_named(s, name);

	return a < s->nspatial ? a : TASK_NONE;
}

int64_t
stage_macs(const Stage *s)
{
	int64_t n = 1;

	for (int a = 0; a < s->naxes; a++)
		n *= s->axis[a].extent;
	return n;
}

/* Operations of one evaluation; a multiplication feeding an addition counts as two. */
static double
expr_flops(const Task *t, int e)
{
	const Expr *x;
	double own;

	if (e == TASK_NONE)
		return 0;
	x = &t->expr.v[e];
	own = expr_operands(x->op) && x->op != EXPR_CAST ? 1 : 0;
	return own + expr_flops(t, x->a) + expr_flops(t, x->b) + expr_flops(t, x->c);
}

double
task_flops(const Task *t)
{
	double sum = 0;

	for (int i = 0; i < t->stage.n; i++) {
		const Stage *s = &t->stage.v[i];
		double points = 1, all;

		if (stage_is_const(t, i))
			continue;
		for (int a = 0; a < s->nspatial; a++)
			points *= (double)s->axis[a].extent;
		all = (double)stage_macs(s);
		if (s->comb != COMB_NONE)
			sum += all * (1 + expr_flops(t, s->body));
		sum += points * expr_flops(t, s->value);
	}
	return sum;
}

double
task_bytes(const Task *t)
{
	double sum = 0;

	for (int i = 0; i < t->tensor.n; i++) {
		const TaskTensor *x = &t->tensor.v[i];

		if (x->kind == TENSOR_IN || x->kind == TENSOR_CONST || x->kind == TENSOR_OUT)
			sum += (double)tensor_count(x) * (double)dtype_size(x->type);
	}
	return sum;
}

Digest
task_digest(const Task *t)
{
	Str s = {0};
	Digest d;

	task_print(t, &s);
	d = digest_of(str_get(&s), s.n);
	str_fini(&s);
	return d;
}
