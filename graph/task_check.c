/* What is legal in a Task, one condition a line; the Task is printable whenever this passes. */
#include <string.h>

#include "graph/task.h"

typedef struct Check {
	const Task *t;
	const Stage *s; /* NULL outside stages */
	bool *written;  /* per tensor: an earlier stage wrote it */
	Err *e;
} Check;

#define REQUIRE(c, cond, ...)                                           \
	do {                                                            \
		if (!(cond))                                            \
			return err_set((c)->e, ERR_INPUT, __VA_ARGS__); \
	} while (0)

static const char *
tensor_name(const Check *c, int i)
{
	return c->t->tensor.v[i].name;
}

static int check_expr(Check *c, int e, bool in_body, int depth);

static int
check_via(Check *c, const Index *ix, bool in_body, int depth)
{
	const Expr *x;

	if (ix->via == TASK_NONE)
		return OK;
	REQUIRE(c, ix->via >= 0 && ix->via < c->t->expr.n, "index through a missing expression");
	x = &c->t->expr.v[ix->via];
	REQUIRE(c, x->op == EXPR_LOAD, "index through something that is not a load");
	REQUIRE(c, x->type == DT_I32 || x->type == DT_I64, "index through a tensor of %s",
		dtype_name(x->type));
	return check_expr(c, ix->via, in_body, depth + 1);
}

static int
check_load(Check *c, const Expr *x, bool in_body, int depth)
{
	const TaskTensor *src;

	REQUIRE(c, x->tensor >= 0 && x->tensor < c->t->tensor.n, "load of a missing tensor");
	src = &c->t->tensor.v[x->tensor];
	REQUIRE(c, c->written[x->tensor], "%s is read before a stage writes it", src->name);
	REQUIRE(c, x->type == value_type(src->type), "load of %s has type %s", src->name,
		dtype_name(x->type));
	for (int d = 0; d < src->rank; d++) {
		int64_t lo, hi;

		index_range(c->s, &x->ix[d], &lo, &hi);
		REQUIRE(c,
			x->has_else || x->ix[d].via != TASK_NONE || (lo >= 0 && hi < src->dim[d]),
			"index %d of %s runs from %lld to %lld, the extent is %lld", d, src->name,
			(long long)lo, (long long)hi, (long long)src->dim[d]);
		int rc = check_via(c, &x->ix[d], in_body, depth);
		if (rc)
			return rc;
	}
	return OK;
}

static int
check_operands(Check *c, const Expr *x, bool in_body, int depth)
{
	const int arg[] = {x->a, x->b, x->c};
	const Expr *e = c->t->expr.v;
	int n = expr_operands(x->op), rc;

	for (int i = 0; i < n; i++)
		if ((rc = check_expr(c, arg[i], in_body, depth + 1)))
			return rc;
	if (n == 2)
		REQUIRE(c, e[x->a].type == e[x->b].type, "%s of %s and %s", expr_text(x->op),
			dtype_name(e[x->a].type), dtype_name(e[x->b].type));
	if (x->op == EXPR_SELECT)
		REQUIRE(c, e[x->a].type == DT_BOOL && e[x->b].type == e[x->c].type,
			"select wants a bool and two operands of one type");
	if (x->op == EXPR_AND || x->op == EXPR_OR || x->op == EXPR_XOR || x->op == EXPR_NOT)
		REQUIRE(c, e[x->a].type == DT_BOOL, "%s wants bool", expr_text(x->op));
	else if (n && x->op != EXPR_SELECT && x->op != EXPR_CAST && x->op != EXPR_EQ)
		REQUIRE(c, e[x->a].type != DT_BOOL, "%s does not take bool", expr_text(x->op));
	if (x->op == EXPR_SQRT || (x->op >= EXPR_EXP && x->op <= EXPR_RINT) || x->op == EXPR_POW)
		REQUIRE(c, dtype_is_float(e[x->a].type), "%s wants a float", expr_text(x->op));
	return OK;
}

static int
check_expr(Check *c, int i, bool in_body, int depth)
{
	const Expr *x;

	REQUIRE(c, i >= 0 && i < c->t->expr.n, "missing expression");
	REQUIRE(c, depth < 200, "expression nested too deeply");
	x = &c->t->expr.v[i];
	REQUIRE(c, value_type(x->type) == x->type, "%s is not a value type", dtype_name(x->type));
	switch (x->op) {
	case EXPR_LIT: return OK;
	case EXPR_ACC:
		REQUIRE(c, !in_body && c->s->comb != COMB_NONE, "acc outside a final expression");
		REQUIRE(c, x->type == c->s->acc_type, "acc is %s here and %s there",
			dtype_name(x->type), dtype_name(c->s->acc_type));
		return OK;
	case EXPR_IN:
	case EXPR_INDEX:
		REQUIRE(c, x->ix[0].via == TASK_NONE, "%s of an indirect index", expr_text(x->op));
		return OK;
	case EXPR_LOAD: return check_load(c, x, in_body, depth);
	default: return check_operands(c, x, in_body, depth);
	}
}

/* Reduction axes may not occur where a final expression or an output index is evaluated. */
static bool
uses_reduction(const Task *t, const Stage *s, int e)
{
	const Expr *x;

	if (e == TASK_NONE)
		return false;
	x = &t->expr.v[e];
	if (x->ix) {
		int n = x->op == EXPR_LOAD ? t->tensor.v[x->tensor].rank : 1;

		for (int d = 0; d < n; d++) {
			for (int a = s->nspatial; a < s->naxes; a++)
				if (x->ix[d].coef[a])
					return true;
			if (uses_reduction(t, s, x->ix[d].via))
				return true;
		}
	}
	return uses_reduction(t, s, x->a) || uses_reduction(t, s, x->b) ||
	       uses_reduction(t, s, x->c);
}

