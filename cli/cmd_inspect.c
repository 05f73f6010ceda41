/* hone inspect: what a model consists of, and what hone makes of it: operators, sizes, tasks,
 * nodes that stay extern, and what is not supported. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/model.h"
#include "cli/plain.h"
#include "deploy/compile.h"
#include "graph/plan.h"

enum { NODES_WIDTH = 60 };

static const ArgOption options[] = {
	MODEL_OPTIONS,
	{.name = "json", .help = "print JSON"},
	{.name = "dump",
	 .kind = ARG_TEXT,
	 .value = "STAGE[,STAGE]",
	 .help = "print the text of these stages instead"},
	{0},
};

static const char *const stages[] = {COMPILE_DUMP_LIST(ARGS_WORD) NULL};

typedef struct Inspection {
	const Model *m;
	const Plan *plan; /* NULL when the import failed */
	int64_t parameters, parameter_bytes, macs;
	int64_t *task_macs; /* per PlanTask, of one use */
	int *task_step;     /* per PlanTask: its first step */
	size_t activation_bytes, peak_bytes;
} Inspection;

static void
count_parameters(Inspection *x)
{
	const Graph *g = x->m->graph;

	for (int i = 0; i < g->value.n; i++)
		if (g->value.v[i].is_const) {
			x->parameters += value_count(&g->value.v[i]);
			x->parameter_bytes += (int64_t)value_bytes(&g->value.v[i]);
		}
}

static void
count_macs(Inspection *x, Arena *a)
{
	const Plan *p = x->plan;

	x->task_macs = ARENA_ARRAY(a, int64_t, p->task.n + 1);
	x->task_step = ARENA_ARRAY(a, int, p->task.n + 1);
	for (int i = p->step.n - 1; i >= 0; i--) {
		const Step *s = &p->step.v[i];
		int64_t macs = 0;

		for (int k = 0; k < s->node.n; k++)
			macs += graph_node_macs(p->g, &p->g->node.v[s->node.v[k]]);
		x->macs += macs;
		if (s->kind == STEP_TASK) {
			x->task_macs[s->task] = macs;
			x->task_step[s->task] = i;
		}
	}
}

/* The buffer whose memory b is, when that is a temporary; else -1. */
static int
temporary(const Plan *p, int b)
{
	while (b >= 0 && p->buffer.v[b].view_of >= 0)
		b = p->buffer.v[b].view_of;
	return b >= 0 && p->buffer.v[b].kind == BUFFER_TEMPORARY ? b : -1;
}

/* Bytes of all temporaries, and of those that are needed at one time at most. */
static void
count_activations(Inspection *x, Arena *a)
{
	const Plan *p = x->plan;
	int *last = ARENA_ARRAY(a, int, p->buffer.n + 1);
	bool *live = ARENA_ARRAY(a, bool, p->buffer.n + 1);
	size_t now = 0;

	for (int i = 0; i < p->step.n; i++)
		for (int k = 0; k < p->step.v[i].in.n; k++) {
			int b = temporary(p, p->step.v[i].in.v[k]);

			if (b >= 0)
				last[b] = i;
		}
	for (int i = 0; i < p->step.n; i++) {
		for (int k = 0; k < p->step.v[i].out.n; k++) {
			int b = temporary(p, p->step.v[i].out.v[k]);

			if (b < 0 || live[b])
				continue;
			live[b] = true;
			now += p->buffer.v[b].bytes;
			x->activation_bytes += p->buffer.v[b].bytes;
		}
		if (now > x->peak_bytes)
			x->peak_bytes = now;
		for (int b = 0; b < p->buffer.n; b++)
			if (live[b] && last[b] == i)
				now -= p->buffer.v[b].bytes;
	}
}

static int
inspect(Inspection *x, Arena *a, Err *e)
{
	Plan *p;
	int rc = plan_build(x->m->graph, a, NULL, &p, e);

	if (rc)
		return rc;
	x->plan = p;
	count_parameters(x);
	count_macs(x, a);
	count_activations(x, a);
	return OK;
}

/* 1234567 as "1.23 M". */
static const char *
scaled(char text[24], double v)
{
	static const char *const unit[] = {"", " k", " M", " G", " T"};
	int u = 0;

	while (v >= 1000 && u < 4) {
		v /= 1000;
		u++;
	}
	snprintf(text, 24, u ? "%.2f%s" : "%.0f%s", v, unit[u]);
	return text;
}

static void
list_values(const Graph *g, const char *head, const int *value, int n)
{
	Str s = {0};

	for (int i = 0; i < n; i++) {
		const Value *v = &g->value.v[value[i]];

		str_clear(&s);
		shape_print(&s, v->type, v->rank, v->dim);
		printf("%-12s %s %s\n", i ? "" : head, plain_text(g->arena, v->name, PLAIN_WHOLE),
		       str_get(&s));
	}
	str_fini(&s);
}

