/* The tuner's pieces without its log: a Problem per Task, parcels to the agent, a strategy over a
 * Space from which the algorithms that are not wanted were taken out. */
#include "bench/layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/median.h"
#include "bench/support.h"
#include "graph/import.h"
#include "graph/zoo.h"
#include "search_space/space_form.h"
#include "tuner/search.h"
#include "tuner/session.h"

enum {
	ROUND = 15,
	FINAL = 3,
	RACE_ROUNDS = 21,
	RUNS = 21,
	PATH_BYTES = 4096,
	WAIT_MS = 60000,
	KEPT_BYTES_MAX = 1 << 24
};

/* What is known of one Task. */
typedef struct Trials {
	Layers *l;
	int task;
	MeasureMode mode;
	Problem problem;
	ObjectCache object;
	Space space;
	LayerTime best[FINAL + 1]; /* fastest first; the last is room for one more */
} Trials;

/* rpc_server lies in the folder above this program's. */
static int
server_path(char path[PATH_BYTES], Err *e)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_BYTES - 16);

	if (n < 0)
		return err_set(e, ERR_IO, "/proc/self/exe");
	path[n] = 0;
	for (int up = 0; up < 2; up++)
		*strrchr(path, '/') = 0;
	strcat(path, "/rpc_server");
	return OK;
}

int
layers_open(Layers *l, const char *target, Err *e)
{
	char server[PATH_BYTES];
	int rc;

	*l = (Layers){.arena = arena_new()};
	if ((rc = server_path(server, e)) ||
	    (rc = device_open(&l->device, &(RpcWay){.server_path = server}, 0, (DeviceHooks){0},
			      e)))
		return rc;
	rc = target ? target_named(target, &l->target, e)
		    : target_of_device(device_info(&l->device), &l->target, e);
	return rc ? rc : emit_open("llvm", &l->target, &l->emit, e);
}

static int
set_plan(Layers *l, int rc)
{
	if (!rc)
		l->trials = ARENA_ARRAY(l->arena, Trials *, l->plan->task.n);
	return rc;
}

int
layers_graph(const char *name, Arena *a, Graph **out, Err *e)
{
	ImportOptions opt = {0};
	ImportReport rep;
	const void *bytes;
	size_t size;
	int rc;

	import_report_init(&rep);
	if (!(rc = zoo_build(name, 0, a, &bytes, &size, e)))
		rc = graph_import_memory(bytes, size, NULL, &opt, out, &rep, e);
	import_report_fini(&rep);
	return rc;
}

int
layers_of_model(Layers *l, const char *name, LayersEdit *edit, Err *e)
{
	SpaceForm how = {&l->target, TOLERANCE_DEFAULT};
	FormCost cost = space_form_cost(&how);
	int rc = layers_graph(name, l->arena, &l->graph, e);

	if (!rc && edit)
		rc = edit(l->graph, e);
	if (!rc) {
		graph_sweep(l->graph);
		rc = plan_build(l->graph, l->arena, &cost, &l->plan, e);
	}
	return set_plan(l, rc);
}

int
layers_of_texts(Layers *l, int n, const char *const *task, const char *const *form, Err *e)
{
	int rc = OK;

	l->plan = ARENA_NEW(l->arena, Plan);
	*l->plan = (Plan){.arena = l->arena};
	for (int i = 0; i < n && !rc; i++) {
		PlanTask p = {.uses = 1};

		if ((rc = task_parse(task[i], l->arena, &p.task, e)) ||
		    (rc = task_form_parse(form[i], p.task, l->arena, &p.form, e)))
			break;
		p.task_key = digest_of_text(task[i]);
		p.form_key = digest_of_text(form[i]);
		vec_push(l->arena, &l->plan->task, p);
	}
	return set_plan(l, rc);
}

void
layers_close(Layers *l)
{
	emit_close(l->emit);
	if (l->device.client)
		device_close(&l->device);
	graph_free(l->graph);
	arena_free(l->arena);
	*l = (Layers){0};
}

static const Step *
step_of(const Layers *l, int task)
{
	for (int i = 0; i < l->plan->step.n; i++)
		if (l->plan->step.v[i].kind == STEP_TASK && l->plan->step.v[i].task == task)
			return &l->plan->step.v[i];
	return NULL;
}

const Node *
layers_node(const Layers *l, int task)
{
	return &l->graph->node.v[step_of(l, task)->node.v[0]];
}

