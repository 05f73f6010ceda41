/* Rows of the log -> sections: which rows are meant, one group per machine, one section per model
 * on it.
 *
 * Rows are sorted by machine, task, form, time once; a Task of a section is a range of them. */
#include <stdlib.h>
#include <string.h>

#include "base/hardware.h"
#include "report/parts.h"
#include "search_space/rewrite.h"
#include "wire/sandbox.h"

typedef const LogRow *RowRef;
typedef VEC(RowRef) RowRefs;

typedef struct Builder {
	Log *log;
	Arena *a;
	const ReportOptions *opt;
	Report *out;
} Builder;

/* --- rows --- */

static int
compare_machines(const LogKey *a, const LogKey *b)
{
	const char *const x[] = {a->target,  a->device, a->driver,   a->runner,
				 a->threads, a->mode,   a->tolerance};
	const char *const y[] = {b->target,  b->device, b->driver,   b->runner,
				 b->threads, b->mode,   b->tolerance};
	int d = 0;

	for (size_t i = 0; i < sizeof x / sizeof *x && !d; i++)
		d = strcmp(x[i], y[i]);
	return d;
}

static int
compare_tasks(const LogKey *a, const LogKey *b)
{
	int d = strcmp(a->task, b->task);

	return d ? d : strcmp(a->form, b->form);
}

static int
by_machine_task_time(const void *a, const void *b)
{
	const LogRow *x = *(const RowRef *)a, *y = *(const RowRef *)b;
	int d = compare_machines(&x->key, &y->key);

	if (!d)
		d = compare_tasks(&x->key, &y->key);
	if (!d)
		d = (x->time > y->time) - (x->time < y->time);
	return d ? d : (x->id > y->id) - (x->id < y->id);
}

static bool
has(const char *text, const char *wanted)
{
	return !wanted || strstr(text, wanted);
}

static bool
is_selected(const ReportOptions *opt, const LogKey *k)
{
	return has(k->device, opt->device) && has(k->target, opt->target) &&
	       (!opt->task || !strncmp(k->task, opt->task, strlen(opt->task)));
}

static void
add_once(Arena *a, Str *list, const char *text)
{
	const char *line = arena_printf(a, "\n  %s", text);

	if (!strstr(str_get(list), line))
		str_add(list, line);
}

/* Nothing is selected: says what there is. */
static int
nothing(const Builder *b, const LogRow *row, int n, Err *e)
{
	Str list = {0};
	int rc;

	for (int i = 0; i < n && list.n < ERR_TEXT_MAX / 2; i++)
		add_once(b->a, &list,
			 arena_printf(b->a, "%s, %.60s", row[i].key.device, row[i].key.target));
	rc = n ? err_set(e, ERR_INPUT, "no row of the log is meant; it has rows of%s",
			 str_get(&list))
	       : err_set(e, ERR_INPUT, "no rows: nothing was measured yet");
	str_fini(&list);
	return rc;
}

/* --- facts over the rows of a section --- */

bool
row_is(const LogRow *r, Status s)
{
	return !strcmp(r->status, status_name(s));
}

bool
row_was_measured(const LogRow *r)
{
	return !r->race && !row_is(r, STATUS_STALE) && !row_is(r, STATUS_INFEASIBLE) &&
	       !row_is(r, STATUS_BUILD) && !row_is(r, STATUS_LOST) && !row_is(r, STATUS_CANCELLED);
}

#define add_word(a, list, word)                                         \
	do {                                                            \
		int at_ = 0;                                            \
		while (at_ < (list)->n && strcmp((list)->v[at_], word)) \
			at_++;                                          \
		if (at_ == (list)->n)                                   \
			vec_push(a, list, word);                        \
	} while (0)

