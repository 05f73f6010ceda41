/* hone log: looking into tuning logs, and text in and out of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/log_commands.h"
#include "cli/plain.h"
#include "db/log.h"
#include "graph/task.h"
#include "tuner/race.h"
#include "wire/sandbox.h"

enum { SHORT_DIGEST = 8, IMPORT_MAX = 1 << 30, STATUS_MAX = 24, BOARD_MAX = 40 };

/* What is shown of a task: the axes of its longest stage, and its operations. */
typedef struct TaskSummary {
	const char *axes; /* "k:64 p:56 q:56 | c:64 i:3 j:3"; "" when the text is not known */
	double flops;
} TaskSummary;

static TaskSummary
summarise(Log *l, Arena *a, const char *digest)
{
	TaskSummary x = {.axes = ""};
	const char *text;
	Err ignored = {0};
	Task *t;

	if (log_get_text(l, a, "task", digest, &text, &ignored) ||
	    task_parse(text, a, &t, &ignored))
		return x;
	x.axes = task_axes(t, a);
	x.flops = task_flops(t);
	return x;
}

const char *
log_problem(Log *l, Arena *a, const char *task)
{
	return summarise(l, a, task).axes;
}

/* Columns of the terminal that a line may take; a pipe takes any. */
static int
line_width(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || w.ws_col < 40)
		return 1 << 20;
	return w.ws_col;
}

/* Names of the boards that measured, by session. */
typedef struct BoardNames {
	Log *l;
	Arena *a, *line; /* line: of what is being printed */
	VEC(const char *) session, name;
	int columns; /* that they take; 0: they are not shown */
} BoardNames;

/* "" when the log does not say. */
static const char *
board_of(BoardNames *b, const LogRow *r)
{
	const char *name = "";
	Err ignored = {0};

	for (int i = b->session.n - 1; i >= 0; i--)
		if (!strcmp(b->session.v[i], r->session))
			return b->name.v[i];
	log_get_text(b->l, b->a, LOG_TEXT_BOARD, r->session, &name, &ignored);
	vec_push(b->a, &b->session, r->session);
	vec_push(b->a, &b->name, name);
	return name;
}

/* They are shown where they tell rows apart, or a row is of a run of several boards. */
static void
size_boards(BoardNames *b, const LogRow *row, int n)
{
	size_t longest = sizeof "board" - 1;
	bool several = false;

	for (int i = 0; i < n; i++) {
		const char *name = board_of(b, &row[i]);

		several |= strchr(row[i].session, '.') || strcmp(name, b->name.v[0]);
		longest = strlen(name) > longest ? strlen(name) : longest;
	}
	b->columns = !several ? 0 : longest < BOARD_MAX ? (int)longest : BOARD_MAX;
}

static void
print_row_head(const BoardNames *b)
{
	printf("%6s  %-12s %12s %8s %5s  %-17s  %-*s%sschedule\n", "id", "status", "best us",
	       "GFLOPS", "peak", "time", b->columns, b->columns ? "board" : "",
	       b->columns ? "  " : "");
}

static void
print_row(const LogRow *r, double flops, BoardNames *b)
{
	char ns[24] = "", gflops[24] = "", share[24] = "", when[CLOCK_TEXT];
	double peak = peak_of(r->calibration_before, r->calibration_after);
	const char *text = r->sched;
	int used;

	arena_reset(b->line);
	if (r->best_ns > 0)
		snprintf(ns, sizeof ns, "%.2f", r->best_ns / 1e3);
	if (r->best_ns > 0 && flops > 0)
		snprintf(gflops, sizeof gflops, "%.2f", flops / r->best_ns);
	if (r->best_ns > 0 && flops > 0 && peak > 0)
		snprintf(share, sizeof share, "%.0f%%", 100 * flops / r->best_ns / peak);
	clock_text(when, "%Y-%m-%d %H:%MZ", r->time);
	used = printf("%6lld  %-12s %12s %8s %5s  %-17s  ", (long long)r->id,
		      plain_text(b->line, r->status, STATUS_MAX), ns, gflops, share, when);
	if (b->columns)
		used += printf("%-*s  ", b->columns,
			       plain_text(b->line, board_of(b, r), b->columns));
	if (*r->reason)
		text = strcmp(r->status, "OK")
			       ? r->reason
			       : arena_printf(b->line, "(%s) %s", r->reason, r->sched);
	puts(plain_text(b->line, text, line_width() - used));
}