const char *
layers_label(const Layers *l, int task)
{
	return plan_label(l->plan, task, l->arena);
}

double
layers_flops(const Layers *l, int task)
{
	const Task *t = l->plan->task.v[task].task;
	double sum = 0;

	for (int i = 0; i < t->stage.n; i++)
		if (t->stage.v[i].comb == COMB_SUM && !stage_is_const(t, i))
			sum += 2 * (double)stage_macs(&t->stage.v[i]);
	return sum;
}

static double
median_ns(const Result *r)
{
	double v[SAMPLES_MAX];
	int n = 0;

	for (uint32_t i = 0; i < r->samples.n && n < SAMPLES_MAX; i++)
		v[n++] = r->samples.v[i];
	return median_sorting(v, n);
}

/* Sends the texts and waits. out[i].ns is INFINITY where a text was no candidate or not right. */
static int
run_texts(Trials *t, const char *const *text, int n, MeasureSpec measure, LayerTime *out, Err *e)
{
	ParcelSpec spec = {.problem = &t->problem,
			   .emit = t->l->emit,
			   .object = &t->object,
			   .text = text,
			   .n = n,
			   .measure = measure,
			   .deadline_ms = WAIT_MS};
	Parcel *p, *back;
	int rc = parcel_build(&spec, &p, e);

	if (rc)
		return rc;
	if (!parcel_complete(p)) {
		if ((rc = device_send(&t->l->device, p, e))) {
			parcel_free(p);
			return rc;
		}
		if ((rc = device_take(&t->l->device, WAIT_MS, &back, e)))
			return rc == NOT_APPLICABLE ? err_set(e, ERR_DEVICE, "no answer") : rc;
	}
	for (int i = 0; i < n; i++) {
		const Result *r = &p->item[i].result;

		out[i] = (LayerTime){text[i], INFINITY, 0};
		if (r->status != STATUS_OK)
			continue;
		out[i].ns = median_ns(r);
		out[i].peak = (r->calibration_before + r->calibration_after) / 2;
	}
	parcel_free(p);
	return OK;
}

/* Keeps the fastest few, each once. */
static void
keep(Trials *t, LayerTime x)
{
	int at = FINAL;

	for (int i = 0; i < FINAL; i++)
		if (t->best[i].text && !strcmp(t->best[i].text, x.text))
			return;
	for (; at && (!t->best[at - 1].text || x.ns < t->best[at - 1].ns); at--)
		t->best[at] = t->best[at - 1];
	t->best[at] = x;
}

static int
open_trials(Layers *l, int task, Trials **out, Err *e)
{
	const PlanTask *p = &l->plan->task.v[task];
	Trials *t = *out = l->trials[task];

	if (t)
		return OK;
	t = *out = l->trials[task] = ARENA_NEW(l->arena, Trials);
	*t = (Trials){.l = l, .task = task, .object = {.arena = l->arena}};
	return problem_build(l->arena, p->task, &p->form, &t->problem, e);
}

static int
search_round(Trials *t, const Search *s, void *state, int max, int *done, Err *e)
{
	Proposal p[ROUND];
	const char *text[ROUND];
	LayerTime time[ROUND];
	MeasureSpec m = {.mode = t->mode,
			 .warmup = 1,
			 .min_runs = 5,
			 .max_runs = 100,
			 .min_time_ns = 3000000,
			 .max_time_ns = 100000000,
			 .stop_above_ns = t->best[0].text ? 1.3 * t->best[0].ns : 0};
	int n = s->propose(state, max < ROUND ? max : ROUND, p), rc;

	*done = n;
	if (!n)
		return OK;
	for (int i = 0; i < n; i++)
		text[i] = space_text(&t->space, t->l->arena, &p[i].pick);
	if ((rc = run_texts(t, text, n, m, time, e)))
		return rc;
	for (int i = 0; i < n; i++) {
		s->report(state, &p[i].pick, time[i].ns);
		if (isfinite(time[i].ns))
			keep(t, time[i]);
	}
	return OK;
}

/* Takes the variants out whose algorithm is not wanted. */
static void
restrict_space(Space *s, const char *rewrite)
{
	int n = 0;

	for (int i = 0; i < s->variant.n; i++)
		if (!strncmp(s->variant.v[i].rewrite, rewrite, strlen(rewrite)))
			s->variant.v[n++] = s->variant.v[i];
	s->variant.n = n;
}

