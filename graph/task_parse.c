/* Text -> Task. Recursive descent; every limit that keeps hostile text cheap is here. */
#include <string.h>

#include "base/lex.h"
#include "graph/task.h"

enum { DEPTH_MAX = 100, TENSORS_MAX = 256, EXPRS_MAX = 20000, LIT_MAX = 65536 };

typedef struct Parser {
	Lex l;
	Task *t;
	int stage; /* the stage being read */
	int depth;
} Parser;

static int parse_expr(Parser *p);

static Stage *
stage_of(Parser *p)
{
	return &p->t->stage.v[p->stage];
}

static int
find_tensor(const Task *t, const char *name)
{
	for (int i = 0; i < t->tensor.n; i++)
		if (!strcmp(t->tensor.v[i].name, name))
			return i;
	return TASK_NONE;
}

static DType
parse_type(Parser *p)
{
	char name[LEX_NAME_MAX];
	DType type = DT_F32;

	lex_name(&p->l, name);
	if (!p->l.failed && !dtype_parse(name, &type))
		lex_fail(&p->l, "'%s' is not an element type", name);
	return type;
}

static void
index_term(Parser *p, Index *ix, int sign)
{
	char name[LEX_NAME_MAX];
	int64_t v = 1;
	int a;

	if (lex_char(&p->l, '@')) {
		if (ix->via != TASK_NONE || sign < 0)
			lex_fail(&p->l, "one indirect term, added, is allowed");
		ix->via = parse_expr(p);
		return;
	}
	if (!lex_at_name(&p->l)) {
		v = lex_int(&p->l, -INT32_MAX, INT32_MAX);
		if (!lex_char(&p->l, '*')) {
			ix->k += sign * v;
			return;
		}
	}
	lex_name(&p->l, name);
	a = stage_axis_named(stage_of(p), name);
	if (a == TASK_NONE)
		lex_fail(&p->l, "no axis '%s'", name);
	else
		ix->coef[a] += (int32_t)(sign * v);
}

static Index
parse_index(Parser *p)
{
	Index ix = {.via = TASK_NONE};
	int sign = lex_char(&p->l, '-') ? -1 : 1;

	for (;;) {
		index_term(p, &ix, sign);
		if (lex_char(&p->l, '+'))
			sign = 1;
		else if (lex_char(&p->l, '-'))
			sign = -1;
		else
			return ix;
	}
}

static void
parse_indices(Parser *p, Index *ix, int n, const char *of)
{
	for (int d = 0; d < n; d++) {
		ix[d] = parse_index(p);
		if (d + 1 < n && !lex_char(&p->l, ','))
			lex_fail(&p->l, "%s has rank %d", of, n);
	}
}

static int
parse_load(Parser *p, const char *name)
{
	Index ix[TASK_RANK_MAX] = {{0}};
	int i = find_tensor(p->t, name), e;

	if (i == TASK_NONE) {
		lex_fail(&p->l, "no tensor '%s'", name);
		return expr_lit(p->t, DT_F32, 0);
	}
	lex_need(&p->l, '[');
	parse_indices(p, ix, p->t->tensor.v[i].rank, name);
	if (lex_word(&p->l, "else"))
		e = expr_load_else(p->t, i, ix, lex_number(&p->l));
	else
		e = expr_load(p->t, i, ix);
	lex_need(&p->l, ']');
	return e;
}

static int
parse_index_value(Parser *p, bool in)
{
	Index ix;
	int64_t lo = 0, hi = 0;
	DType type;

	lex_need(&p->l, '(');
	ix = parse_index(p);
	if (in) {
		lex_need(&p->l, ',');
		lo = lex_int(&p->l, INT32_MIN, INT32_MAX);
		lex_need(&p->l, ',');
		hi = lex_int(&p->l, INT32_MIN, INT32_MAX);
	}
	lex_need(&p->l, ')');
	lex_need(&p->l, ':');
	type = parse_type(p);
	return in ? expr_in(p->t, type, &ix, lo, hi) : expr_index(p->t, type, &ix);
}

static bool
function_named(const char *name, ExprOp *op)
{
	for (int i = 0; i < EXPR_COUNT; i++)
		if (expr_operands((ExprOp)i) && i != EXPR_CAST &&
		    !strcmp(expr_text((ExprOp)i), name)) {
			*op = (ExprOp)i;
			return true;
		}
	return false;
}

