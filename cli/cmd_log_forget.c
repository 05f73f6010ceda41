/* hone log forget: rows out of a log. What would go is told first; only --yes removes. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "cli/log_commands.h"
#include "cli/model.h"
#include "graph/plan.h"
#include "wire/status.h"

static int
read_date(const char *text, int64_t *out, Err *e)
{
	static const char *const form[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"};

	for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
		struct tm tm = {0};
		const char *end = strptime(text, form[i], &tm);
		int day = tm.tm_mday;

		if (!end || *end)
			continue;
		*out = timegm(&tm);
		if (*out > 0 && tm.tm_mday == day) /* 0 would be any time; no 31st of June */
			return OK;
	}
	return err_set(e, ERR_INPUT,
		       "--before: '%s', expected a date in UTC, 2026-01-31 or "
		       "2026-01-31T12:00",
		       text);
}

static int
read_status(const char *text, Err *e)
{
	for (int i = 0; i < STATUS_COUNT; i++)
		if (!strcmp(status_name((Status)i), text))
			return OK;
	return err_set(e, ERR_INPUT, "--status: '%s', expected one like OK, WRONG, CRASH, STALE",
		       text);
}

typedef VEC(const char *) Names;

/* The tasks of every plan that the log has of the model. */
static int
tasks_of_plans(Log *l, const Args *a, const Graph *g, Names *out, Err *e)
{
	LogPlan *plan;
	int n, rc = log_plans(l, a->arena, plan_key(g, (PlanMemory){0}, a->arena), &plan, &n, e);

	for (int i = 0; i < n && !rc; i++) {
		Plan *p;

		rc = plan_parse(plan[i].text, g, a->arena, &p, e);
		for (int t = 0; !rc && t < p->task.n; t++)
			vec_push(a->arena, out, arena_digest(a->arena, &p->task.v[t].task_key));
	}
	if (!rc && !n)
		rc = err_set(e, ERR_INPUT, "the log has no plan of this model");
	return rc;
}

static int
read_model(Log *l, const Args *a, const char *path, LogSelection *s, Err *e)
{
	Names names = {0};
	Model m;
	int rc = model_open(&m, path, a, e);

	if (!rc) {
		rc = tasks_of_plans(l, a, m.graph, &names, e);
		if (rc)
			err_prefix(e, "%s: ", path);
	}
	model_close(&m);
	vec_push(a->arena, &names, NULL);
	s->tasks = names.v;
	return rc;
}

static int
read_selection(Log *l, const Args *a, LogSelection *s, Err *e)
{
	const char *before = args_text(a, "before", NULL), *model = args_text(a, "model", NULL);
	int rc = OK;

	*s = (LogSelection){.task = args_text(a, "task", NULL),
			    .device = args_text(a, "device", NULL),
			    .target = args_text(a, "target", NULL),
			    .status = args_text(a, "status", NULL),
			    .insecure = args_has(a, "insecure")};
	if (!before && !model && !s->task && !s->device && !s->target && !s->status && !s->insecure)
		return err_set(e, ERR_INPUT, "which rows? --help lists what chooses them");
	if (before)
		rc = read_date(before, &s->before, e);
	if (!rc && s->status)
		rc = read_status(s->status, e);
	return !rc && model ? read_model(l, a, model, s, e) : rc;
}

static void
print_selected(const LogSelected *x, bool yes)
{
	char from[CLOCK_TEXT], to[CLOCK_TEXT];

	printf("%s %lld rows", yes ? "removes" : "would remove", (long long)x->rows);
	if (x->rows)
		printf(" of %lld tasks on %lld devices, %s to %s; %lld of them right, %lld winners "
		       "of races",
		       (long long)x->tasks, (long long)x->devices,
		       clock_text(from, "%Y-%m-%d", x->oldest),
		       clock_text(to, "%Y-%m-%d", x->newest), (long long)x->right,
		       (long long)x->winners);
	printf("\n");
}

static long long
file_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (long long)st.st_size;
}

static int
forget(Log *l, const char *path, const LogSelection *s, Err *e)
{
	long long before = file_bytes(path);
	int64_t removed;
	int rc = log_forget(l, s, &removed, e);

	if (!rc && removed)
		rc = log_shrink(l, e);
	if (!rc)
		printf("%lld rows removed, %lld bytes now, %lld before\n", (long long)removed,
		       file_bytes(path), before);
	return rc;
}

static int
run(const Args *a, Err *e)
{
	const char *path = a->operand.v[0];
	bool yes = args_has(a, "yes");
	LogSelection s;
	LogSelected x;
	Log *l;
	struct stat st;
	int rc;

	if (yes && stat(path, &st)) /* a log is not made to forget something */
		yes = false;
	rc = yes ? log_open(path, &l, e) : log_open_read(path, &l, e);
	if (!rc)
		rc = read_selection(l, a, &s, e);
	if (!rc)
		rc = log_select(l, &s, &x, e);
	if (!rc)
		print_selected(&x, yes);
	if (!rc && yes && x.rows)
		rc = forget(l, path, &s, e);
	else if (!rc && x.rows)
		printf("nothing was removed: say --yes\n");
	log_close(l);
	return rc;
}

static const ArgOption options[] = {
	{.name = "model",
	 .kind = ARG_TEXT,
	 .value = "FILE",
	 .help = "rows of the tasks of this model, by the plans that the log has of it"},
	{.name = "task",
	 .kind = ARG_TEXT,
	 .value = "DIGEST",
	 .help = "of tasks whose digest begins so"},
	{.name = "device",
	 .kind = ARG_TEXT,
	 .value = "TEXT",
	 .help = "measured on a processor whose model contains that"},
	{.name = "target",
	 .kind = ARG_TEXT,
	 .value = "TEXT",
	 .help = "of targets that contain that"},
	{.name = "status", .kind = ARG_TEXT, .value = "STATUS", .help = "with this status"},
	{.name = "before",
	 .kind = ARG_TEXT,
	 .value = "DATE",
	 .help = "measured before that, in UTC: 2026-01-31 or 2026-01-31T12:00"},
	{.name = "insecure", .help = "measured by agents that were open to anybody"},
	{.name = "yes", .help = "remove them; without it, nothing is changed"},
	MODEL_OPTIONS,
	{0},
};

const Command log_forget_command = {
	.name = "forget",
	.summary = "Remove rows from a log, and give back their room",
	.operands = "LOG",
	.min = 1,
	.max = 1,
	.text = "A row goes when all that is said holds for it. Texts that no row needs any more "
		"go\n"
		"with it. Without --yes it says what would go.",
	.option = options,
	.run = run,
};