static void
count_row(ReportSection *s, const LogRow *r, uint64_t *lacking, Arena *a)
{
	s->rows++;
	s->measured += row_was_measured(r);
	s->right += row_was_measured(r) && row_is(r, STATUS_OK);
	s->stale += row_is(r, STATUS_STALE);
	s->insecure += r->insecure != 0;
	s->races += r->race != 0;
	s->first = !s->first || r->time < s->first ? r->time : s->first;
	s->last = r->time > s->last ? r->time : s->last;
	if (r->nsample) { /* the others may never have run */
		s->boxed += r->sandbox != 0;
		s->unboxed += r->sandbox == 0;
		if (r->sandbox)
			*lacking |= SANDBOX_ALL & ~(uint64_t)r->sandbox;
	}
	add_word(a, &s->session, r->session);
	add_word(a, &s->generator, r->generator);
	add_word(a, &s->llvm, r->llvm);
}

static void
count_rows(ReportSection *s, const RowRefs *rows, Arena *a)
{
	char words[SANDBOX_WORDS_BYTES];
	uint64_t lacking = 0;

	for (int i = 0; i < rows->n; i++)
		count_row(s, rows->v[i], &lacking, a);
	sandbox_words(lacking, words);
	s->lacking = lacking ? arena_strdup(a, words) : "";
	s->emulated = !strncmp(s->key.device, DEVICE_EMULATED, sizeof DEVICE_EMULATED - 1);
}

/* "fma_gflops=243.1 l1_gbs=..." of the newest session that has one. */
static void
take_calibration(ReportSection *s, const ReportRuns *runs, Log *l, Arena *a)
{
	const struct {
		const char *name;
		double *to;
	} field[] = {{"fma_gflops=", &s->fma_gflops},
		     {"l1_gbs=", &s->l1_gbs},
		     {"l2_gbs=", &s->l2_gbs},
		     {"dram_gbs=", &s->dram_gbs}};
	Err ignored = {0};

	for (int i = 0; i < runs->n; i++) {
		const char *text, *at;

		if (log_get_text(l, a, LOG_TEXT_CALIBRATION, runs->v[i].name, &text, &ignored))
			continue;
		for (size_t k = 0; k < sizeof field / sizeof *field; k++) {
			double v;

			if ((at = strstr(text, field[k].name)) &&
			    (v = strtod(at + strlen(field[k].name), NULL)) > 0 && v < 1e9)
				*field[k].to = v;
		}
	}
}

static int
longest_first(const void *a, const void *b)
{
	const ReportTask *x = a, *y = b;
	double p = x->best_ns * (x->uses ? x->uses : 1), q = y->best_ns * (y->uses ? y->uses : 1);
	int d = (p < q) - (p > q);

	return d ? d : strcmp(x->task, y->task);
}

static void
sum_tasks(ReportSection *s)
{
	for (int i = 0; i < s->ntask; i++) {
		const ReportTask *t = &s->task[i];
		double uses = t->uses ? t->uses : 1;

		if (!(t->untuned_ns > 0 && t->best_ns > 0))
			continue;
		s->untuned_ns += uses * t->untuned_ns;
		s->best_ns += uses * t->best_ns;
		s->summed++;
	}
}

/* rows: those of the section's Tasks, which are set but for what their rows say. */
static void
fill(Builder *b, ReportSection *s, const RowRefs *rows)
{
	ReportRuns runs = report_runs(b->log, b->a, rows->v, rows->n);

	s->threads = atoi(s->key.threads);
	s->threads = s->threads > 0 && s->threads <= 4096 ? s->threads : 1;
	count_rows(s, rows, b->a);
	take_calibration(s, &runs, b->log, b->a);
	s->seconds = runs.seconds;
	for (int i = 0; i < s->ntask; i++) {
		report_task(&s->task[i], &runs, b->a);
		report_roofline(&s->task[i], s, b->log, b->a);
	}
	qsort(s->task, (size_t)s->ntask, sizeof *s->task, longest_first);
	sum_tasks(s);
	report_model_curve(s, &runs, b->a);
	report_failures(s, rows->v, rows->n, b->a);
	report_choices(s, b->a);
	report_costs(s, &runs, b->log, b->a);
	report_clock(&s->clock, &runs, rows->v, rows->n, b->a);
}

/* --- sections --- */

