/* hone report: what a tuning log says of a search, as one page or as text. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/model.h"
#include "report/report.h"

enum { NARROW = 80, WIDE = 100 };

static const ArgOption options[] = {
	{.name = "output",
	 .letter = 'o',
	 .kind = ARG_TEXT,
	 .value = "FILE",
	 .help = "where the page goes; default report.html"},
	{.name = "terminal", .help = "print it as text of 80 to 100 columns instead"},
	{.name = "model",
	 .kind = ARG_TEXT,
	 .value = "MODEL",
	 .help = "only this model. Also tells which tasks it has, which logs of older versions do "
		 "not say"},
	MODEL_OPTIONS,
	MEMORY_OPTION,
	{.name = "graph",
	 .kind = ARG_TEXT,
	 .value = "NAME|DIGEST",
	 .help = "only the model of that name, or whose digest begins so"},
	{.name = "device",
	 .kind = ARG_TEXT,
	 .value = "TEXT",
	 .help = "only devices that have this in their name"},
	{.name = "target",
	 .kind = ARG_TEXT,
	 .value = "TEXT",
	 .help = "only targets that have this in their line"},
	{.name = "task",
	 .kind = ARG_TEXT,
	 .value = "DIGEST",
	 .help = "only tasks whose digest begins so"},
	{0},
};

static ReportTerminal
terminal(void)
{
	ReportTerminal t = {.width = WIDE};
	struct winsize w;

	if (!isatty(STDOUT_FILENO))
		return t;
	t.color = true;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col)
		t.width = w.ws_col < NARROW ? NARROW : w.ws_col > WIDE ? WIDE : w.ws_col;
	return t;
}

static int
write_report(const Report *r, const Args *a, Err *e)
{
	const char *path = args_text(a, "output", "report.html");
	ReportTerminal t = terminal();
	Str text = {0};
	int rc = OK;

	if (args_has(a, "terminal")) {
		report_terminal(r, &t, &text);
		fputs(str_get(&text), stdout);
	} else {
		report_html(r, &text);
		rc = file_write(path, str_get(&text), text.n, e);
		if (!rc)
			printf("%s: %d section%s, %zu kB\n", path, r->section.n,
			       r->section.n == 1 ? "" : "s", (text.n + 999) / 1000);
	}
	str_fini(&text);
	return rc;
}

static int
report(const Args *a, const Graph *model, Err *e)
{
	const char *path = a->operand.v[0], *slash = strrchr(path, '/');
	ReportOptions opt = {.name = slash ? slash + 1 : path,
			     .model = model,
			     .memory = args_bytes(a, "memory", 0),
			     .graph = args_text(a, "graph", NULL),
			     .device = args_text(a, "device", NULL),
			     .target = args_text(a, "target", NULL),
			     .task = args_text(a, "task", NULL)};
	Report r;
	Log *l;
	int rc = log_open_read(path, &l, e);

	if (rc)
		return rc;
	rc = report_build(l, a->arena, &opt, &r, e);
	log_close(l);
	return rc ? rc : write_report(&r, a, e);
}

static int
run(const Args *a, Err *e)
{
	const char *path = args_text(a, "model", NULL);
	Model m;
	int rc;

	if (args_has(a, "terminal") && args_has(a, "output"))
		return err_set(e, ERR_INPUT, "--terminal and --output: expected one of them");
	if (path && args_has(a, "graph"))
		return err_set(e, ERR_INPUT, "--model and --graph: expected one of them");
	if (!path)
		return report(a, NULL, e);
	rc = model_open(&m, path, a, e);
	if (!rc)
		rc = report(a, m.graph, e);
	model_close(&m);
	return rc;
}

const Command cmd_report = {
	.name = "report",
	.summary = "Show a search: speed over time, rooflines, failures, what winners share",
	.operands = "LOG",
	.min = 1,
	.max = 1,
	.text = "One HTML page that needs nothing else, with a section for each model on each\n"
		"device. Nothing is measured, and the log may be in use.",
	.option = options,
	.run = run,
};