static bool
is_arg(Combiner c)
{
	return c >= COMB_ARGMAX;
}

static int
check_reduction(Check *c, const Stage *s)
{
	int rc;

	REQUIRE(c, (s->comb == COMB_NONE) == (s->nspatial == s->naxes),
		"a combiner goes with reduction axes");
	if (s->comb == COMB_NONE)
		return OK;
	if ((rc = check_expr(c, s->body, true, 0)))
		return rc;
	if (is_arg(s->comb)) {
		REQUIRE(c, s->naxes == s->nspatial + 1, "argmax over more than one axis");
		REQUIRE(c, s->acc_type == DT_I32, "argmax has an i32 accumulator");
		REQUIRE(c, c->t->expr.v[s->body].type != DT_BOOL, "argmax of bool");
	} else {
		REQUIRE(c, c->t->expr.v[s->body].type == s->acc_type, "the body is %s, acc is %s",
			dtype_name(c->t->expr.v[s->body].type), dtype_name(s->acc_type));
		REQUIRE(c, s->acc_type != DT_BOOL, "acc may not be bool");
	}
	return OK;
}

static int
check_stage(Check *c, const Stage *s)
{
	const TaskTensor *out;
	int rc;

	c->s = s;
	REQUIRE(c, s->out >= 0 && s->out < c->t->tensor.n, "stage without output");
	out = &c->t->tensor.v[s->out];
	REQUIRE(c, out->kind == TENSOR_OUT || out->kind == TENSOR_TMP || out->kind == TENSOR_CONST,
		"a stage writes %s, which is an input", out->name);
	for (int a = 0; a < s->naxes; a++) {
		REQUIRE(c, s->axis[a].extent > 0 && s->axis[a].extent <= INT32_MAX,
			"axis %s has extent %lld", s->axis[a].name, (long long)s->axis[a].extent);
		for (int b = 0; b < a; b++)
			REQUIRE(c, strcmp(s->axis[a].name, s->axis[b].name), "axis %s twice",
				s->axis[a].name);
	}
	for (int d = 0; d < out->rank; d++) {
		REQUIRE(c, s->out_ix[d].via == TASK_NONE, "%s is written indirectly", out->name);
		for (int a = s->nspatial; a < s->naxes; a++)
			REQUIRE(c, !s->out_ix[d].coef[a], "reduction axis %s indexes %s",
				s->axis[a].name, out->name);
	}
	if ((rc = check_reduction(c, s)) || (rc = check_expr(c, s->value, false, 0)))
		return rc;
	REQUIRE(c, c->t->expr.v[s->value].type == value_type(out->type), "%s is %s, stored is %s",
		out->name, dtype_name(out->type), dtype_name(c->t->expr.v[s->value].type));
	REQUIRE(c, !uses_reduction(c->t, s, s->value),
		"a reduction axis occurs in the final expression of %s", out->name);
	c->written[s->out] = true;
	return OK;
}

static int
check_tensors(Check *c)
{
	const Task *t = c->t;

	for (int i = 0; i < t->tensor.n; i++) {
		const TaskTensor *x = &t->tensor.v[i];
		double n = 1;
		bool made = tensor_is_made(t, i);

		REQUIRE(c, x->rank >= 0 && x->rank <= TASK_RANK_MAX, "rank of %s", x->name);
		for (int d = 0; d < x->rank; d++) {
			REQUIRE(c, x->dim[d] > 0, "%s has extent %lld", x->name,
				(long long)x->dim[d]);
			n *= (double)x->dim[d];
		}
		REQUIRE(c, n <= INT32_MAX, "%s has too many elements", x->name);
		REQUIRE(c, (x->kind == TENSOR_LIT) == (x->lit != NULL), "contents of %s", x->name);
		for (int k = 0; k < i; k++)
			REQUIRE(c, strcmp(x->name, tensor_name(c, k)), "tensor %s twice", x->name);
		REQUIRE(c, made || (x->kind != TENSOR_OUT && x->kind != TENSOR_TMP),
			"no stage writes %s", x->name);
		c->written[i] = x->kind == TENSOR_IN || x->kind == TENSOR_LIT ||
				(x->kind == TENSOR_CONST && !made);
	}
	return OK;
}

int
task_check(const Task *t, Err *e)
{
	Check c = {.t = t, .e = e};
	int rc, outs = 0;

	c.written = ARENA_ARRAY(t->arena, bool, t->tensor.n + 1);
	if ((rc = check_tensors(&c)))
		return rc;
	for (int i = 0; i < t->stage.n; i++) {
		if ((rc = check_stage(&c, &t->stage.v[i]))) {
			err_prefix(e, "stage %d: ", i);
			return rc;
		}
		outs += t->tensor.v[t->stage.v[i].out].kind == TENSOR_OUT;
		REQUIRE(&c,
			t->tensor.v[t->stage.v[i].out].kind != TENSOR_CONST || stage_is_const(t, i),
			"const %s depends on an input", tensor_name(&c, t->stage.v[i].out));
	}
	REQUIRE(&c, outs > 0, "no stage writes an output");
	return OK;
}