static void
print_operators(const ImportReport *r)
{
	int column = printf("%-12s", "operators");

	for (int i = 0; i < r->op.n; i++) {
		if (column > 80)
			column = printf("\n%-12s", "");
		column += printf(" %s %d%s", plain_text(r->arena, r->op.v[i].name, PLAIN_WHOLE),
				 r->op.v[i].n, i + 1 < r->op.n ? "," : "");
	}
	putchar('\n');
}

/* The names of a step's nodes in a row, cut where they get too long. */
static void
print_nodes(const Plan *p, const Step *s)
{
	int column = 0;

	for (int k = 0; k < s->node.n && column < NODES_WIDTH; k++)
		column += printf(
			"%s%s", k ? " + " : "",
			plain_text(p->g->arena, p->g->node.v[s->node.v[k]].name, NODES_WIDTH));
	puts(!s->node.n ? "(copy)" : column < NODES_WIDTH ? "" : " ...");
}

/* What a step computes first. */
static const Value *
result_of(const Plan *p, const Step *s)
{
	int i = 0;

	while (s->out.v[i] < 0) /* outputs of a node that nobody wants */
		i++;
	return &p->g->value.v[p->buffer.v[s->out.v[i]].value];
}

static void
print_result(const Value *v)
{
	Str text = {0};

	shape_print(&text, v->type, v->rank, v->dim);
	printf("%-22s ", str_get(&text));
	str_fini(&text);
}

static void
print_tasks(const Inspection *x)
{
	const Plan *p = x->plan;
	char key[DIGEST_TEXT], form[DIGEST_TEXT], macs[24];

	printf("\n%-8s %-8s %5s %9s %6s  %-22s %s\n", "task", "form", "uses", "MACs", "share",
	       "result", "nodes");
	for (int i = 0; i < p->task.n; i++) {
		const PlanTask *t = &p->task.v[i];
		double all = (double)x->task_macs[i] * t->uses;

		digest_print(&t->task_key, key);
		digest_print(&t->form_key, form);
		printf("%.8s %.8s %5d %9s %5.1f%%  ", key, form, t->uses,
		       scaled(macs, (double)x->task_macs[i]),
		       x->macs ? 100 * all / (double)x->macs : 0.0);
		print_result(result_of(p, &p->step.v[x->task_step[i]]));
		print_nodes(p, &p->step.v[x->task_step[i]]);
	}
	for (int i = 0; i < p->step.n; i++)
		if (p->step.v[i].kind == STEP_EXTERN) {
			const Node *n = &p->g->node.v[p->step.v[i].node.v[0]];

			printf("%-17s %5d %9s %6s  ", "extern", 1,
			       scaled(macs, (double)graph_node_macs(p->g, n)), "");
			print_result(result_of(p, &p->step.v[i]));
			printf("%s (%s)\n", plain_text(p->g->arena, n->name, PLAIN_WHOLE),
			       op_info(n->op)->name);
		}
}

static void
print_text(const Inspection *x)
{
	const ImportReport *r = &x->m->report;
	char a[24], b[24];

	printf("%-12s %s\n", "model", x->m->path);
	printf("%-12s IR %lld, opset %lld%s%s\n", "format", (long long)r->ir_version,
	       (long long)r->opset, r->producer && *r->producer ? ", by " : "",
	       r->producer ? plain_text(r->arena, r->producer, PLAIN_WHOLE) : "");
	print_operators(r);
	if (x->plan) {
		const Graph *g = x->m->graph;

		list_values(g, "inputs", g->input.v, g->input.n);
		list_values(g, "outputs", g->output.v, g->output.n);
		printf("%-12s %s, %sB\n", "parameters", scaled(a, (double)x->parameters),
		       scaled(b, (double)x->parameter_bytes));
		printf("%-12s %s\n", "MACs", scaled(a, (double)x->macs));
		printf("%-12s %sB, at most %sB at once\n", "activations",
		       scaled(a, (double)x->activation_bytes), scaled(b, (double)x->peak_bytes));
		print_tasks(x);
	}
	for (int i = 0; i < r->unsupported.n; i++)
		printf("%-12s %s\n", "unsupported",
		       plain_text(r->arena, r->unsupported.v[i], PLAIN_WHOLE));
}

static void
json_value(Json *list, const char *key, const Value *v)
{
	Json *one = json_object(list, key), *shape;

	json_text(one, "name", v->name);
	json_text(one, "type", dtype_name(v->type));
	shape = json_array(one, "shape");
	for (int d = 0; d < v->rank; d++)
		json_number(shape, NULL, (double)v->dim[d]);
}