static int
parse_call(Parser *p, const char *name)
{
	int arg[3] = {TASK_NONE, TASK_NONE, TASK_NONE}, n = 1;
	DType type = DT_F32;
	ExprOp op = EXPR_CAST;

	if (!dtype_parse(name, &type)) {
		if (!function_named(name, &op)) {
			lex_fail(&p->l, "no function or type '%s'", name);
			return expr_lit(p->t, DT_F32, 0);
		}
		n = expr_operands(op);
	}
	lex_need(&p->l, '(');
	for (int i = 0; i < n; i++) {
		if (i)
			lex_need(&p->l, ',');
		arg[i] = parse_expr(p);
	}
	lex_need(&p->l, ')');
	if (op == EXPR_CAST) /* a cast to the own type is kept out of the tree */
		return expr_cast(p->t, type, arg[0]);
	return n == 1   ? expr_un(p->t, op, arg[0])
	       : n == 2 ? expr_bin(p->t, op, arg[0], arg[1])
			: expr_select(p->t, arg[0], arg[1], arg[2]);
}

static int
parse_primary(Parser *p)
{
	char name[LEX_NAME_MAX];
	int e;

	if (lex_char(&p->l, '(')) {
		e = parse_expr(p);
		lex_need(&p->l, ')');
		return e;
	}
	if (lex_at_number(&p->l)) {
		double v = lex_number(&p->l);

		return expr_lit(p->t, lex_char(&p->l, ':') ? parse_type(p) : DT_F32, v);
	}
	lex_name(&p->l, name);
	if (!strcmp(name, "acc"))
		return expr_acc(p->t, stage_of(p)->acc_type);
	if (!strcmp(name, "in") || !strcmp(name, "index"))
		return parse_index_value(p, name[2] == 0);
	if (lex_peek(&p->l, '['))
		return parse_load(p, name);
	return parse_call(p, name);
}

static int
parse_product(Parser *p)
{
	int a = parse_primary(p);

	for (;;) {
		if (lex_char(&p->l, '*'))
			a = expr_bin(p->t, EXPR_MUL, a, parse_primary(p));
		else if (lex_char(&p->l, '/'))
			a = expr_bin(p->t, EXPR_DIV, a, parse_primary(p));
		else
			return a;
	}
}

static int
parse_sum(Parser *p)
{
	int a = parse_product(p);

	for (;;) {
		if (lex_char(&p->l, '+'))
			a = expr_bin(p->t, EXPR_ADD, a, parse_product(p));
		else if (lex_char(&p->l, '-'))
			a = expr_bin(p->t, EXPR_SUB, a, parse_product(p));
		else
			return a;
	}
}

static int
parse_expr(Parser *p)
{
	int a = TASK_NONE;

	if (++p->depth > DEPTH_MAX || p->t->expr.n > EXPRS_MAX)
		lex_fail(&p->l, "expression too large");
	a = p->l.failed ? expr_lit(p->t, DT_F32, 0) : parse_sum(p);
	while (!p->l.failed) {
		ExprOp op = EXPR_EQ;

		if (lex_char(&p->l, '<'))
			op = lex_char(&p->l, '=') ? EXPR_LE : EXPR_LT;
		else if (lex_char(&p->l, '='))
			lex_need(&p->l, '=');
		else
			break;
		a = expr_bin(p->t, op, a, parse_sum(p));
	}
	p->depth--;
	return a;
}

static void
parse_literals(Parser *p, TaskTensor *x)
{
	double n = 1, *v;

	for (int d = 0; d < x->rank; d++)
		n *= (double)x->dim[d];
	if (n > LIT_MAX) {
		lex_fail(&p->l, "lit tensor with more than %d elements", LIT_MAX);
		return;
	}
	lex_need(&p->l, '=');
	v = ARENA_ARRAY(p->t->arena, double, n);
	for (int64_t i = 0; i < (int64_t)n && !p->l.failed; i++)
		v[i] = lex_number(&p->l);
	x->lit = v;
}