/* The Tasks of one machine's rows, which are sorted. */
typedef struct Ranges {
	VEC(ReportTask) task;
	bool *taken; /* by a model */
} Ranges;

static Ranges
ranges_of(const RowRef *row, int n, Arena *a)
{
	Ranges g = {0};
	int end;

	for (int i = 0; i < n; i = end) {
		for (end = i + 1; end < n && !compare_tasks(&row[i]->key, &row[end]->key); end++)
			;
		vec_push(a, &g.task,
			 ((ReportTask){.task = row[i]->key.task,
				       .form = row[i]->key.form,
				       .label = "",
				       .algorithm = "",
				       .sched = "",
				       .row = row + i,
				       .nrow = end - i}));
	}
	g.taken = ARENA_ARRAY(a, bool, g.task.n + 1);
	return g;
}

/* Of all forms of a Task the one with most rows. */
static int
range_of_any_form(const Ranges *g, const char *task)
{
	int best = -1;

	for (int i = 0; i < g->task.n; i++)
		if (!strcmp(g->task.v[i].task, task) &&
		    (best < 0 || g->task.v[i].nrow > g->task.v[best].nrow))
			best = i;
	return best;
}

/* Ranges are sorted by task and form. A form that is "" is any. */
static int
range_of(const Ranges *g, const SessionTask *t)
{
	int lo = 0, hi = g->task.n;

	if (!*t->form)
		return range_of_any_form(g, t->task);
	while (lo < hi) {
		int mid = (lo + hi) / 2, d = strcmp(g->task.v[mid].task, t->task);

		d = d ? d : strcmp(g->task.v[mid].form, t->form);
		if (!d)
			return mid;
		*(d < 0 ? &lo : &hi) = d < 0 ? mid + 1 : mid;
	}
	return -1;
}

static void
add_rows(Arena *a, RowRefs *rows, const ReportTask *t)
{
	for (int i = 0; i < t->nrow; i++)
		vec_push(a, rows, t->row[i]);
}

static ReportSection
section_init(const LogRow *r, const char *model, const char *graph)
{
	ReportSection s = {.model = model, .graph = graph, .key = r->key, .lacking = ""};

	s.key.task = s.key.form = NULL;
	return s;
}

static void
add_model(Builder *b, Ranges *g, const Session *m, const LogRow *any)
{
	ReportSection s = section_init(any, m->model, m->graph);
	RowRefs rows = {0};

	s.task = ARENA_ARRAY(b->a, ReportTask, m->task.n + 1);
	for (int i = 0; i < m->task.n; i++) {
		int at = range_of(g, &m->task.v[i]);

		if (at < 0) {
			s.absent++;
			continue;
		}
		s.task[s.ntask] = g->task.v[at];
		s.task[s.ntask].uses = m->task.v[i].uses;
		s.task[s.ntask++].label = m->task.v[i].label;
		add_rows(b->a, &rows, &g->task.v[at]);
		g->taken[at] = true;
	}
	if (!s.ntask)
		return;
	fill(b, &s, &rows);
	vec_push(b->a, &b->out->section, s);
}

static void
add_rest(Builder *b, const Ranges *g, const LogRow *any)
{
	ReportSection s = section_init(any, "", "");
	RowRefs rows = {0};

	s.task = ARENA_ARRAY(b->a, ReportTask, g->task.n + 1);
	for (int i = 0; i < g->task.n; i++)
		if (!g->taken[i]) {
			s.task[s.ntask++] = g->task.v[i];
			add_rows(b->a, &rows, &g->task.v[i]);
		}
	if (!s.ntask)
		return;
	fill(b, &s, &rows);
	vec_push(b->a, &b->out->section, s);
}

/* Each Task once, whatever its form. */
static void
forget_forms(Session *m)
{
	int kept = 0;

	for (int i = 0; i < m->task.n; i++) {
		SessionTask *t = m->task.v;
		int k = 0;

		while (k < kept && strcmp(t[k].task, t[i].task))
			k++;
		if (k < kept) {
			t[k].uses += t[i].uses;
			continue;
		}
		t[kept] = t[i];
		t[kept++].form = "";
	}
	m->task.n = kept;
}