static void
json_values(Json *top, const char *key, const Graph *g, const int *value, int n)
{
	Json *list = json_array(top, key);

	for (int i = 0; i < n; i++)
		json_value(list, NULL, &g->value.v[value[i]]);
}

static void
json_nodes(Json *one, const Plan *p, const Step *s)
{
	Json *nodes = json_array(one, "nodes");

	for (int k = 0; k < s->node.n; k++)
		json_text(nodes, NULL, p->g->node.v[s->node.v[k]].name);
}

static void
json_tasks(Json *top, const Inspection *x)
{
	const Plan *p = x->plan;
	Json *tasks = json_array(top, "tasks"), *externs;
	char key[DIGEST_TEXT];

	for (int i = 0; i < p->task.n; i++) {
		Json *one = json_object(tasks, NULL);

		digest_print(&p->task.v[i].task_key, key);
		json_text(one, "task", key);
		digest_print(&p->task.v[i].form_key, key);
		json_text(one, "form", key);
		json_number(one, "uses", p->task.v[i].uses);
		json_number(one, "macs", (double)x->task_macs[i]);
		json_value(one, "result", result_of(p, &p->step.v[x->task_step[i]]));
		json_nodes(one, p, &p->step.v[x->task_step[i]]);
	}
	externs = json_array(top, "externs");
	for (int i = 0; i < p->step.n; i++)
		if (p->step.v[i].kind == STEP_EXTERN) {
			const Node *n = &p->g->node.v[p->step.v[i].node.v[0]];
			Json *one = json_object(externs, NULL);

			json_text(one, "node", n->name);
			json_text(one, "operator", op_info(n->op)->name);
			json_number(one, "macs", (double)graph_node_macs(p->g, n));
			json_value(one, "result", result_of(p, &p->step.v[i]));
		}
}

static void
print_json(const Inspection *x)
{
	const ImportReport *r = &x->m->report;
	const Graph *g = x->m->graph;
	Json *top = json_object(NULL, NULL), *ops, *lacking;

	json_text(top, "model", x->m->path);
	json_number(top, "ir_version", (double)r->ir_version);
	json_number(top, "opset", (double)r->opset);
	json_text(top, "producer", r->producer ? r->producer : "");
	ops = json_object(top, "operators");
	for (int i = 0; i < r->op.n; i++)
		json_number(ops, r->op.v[i].name, r->op.v[i].n);
	if (x->plan) {
		json_values(top, "inputs", g, g->input.v, g->input.n);
		json_values(top, "outputs", g, g->output.v, g->output.n);
		json_number(top, "parameters", (double)x->parameters);
		json_number(top, "parameter_bytes", (double)x->parameter_bytes);
		json_number(top, "macs", (double)x->macs);
		json_number(top, "activation_bytes", (double)x->activation_bytes);
		json_number(top, "activation_peak_bytes", (double)x->peak_bytes);
		json_tasks(top, x);
	}
	lacking = json_array(top, "unsupported");
	for (int i = 0; i < r->unsupported.n; i++)
		json_text(lacking, NULL, r->unsupported.v[i]);
	json_out(top);
}

/* Prints the stages that compile without a log goes through. */
static int
dump(const Model *m, Arena *a, unsigned which, Err *e)
{
	Str text = {0};
	CompileOptions opt = {.dump = which, .dumped = &text};
	Bundle bundle;
	int rc = compile(m->graph, a, &opt, &bundle, e);

	fputs(str_get(&text), stdout);
	str_fini(&text);
	return rc;
}

static int
run(const Args *a, Err *e)
{
	unsigned dumped = 0;
	Model m;
	Inspection x = {.m = &m};
	int rc = args_bits(a, "dump", stages, &dumped, e);

	if (rc)
		return rc;
	rc = model_import(&m, a->operand.v[0], a, e);
	if (!rc)
		rc = inspect(&x, a->arena, e);
	if (!rc && dumped)
		rc = dump(&m, a->arena, dumped, e);
	else if (!rc || rc == ERR_UNSUPPORTED)
		(args_has(a, "json") ? print_json : print_text)(&x);
	model_close(&m);
	return rc;
}

const Command cmd_inspect = {
	.name = "inspect",
	.summary = "Show what a model consists of and how hone would cut it into tasks",
	.operands = "MODEL.onnx",
	.min = 1,
	.max = 1,
	.text = "Operators, inputs and outputs, parameters, multiply-accumulates, memory of\n"
		"activations, tasks with the count of their uses, nodes computed by reference\n"
		"kernels (extern), and everything that is not supported (exit status 3).\n"
		"Stages to dump, as they come out without a tuning log:\n"
		" " COMPILE_DUMP_LIST(ARGS_HELP_WORD) ".",
	.option = options,
	.run = run,
};
