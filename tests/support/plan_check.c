/* Steps of a Plan against reference kernels, by the oracle. */
#include "tests/support/plan_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "graph/oracle.h"

typedef struct Check {
	const Graph *g;
	const Plan *p;
	Arena *a;
	void **all;       /* per value: what the reference kernels give */
	int64_t *written; /* per buffer: elements of its value that are there, parts included */
	int samples;
	PlanCheck *out;
	Str text; /* scratch */
} Check;

static bool wrong(Check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool
wrong(Check *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(&c->out->e, ERR_CHECK, "%s", text);
	return false;
}

/* Whether all of the buffer's value is there, as the buffer's own or as part of what it views. */
static bool
is_written(const Check *c, int buffer)
{
	for (; buffer >= 0; buffer = c->p->buffer.v[buffer].view_of)
		if (c->written[buffer] == value_count(&c->g->value.v[c->p->buffer.v[buffer].value]))
			return true;
	return false;
}

/* False when that is more than there is room for. */
static bool
write_buffer(const Check *c, int buffer)
{
	int64_t count = value_count(&c->g->value.v[c->p->buffer.v[buffer].value]);
	bool ok = true;

	for (; buffer >= 0; buffer = c->p->buffer.v[buffer].view_of) {
		c->written[buffer] += count;
		ok &= c->written[buffer] <=
		      value_count(&c->g->value.v[c->p->buffer.v[buffer].value]);
	}
	return ok;
}

/* Contents of the Task's in and const tensors. */
static const void **
task_data(Check *c, const Step *s, const Task *t)
{
	const void **data = ARENA_ARRAY(c->a, const void *, t->tensor.n + 1);
	int in = 0, constant = 0;

	for (int i = 0; i < t->tensor.n; i++) {
		if (t->tensor.v[i].kind == TENSOR_IN)
			data[i] = c->all[c->p->buffer.v[s->in.v[in++]].value];
		else if (t->tensor.v[i].kind == TENSOR_CONST && constant < s->constant.n)
			data[i] = c->all[s->constant.v[constant++]];
	}
	return data;
}

/* The rounding of the reference itself: one of the type's. */
static double
rounding(DType t)
{
	return t == DT_F64    ? 0x1p-52
	       : t == DT_F32  ? 0x1p-23
	       : t == DT_F16  ? 0x1p-10
	       : t == DT_BF16 ? 0x1p-7
			      : 0;
}

static void
print_index(Str *s, const int64_t *ix, int rank)
{
	str_add(s, "[");
	for (int d = 0; d < rank; d++)
		str_printf(s, "%s%lld", d ? "," : "", (long long)ix[d]);
	str_add(s, "]");
}

static bool
compare_element(Check *c, Oracle *o, const TaskTensor *x, int tensor, const void *ref, int64_t flat)
{
	double got = dtype_get(x->type, ref, (size_t)flat), allowed, off;
	int64_t ix[TASK_RANK_MAX], rest = flat;
	OracleValue v;

	for (int d = x->rank - 1; d >= 0; d--) {
		ix[d] = rest % x->dim[d];
		rest /= x->dim[d];
	}
	v = oracle_at(o, tensor, ix);
	c->out->elements++;
	if (v.err > 1e30 || isnan(v.err)) {
		c->out->undecided++;
		return true;
	}
	if (v.v == got || (isnan(v.v) && isnan(got)))
		return true;
	allowed = isfinite(v.v) ? v.err + rounding(x->type) * fabs(v.v) : 0;
	off = fabs(v.v - got);
	if (off / allowed > c->out->worst)
		c->out->worst = off / allowed;
	if (off <= allowed)
		return true;
	str_clear(&c->text);
	print_index(&c->text, ix, x->rank);
	return wrong(c, "%s%s is %.9g, the reference kernels give %.9g (allowed %.2g)", x->name,
		     c->text.s, v.v, got, allowed);
}

/* All elements, or the first and last ones and random ones between. */
static bool
compare_output(Check *c, Oracle *o, const Task *t, int tensor, int value)
{
	const TaskTensor *x = &t->tensor.v[tensor];
	int64_t count = tensor_count(x), edge = c->samples / 8;
	Rng r;

	if (x->rank != c->g->value.v[value].rank || x->type != c->g->value.v[value].type ||
	    count != value_count(&c->g->value.v[value]))
		return wrong(c, "%s is not of the shape of '%s'", x->name,
			     c->g->value.v[value].name);
	rng_init(&r, 1);
	for (int64_t i = 0; i < count && i < c->samples; i++) {
		int64_t at = count <= c->samples ? i
			     : i < edge          ? i
			     : i < 2 * edge      ? count - 1 - (i - edge)
						 : (int64_t)rng_below(&r, (uint64_t)count);

		if (!compare_element(c, o, x, tensor, c->all[value], at))
			return false;
	}
	return true;
}

static bool
task_reads_back(Check *c, const PlanTask *x)
{
	Task *again;
	Digest d;
	Err e = {0};

	str_clear(&c->text);
	task_print(x->task, &c->text);
	if (task_parse(str_get(&c->text), c->a, &again, &e))
		return wrong(c, "%s", e.msg);
	d = task_digest(again);
	return digest_equal(&d, &x->task_key) || wrong(c, "the task reads back as another one");
}

static bool
check_task(Check *c, const Step *s)
{
	const PlanTask *x = &c->p->task.v[s->task];
	const Task *t = x->task;
	Oracle *o = oracle_new(t, task_data(c, s, t));
	bool ok = task_reads_back(c, x);
	int out = 0;

	for (int i = 0; i < t->tensor.n && ok; i++)
		if (t->tensor.v[i].kind == TENSOR_OUT)
			ok = compare_output(c, o, t, i, c->p->buffer.v[s->out.v[out++]].value);
	oracle_free(o);
	return ok;
}

/* Steps read what was written before them, and write what nobody has written. */
static bool
check_order(Check *c, const Step *s)
{
	for (int i = 0; i < s->in.n; i++)
		if (s->in.v[i] >= 0 && !is_written(c, s->in.v[i]))
			return wrong(c, "reads '%s' before it is computed",
				     c->g->value.v[c->p->buffer.v[s->in.v[i]].value].name);
	for (int i = 0; i < s->out.n; i++) {
		if (s->out.v[i] < 0)
			continue;
		if (!write_buffer(c, s->out.v[i]))
			return wrong(c, "writes '%s' again",
				     c->g->value.v[c->p->buffer.v[s->out.v[i]].value].name);
	}
	return true;
}

static bool
check_step(Check *c, const Step *s)
{
	bool ok = check_order(c, s);
	const char *node = s->node.n ? c->g->node.v[s->node.v[0]].name : "a copy";

	if (s->kind == STEP_EXTERN) {
		c->out->externs++;
		c->out->extern_op[c->g->node.v[s->node.v[0]].op]++;
	} else {
		c->out->tasks++;
		c->out->reading += s->in.n > 0;
		ok = ok && check_task(c, s);
	}
	err_prefix(&c->out->e, "step of '%s': ", node);
	return ok;
}

static bool
check_outputs(Check *c)
{
	for (int i = 0; i < c->g->output.n; i++) {
		const Buffer *b = &c->p->buffer.v[c->p->output[i]];

		if (b->kind != BUFFER_OUTPUT || b->value != c->g->output.v[i])
			return wrong(c, "output %d is not where it should be", i);
		if (!is_written(c, c->p->output[i]))
			return wrong(c, "output %d is never written", i);
	}
	return true;
}

static bool
check_steps(Check *c)
{
	bool ok = true;

	for (int i = 0; i < c->g->input.n; i++)
		write_buffer(c, c->p->input[i]);
	for (int i = 0; i < c->p->step.n && ok; i++)
		ok = check_step(c, &c->p->step.v[i]);
	return ok && check_outputs(c);
}

static bool
same_numbers(const int *a, int n, const int *b, int m)
{
	return n == m && (!n || !memcmp(a, b, (size_t)n * sizeof *a));
}

static bool
same_plans(const Plan *p, const Plan *q)
{
	if (p->step.n != q->step.n || p->task.n != q->task.n || p->buffer.n != q->buffer.n)
		return false;
	for (int i = 0; i < p->task.n; i++) {
		const PlanTask *x = &p->task.v[i], *y = &q->task.v[i];

		if (x->uses != y->uses || !digest_equal(&x->task_key, &y->task_key) ||
		    !digest_equal(&x->form_key, &y->form_key))
			return false;
	}
	for (int i = 0; i < p->buffer.n; i++) {
		const Buffer *x = &p->buffer.v[i], *y = &q->buffer.v[i];

		if (x->kind != y->kind || x->value != y->value || x->view_of != y->view_of ||
		    x->bytes != y->bytes || !form_equal(&x->form, &y->form))
			return false;
	}
	for (int i = 0; i < p->step.n; i++) {
		const Step *x = &p->step.v[i], *y = &q->step.v[i];

		if (x->kind != y->kind || x->task != y->task ||
		    !same_numbers(x->node.v, x->node.n, y->node.v, y->node.n) ||
		    !same_numbers(x->in.v, x->in.n, y->in.v, y->in.n) ||
		    !same_numbers(x->out.v, x->out.n, y->out.v, y->out.n) ||
		    !same_numbers(x->constant.v, x->constant.n, y->constant.v, y->constant.n))
			return false;
	}
	return true;
}

static bool
plan_reads_back(Check *c)
{
	Plan *again;

	str_clear(&c->text);
	plan_print(c->p, &c->text);
	if (plan_parse(str_get(&c->text), c->g, c->a, &again, &c->out->e))
		return false;
	return same_plans(c->p, again) || wrong(c, "the plan reads back as another one");
}

bool
plan_check(const Graph *g, Arena *a, const void *const *data, int samples, const FormCost *cost,
	   PlanMemory memory, PlanCheck *out)
{
	Check c = {.g = g, .a = a, .samples = samples, .out = out};
	Plan *p;
	bool ok;

	*out = (PlanCheck){0};
	c.all = ARENA_ARRAY(a, void *, g->value.n + 1);
	if (graph_run(g, a, data, c.all, &out->e) ||
	    plan_build_within(g, a, cost, memory, &p, &out->e))
		return false;
	c.p = p;
	c.written = ARENA_ARRAY(a, int64_t, p->buffer.n + 1);
	for (int i = 0; i < p->buffer.n; i++)
		out->blocked += p->buffer.v[i].form.block_dim != TASK_NONE;
	for (int i = 0; i < p->groups.n && p->groups.rows; i++)
		out->strips += p->groups.rows[i] > 0;
	ok = check_steps(&c) && plan_reads_back(&c);
	str_fini(&c.text);
	return ok;
}