/* What opt->model consists of on this machine: by the log's Plan; where it has none, as after an
 * import, the same Tasks under whatever Forms the log has. */
static int
session_of_model(const Builder *b, const char *target, Session *out, Err *e)
{
	PlanMemory memory = {b->opt->memory, 1};
	const Graph *g = b->opt->model;
	const char *text;
	Err ignored = {0};
	Plan *p;
	int rc;

	if (log_get_plan(b->log, b->a, plan_key(g, memory, b->a), target, &text, &ignored) == OK &&
	    plan_parse(text, g, b->a, &p, &ignored) == OK) {
		*out = session_of_plan(p, memory, b->a);
		return OK;
	}
	rc = plan_build_within(g, b->a, NULL, memory, &p, e);
	if (rc)
		return rc;
	*out = session_of_plan(p, memory, b->a);
	forget_forms(out);
	return OK;
}

static bool
is_wanted(const ReportOptions *opt, const Session *m)
{
	return !opt->graph || !strcmp(m->model, opt->graph) ||
	       !strncmp(m->graph, opt->graph, strlen(opt->graph));
}

/* The newest session of each model that has rows among these. */
static void
add_models(Builder *b, Ranges *g, const RowRef *row, int n)
{
	ReportRuns runs = report_runs(b->log, b->a, row, n);

	for (int i = runs.n - 1; i >= 0; i--) {
		const Session *m = runs.v[i].session;
		bool newer = false;

		for (int k = i + 1; m && k < runs.n; k++)
			newer |= runs.v[k].session && !strcmp(runs.v[k].session->graph, m->graph);
		if (m && !newer && is_wanted(b->opt, m))
			add_model(b, g, m, row[0]);
	}
}

static int
add_machine(Builder *b, const RowRef *row, int n, Err *e)
{
	Ranges g = ranges_of(row, n, b->a);
	Session m;
	int rc;

	if (b->opt->model) {
		rc = session_of_model(b, row[0]->key.target, &m, e);
		if (!rc)
			add_model(b, &g, &m, row[0]);
		return rc;
	}
	add_models(b, &g, row, n);
	if (!b->opt->graph)
		add_rest(b, &g, row[0]);
	return OK;
}

static int
check_sections(const Builder *b, Err *e)
{
	const Report *r = b->out;

	if (r->section.n > REPORT_SECTIONS_MAX)
		return err_set(e, ERR_INPUT,
			       "%d models and machines, expected at most %d: select some",
			       r->section.n, REPORT_SECTIONS_MAX);
	if (r->section.n)
		return OK;
	if (b->opt->model)
		return err_set(e, ERR_INPUT, "no row of the log is of a task of this model");
	return err_set(e, ERR_INPUT,
		       "--graph %s: no session of the log says that it tuned that; give the model "
		       "itself with --model FILE",
		       b->opt->graph);
}

int
report_build(Log *l, Arena *a, const ReportOptions *opt, Report *out, Err *e)
{
	Builder b = {.log = l, .a = a, .opt = opt, .out = out};
	LogKey any = {0};
	RowRefs ref = {0};
	LogRow *row;
	int n, end, rc = log_rows(l, a, &any, &row, &n, e);

	*out = (Report){.name = opt->name ? opt->name : "", .rows = n};
	for (int i = 0; i < n && !rc; i++)
		if (is_selected(opt, &row[i].key))
			vec_push(a, &ref, &row[i]);
	if (!rc && !ref.n)
		rc = nothing(&b, row, n, e);
	if (rc)
		return rc;
	qsort(ref.v, (size_t)ref.n, sizeof *ref.v, by_machine_task_time);
	for (int i = 0; i < ref.n && !rc; i = end) {
		for (end = i + 1;
		     end < ref.n && !compare_machines(&ref.v[i]->key, &ref.v[end]->key); end++)
			;
		rc = add_machine(&b, ref.v + i, end - i, e);
	}
	return rc ? rc : check_sections(&b, e);
}