static void
parse_tensor(Parser *p, TensorKind kind)
{
	char name[LEX_NAME_MAX];
	int64_t dim[TASK_RANK_MAX];
	int rank = 0, i;
	DType type;

	lex_name(&p->l, name);
	type = parse_type(p);
	lex_need(&p->l, '[');
	while (!lex_peek(&p->l, ']') && !p->l.failed) {
		if (rank == TASK_RANK_MAX) {
			lex_fail(&p->l, "rank above %d", TASK_RANK_MAX);
			return;
		}
		dim[rank++] = lex_int(&p->l, 1, INT32_MAX);
		if (!lex_char(&p->l, ','))
			break;
	}
	lex_need(&p->l, ']');
	if (strlen(name) >= TASK_NAME_MAX || p->t->tensor.n >= TENSORS_MAX)
		lex_fail(&p->l, "name too long or too many tensors");
	if (p->l.failed)
		return;
	i = task_tensor(p->t, kind, name, type, rank, dim);
	if (kind == TENSOR_LIT)
		parse_literals(p, &p->t->tensor.v[i]);
}

/* The axes come before the output's name, so the stage is made with tensor 0 and corrected. */
static void
parse_stage_axes(Parser *p)
{
	bool reduce = false;

	while (!p->l.failed && (lex_at_name(&p->l) || lex_peek(&p->l, '|'))) {
		char name[LEX_NAME_MAX];
		int64_t extent;

		if (lex_char(&p->l, '|')) {
			reduce = true;
			continue;
		}
		lex_name(&p->l, name);
		lex_need(&p->l, ':');
		extent = lex_int(&p->l, 1, INT32_MAX);
		if (stage_of(p)->naxes == STAGE_AXES_MAX || strlen(name) >= TASK_NAME_MAX)
			lex_fail(&p->l, "too many axes or too long a name");
		if (!p->l.failed)
			stage_axis(p->t, p->stage, name, extent, reduce);
	}
	if (!lex_newline(&p->l))
		lex_fail(&p->l, "expected the end of the line");
}

static void
parse_reduction(Parser *p)
{
	char name[LEX_NAME_MAX];
	int body;

	stage_of(p)->acc_type = parse_type(p);
	lex_name(&p->l, name);
	for (int c = 1; c < COMB_COUNT; c++)
		if (!strcmp(name, combiner_text((Combiner)c)))
			stage_of(p)->comb = (Combiner)c;
	if (stage_of(p)->comb == COMB_NONE)
		lex_fail(&p->l, "'%s' is not a combiner", name);
	body = parse_expr(p);
	stage_of(p)->body = body;
	if (!lex_newline(&p->l))
		lex_fail(&p->l, "expected the end of the line");
}

static void
parse_stage(Parser *p)
{
	Index ix[TASK_RANK_MAX] = {{0}};
	char name[LEX_NAME_MAX];
	int out, value;

	if (!p->t->tensor.n || p->t->stage.n >= TASK_STAGES_MAX) {
		lex_fail(&p->l, "stage without tensors, or too many stages");
		return;
	}
	p->stage = task_stage(p->t, 0);
	parse_stage_axes(p);
	if (lex_word(&p->l, "acc"))
		parse_reduction(p);
	lex_name(&p->l, name);
	out = find_tensor(p->t, name);
	if (out == TASK_NONE) {
		lex_fail(&p->l, "no tensor '%s'", name);
		return;
	}
	lex_need(&p->l, '[');
	parse_indices(p, ix, p->t->tensor.v[out].rank, name);
	lex_need(&p->l, ']');
	lex_need(&p->l, '=');
	value = parse_expr(p);
	stage_of(p)->out = out;
	stage_of(p)->out_ix = arena_copy(p->t->arena, ix, sizeof ix);
	stage_of(p)->value = value;
}

static void
parse_line(Parser *p)
{
	if (lex_word(&p->l, "stage")) {
		parse_stage(p);
		return;
	}
	for (int k = 0; k < TENSOR_KIND_COUNT; k++)
		if (lex_word(&p->l, tensor_kind_text((TensorKind)k))) {
			parse_tensor(p, (TensorKind)k);
			return;
		}
	lex_fail(&p->l, "expected a tensor or a stage");
}

int
task_parse(const char *text, Arena *a, Task **out, Err *e)
{
	Parser p = {.t = task_new(a)};
	int rc;

	lex_init(&p.l, "task", text, e);
	lex_newline(&p.l);
	if (!lex_word(&p.l, "task"))
		lex_fail(&p.l, "expected 'task'");
	while (!lex_at_end(&p.l)) {
		parse_line(&p);
		if (!lex_newline(&p.l) && !lex_at_end(&p.l))
			lex_fail(&p.l, "expected the end of the line");
	}
	if ((rc = lex_done(&p.l)) || (rc = task_check(p.t, e)))
		return rc;
	*out = p.t;
	return OK;
}