static void
print_task_head(const LogRow *r, const TaskSummary *t, Arena *a)
{
	printf("\ntask %.*s form %.*s  %s\n", SHORT_DIGEST, plain_text(a, r->key.task, DIGEST_TEXT),
	       SHORT_DIGEST, plain_text(a, r->key.form, DIGEST_TEXT), t->axes);
}

static void
json_row(Json *list, BoardNames *b, const LogRow *r)
{
	Json *one = json_object(list, NULL), *samples;
	char layers[SANDBOX_WORDS_BYTES];
	const char *machine;
	Err ignored = {0};

	json_number(one, "id", (double)r->id);
#define X(field, text) json_text(one, #field, r->key.field);
	LOG_KEY_LIST(X)
#undef X
	json_text(one, "algorithm", r->algorithm);
	json_text(one, "sched", r->sched);
	json_text(one, "status", r->status);
	json_text(one, "reason", r->reason);
	json_number(one, "best_ns", r->best_ns);
	json_number(one, "median_ns", r->median_ns);
	samples = json_array(one, "samples");
	for (int i = 0; i < r->nsample; i++)
		json_number(samples, NULL, r->samples[i]);
	json_number(one, "max_error", r->max_error);
	json_number(one, "calibration_before", r->calibration_before);
	json_number(one, "calibration_after", r->calibration_after);
	json_number(one, "expected_ns", r->expected_ns);
	json_text(one, "code", r->code);
	json_text(one, "generator", r->generator);
	json_text(one, "llvm", r->llvm);
	json_bool(one, "insecure", r->insecure);
	json_text(one, "stage", r->stage);
	json_text(one, "session", r->session);
	if (*board_of(b, r))
		json_text(one, "board", board_of(b, r));
	if (log_get_text(b->l, b->a, LOG_TEXT_CALIBRATION, r->session, &machine, &ignored) == OK)
		json_text(one, "session_calibration", machine);
	json_number(one, "seed", (double)r->seed);
	json_number(one, "race", (double)r->race);
	sandbox_words((uint64_t)r->sandbox, layers);
	json_text(one, "sandbox", layers);
	json_number(one, "time", (double)r->time);
}

static void
print_json(Log *l, Arena *a, const LogRow *row, int n)
{
	Json *list = json_array(NULL, NULL);
	BoardNames b = {.l = l, .a = a};

	for (int i = 0; i < n; i++)
		json_row(list, &b, &row[i]);
	json_out(list);
}

/* Rows in the order given; a head line wherever the task or its form changes. */
static void
print_rows(Log *l, Arena *a, const LogRow *row, int n)
{
	BoardNames b = {.l = l, .a = a, .line = arena_new()};
	TaskSummary t = {0};

	size_boards(&b, row, n);
	if (n)
		print_row_head(&b);
	for (int i = 0; i < n; i++) {
		if (!i || strcmp(row[i].key.task, row[i - 1].key.task) ||
		    strcmp(row[i].key.form, row[i - 1].key.form)) {
			t = summarise(l, a, row[i].key.task);
			print_task_head(&row[i], &t, b.line);
		}
		print_row(&row[i], t.flops, &b);
	}
	arena_free(b.line);
}