/* The finalists and the untuned choice, interleaved. */
static int
final_race(Trials *t, const char *first, LayerTime *best, LayerTime *untuned, Err *e)
{
	MeasureSpec m = {.mode = t->mode, .warmup = 1, .race_rounds = RACE_ROUNDS};
	const char *text[FINAL + 1] = {first};
	LayerTime time[FINAL + 1];
	int n = 1, rc;

	for (int i = 0; i < FINAL; i++)
		if (t->best[i].text && strcmp(t->best[i].text, first))
			text[n++] = t->best[i].text;
	if ((rc = run_texts(t, text, n, m, time, e)))
		return rc;
	*untuned = *best = time[0];
	for (int i = 1; i < n; i++)
		if (time[i].ns < best->ns)
			*best = time[i];
	return OK;
}

/* --- finalists kept in a file: a line that names the search, the texts, each with an empty line
 * behind it, and "end" --- */

static const char *
kept_name(const Trials *t, const char *rewrite)
{
	char task[DIGEST_TEXT], form[DIGEST_TEXT];

	digest_print(&t->l->plan->task.v[t->task].task_key, task);
	digest_print(&t->l->plan->task.v[t->task].form_key, form);
	return arena_printf(t->l->arena, "search %s %s %s %s %s\n", task, form, t->l->target.name,
			    t->mode == MEASURE_HOT ? "hot" : "cold", *rewrite ? rewrite : "any");
}

static bool
read_kept(Trials *t, const char *name)
{
	char *all = NULL;
	const char *at, *end;
	size_t size;
	int n = 0;

	if (!t->l->kept || file_read(t->l->kept, KEPT_BYTES_MAX, &all, &size, NULL))
		return false;
	at = strstr(all, name);
	for (at = at ? at + strlen(name) : NULL; at && n < FINAL; at = end + 2) {
		if (!strncmp(at, "end\n", 4) || !(end = strstr(at, "\n\n")))
			break;
		t->best[n++].text = arena_printf(t->l->arena, "%.*s", (int)(end + 1 - at), at);
	}
	free(all);
	return n > 0;
}

static void
write_kept(const Trials *t, const char *name)
{
	FILE *f = t->l->kept ? fopen(t->l->kept, "a") : NULL;

	if (!f)
		return;
	fputs(name, f);
	for (int i = 0; i < FINAL && t->best[i].text; i++)
		fprintf(f, "%s\n", t->best[i].text);
	fputs("end\n", f);
	fclose(f);
}

int
layer_search(Layers *l, int task, const char *rewrite, MeasureMode mode, int trials,
	     LayerTime *best, LayerTime *untuned, Err *e)
{
	const PlanTask *p = &l->plan->task.v[task];
	const Search *s = search_named(NULL);
	SearchOptions opt = {.trials = trials};
	const char *name;
	Lowered first;
	Trials *t;
	void *state;
	int done = 1, rc;

	*best = *untuned = (LayerTime){0};
	if ((rc = open_trials(l, task, &t, e)) ||
	    (rc = space_build(l->arena, p->task, &p->form, &l->target, TOLERANCE_DEFAULT, &t->space,
			      e)))
		return rc;
	memset(t->best, 0, sizeof t->best);
	t->mode = mode;
	restrict_space(&t->space, rewrite);
	if (!t->space.variant.n)
		return OK;
	if ((rc = lowered_estimate_in(l->arena, &t->space, p->task, &p->form, l->emit, &t->object,
				      &first, e)))
		return rc;
	name = kept_name(t, rewrite);
	if (!read_kept(t, name)) {
		state = s->start(l->arena, &t->space, &opt);
		for (int left = trials; left > 0 && done && !rc; left -= done)
			rc = search_round(t, s, state, left, &done, e);
		if (!rc)
			write_kept(t, name);
	}
	return rc ? rc : final_race(t, first.text, best, untuned, e);
}

int
layer_time(Layers *l, int task, const char *text, MeasureMode mode, LayerTime *out, Err *e)
{
	MeasureSpec m = {
		.mode = mode, .warmup = 2, .min_runs = RUNS, .max_runs = RUNS, .min_time_ns = 1};
	Trials *t;
	int rc = open_trials(l, task, &t, e);

	return rc ? rc : run_texts(t, &text, 1, m, out, e);
}
