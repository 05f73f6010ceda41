/* Task -> text. The text is canonical: its digest is the Task's key in the tuning log. */
#include <math.h>
#include <string.h>

#include "graph/task.h"

typedef struct Printer {
	const Task *t;
	const Stage *s;
	Str *out;
} Printer;

static void print_expr(Printer *p, int e, int level);

/* Precedence: 1 comparison, 2 sum, 3 product, 4 primary. */
static const struct {
	const char *sign;
	int level;
} infix[EXPR_COUNT] = {
	[EXPR_LT] = {"<", 1},  [EXPR_LE] = {"<=", 1}, [EXPR_EQ] = {"==", 1}, [EXPR_ADD] = {"+", 2},
	[EXPR_SUB] = {"-", 2}, [EXPR_MUL] = {"*", 3}, [EXPR_DIV] = {"/", 3},
};

static void
print_literal(Printer *p, double v, DType type)
{
	if (type == DT_F32)
		str_float(p->out, (float)v);
	else
		str_double(p->out, v);
	if (type != DT_F32)
		str_printf(p->out, ":%s", dtype_name(type));
}

static void
print_index(Printer *p, const Index *ix)
{
	size_t start = p->out->n;

	if (ix->via != TASK_NONE) {
		str_add(p->out, "@");
		print_expr(p, ix->via, 4);
	}
	for (int a = 0; a < p->s->naxes; a++) {
		int32_t c = ix->coef[a];

		if (!c)
			continue;
		if (p->out->n > start && c > 0)
			str_add(p->out, "+");
		if (c == -1)
			str_add(p->out, "-");
		else if (c != 1)
			str_printf(p->out, "%d*", c);
		str_add(p->out, p->s->axis[a].name);
	}
	if (p->out->n == start)
		str_printf(p->out, "%lld", (long long)ix->k);
	else if (ix->k)
		str_printf(p->out, "%+lld", (long long)ix->k);
}

static void
print_indices(Printer *p, const Index *ix, int n)
{
	for (int d = 0; d < n; d++) {
		if (d)
			str_add(p->out, ",");
		print_index(p, &ix[d]);
	}
}

static void
print_load(Printer *p, const Expr *x)
{
	const TaskTensor *src = &p->t->tensor.v[x->tensor];

	str_printf(p->out, "%s[", src->name);
	print_indices(p, x->ix, src->rank);
	if (x->has_else) {
		str_add(p->out, " else ");
		str_double(p->out, x->otherwise);
	}
	str_add(p->out, "]");
}

static void
print_infix(Printer *p, const Expr *x, int level)
{
	int own = infix[x->op].level;

	if (own < level)
		str_add(p->out, "(");
	print_expr(p, x->a, own);
	str_printf(p->out, " %s ", infix[x->op].sign);
	print_expr(p, x->b, own + 1);
	if (own < level)
		str_add(p->out, ")");
}

static void
print_call(Printer *p, const Expr *x)
{
	const int arg[] = {x->a, x->b, x->c};

	str_printf(p->out, "%s(", x->op == EXPR_CAST ? dtype_name(x->type) : expr_text(x->op));
	for (int i = 0; i < expr_operands(x->op); i++) {
		if (i)
			str_add(p->out, ", ");
		print_expr(p, arg[i], 0);
	}
	str_add(p->out, ")");
}

static void
print_expr(Printer *p, int e, int level)
{
	const Expr *x = &p->t->expr.v[e];

	switch (x->op) {
	case EXPR_LIT: print_literal(p, x->lit, x->type); break;
	case EXPR_LOAD: print_load(p, x); break;
	case EXPR_ACC: str_add(p->out, "acc"); break;
	case EXPR_INDEX:
		str_add(p->out, "index(");
		print_index(p, x->ix);
		str_printf(p->out, "):%s", dtype_name(x->type));
		break;
	case EXPR_IN:
		str_add(p->out, "in(");
		print_index(p, x->ix);
		str_printf(p->out, ",%lld,%lld):%s", (long long)x->lo, (long long)x->hi,
			   dtype_name(x->type));
		break;
	default:
		if (infix[x->op].sign)
			print_infix(p, x, level);
		else
			print_call(p, x);
	}
}

static void
print_tensor(const TaskTensor *x, Str *out)
{
	str_printf(out, "  %s %s %s[", tensor_kind_text(x->kind), x->name, dtype_name(x->type));
	for (int d = 0; d < x->rank; d++)
		str_printf(out, "%s%lld", d ? "," : "", (long long)x->dim[d]);
	str_add(out, "]");
	if (x->kind == TENSOR_LIT) {
		str_add(out, " =");
		for (int64_t i = 0; i < tensor_count(x); i++) {
			str_add(out, " ");
			str_double(out, x->lit[i]);
		}
	}
	str_add(out, "\n");
}

/* A space before each. */
static void
print_axes(const Stage *s, Str *out)
{
	for (int a = 0; a < s->naxes; a++)
		str_printf(out, "%s %s:%lld", a == s->nspatial ? " |" : "", s->axis[a].name,
			   (long long)s->axis[a].extent);
}

static void
print_stage(Printer *p)
{
	const Stage *s = p->s;

	str_add(p->out, "  stage");
	print_axes(s, p->out);
	str_add(p->out, "\n    ");
	if (s->comb != COMB_NONE) {
		str_printf(p->out, "acc %s %s ", dtype_name(s->acc_type), combiner_text(s->comb));
		print_expr(p, s->body, 0);
		str_add(p->out, "\n    ");
	}
	str_printf(p->out, "%s[", p->t->tensor.v[s->out].name);
	print_indices(p, s->out_ix, p->t->tensor.v[s->out].rank);
	str_add(p->out, "] = ");
	print_expr(p, s->value, 0);
	str_add(p->out, "\n");
}

void
task_print(const Task *t, Str *out)
{
	str_add(out, "task\n");
	for (int i = 0; i < t->tensor.n; i++)
		print_tensor(&t->tensor.v[i], out);
	for (int i = 0; i < t->stage.n; i++) {
		Printer p = {.t = t, .s = &t->stage.v[i], .out = out};

		print_stage(&p);
	}
}

const char *
task_axes(const Task *t, Arena *a)
{
	const Stage *s = &t->stage.v[0];
	Str text = {0};
	const char *kept;

	for (int i = 1; i < t->stage.n; i++)
		if (stage_macs(&t->stage.v[i]) > stage_macs(s))
			s = &t->stage.v[i];
	print_axes(s, &text);
	kept = arena_strdup(a, text.n ? text.s + 1 : "");
	str_fini(&text);
	return kept;
}