int
log_rows_asked(Log *l, const Args *a, bool only_best, LogRow **row, int *n, Err *e)
{
	const char *prefix = args_text(a, "task", "");
	LogKey any = {0};
	int kept = 0, rc = only_best ? log_best_rows(l, a->arena, row, n, e)
				     : log_rows(l, a->arena, &any, row, n, e);

	if (rc)
		return rc;
	for (int i = 0; i < *n; i++)
		if (!strncmp((*row)[i].key.task, prefix, strlen(prefix)))
			(*row)[kept++] = (*row)[i];
	*n = kept;
	if (!only_best)
		log_sort(*row, *n);
	return OK;
}

static int
show(const Args *a, bool only_best, Err *e)
{
	LogRow *row;
	Log *l;
	int n, rc = log_open_read(a->operand.v[0], &l, e);

	if (rc)
		return rc;
	rc = log_rows_asked(l, a, only_best, &row, &n, e);
	if (!rc && args_has(a, "json"))
		print_json(l, a->arena, row, n);
	else if (!rc)
		print_rows(l, a->arena, row, n);
	log_close(l);
	return rc;
}

static int
run_show(const Args *a, Err *e)
{
	return show(a, false, e);
}

static int
run_best(const Args *a, Err *e)
{
	return show(a, true, e);
}

static int
import_file(Log *l, const char *path, int64_t *refused, Err *e)
{
	LogImport in = {0};
	char *text;
	size_t size;
	int rc = file_read(path, IMPORT_MAX, &text, &size, e);

	if (rc)
		return rc;
	rc = log_import(l, text, size, &in, e);
	if (rc)
		err_prefix(e, "%s: ", path);
	else
		printf("%s: %lld added, %lld known, %lld refused\n", path, (long long)in.added,
		       (long long)in.known, (long long)in.refused);
	for (char *line = in.reasons.s, *next; line && *line && !rc; line = next) {
		next = strchr(line, '\n') + 1;
		plain_note("%s: %.*s", path, (int)(next - line - 1), line);
	}
	*refused += in.refused;
	str_fini(&in.reasons);
	free(text);
	return rc;
}

static int
run_import(const Args *a, Err *e)
{
	int64_t refused = 0;
	Log *l;
	int rc = log_open(a->operand.v[0], &l, e);

	if (rc)
		return rc;
	for (int i = 1; i < a->operand.n && !rc; i++)
		rc = import_file(l, a->operand.v[i], &refused, e);
	log_close(l);
	if (!rc && refused)
		rc = err_set(e, ERR_INPUT, "%lld lines refused, listed above", (long long)refused);
	return rc;
}

static const ArgOption show_options[] = {
	{.name = "task",
	 .kind = ARG_TEXT,
	 .value = "DIGEST",
	 .help = "only tasks whose digest begins so"},
	{.name = "json", .help = "print JSON, with everything that is known of each row"},
	{0},
};

static const Command log_show = {
	.name = "show",
	.summary = "List the measured kernels, by task",
	.operands = "LOG",
	.min = 1,
	.max = 1,
	.text = "Where rows are of several boards, each says which one measured it.",
	.option = show_options,
	.run = run_show,
};

static const Command log_best_command = {
	.name = "best",
	.summary = "List the kernel that counts for each task, device and mode",
	.operands = "LOG",
	.min = 1,
	.max = 1,
	.text = "The winner of the newest race, or the fastest where there was none. Percent of\n"
		"peak is of the calibration recorded with the measurement.",
	.option = show_options,
	.run = run_best,
};

static const Command log_import_command = {
	.name = "import",
	.summary = "Add exported rows to a log, which is made when there is none",
	.operands = "LOG FILE...",
	.min = 2,
	.max = 1 << 20,
	.text = "A bad line is refused by itself, with its reason; the exit status is then 2.",
	.run = run_import,
};

static const Command *const commands[] = {
	&log_show,
	&log_best_command,
	&log_verify_command,
	&log_doctor_command,
	&log_merge_command,
	&log_forget_command,
	&log_export_command,
	&log_import_command,
	&log_pull_command,
	&log_push_command,
	NULL,
};

const Command cmd_log = {
	.name = "log",
	.summary = "Look into tuning logs, check them, bring them together",
	.sub = commands,
};
