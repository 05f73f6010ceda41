/* hone tune: searches kernels for a model on a device and keeps them in a tuning log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/agent_path.h"
#include "cli/commands.h"
#include "cli/cost_model.h"
#include "cli/interrupt.h"
#include "cli/model.h"
#include "cli/runnable.h"
#include "cli/tune_view.h"
#include "tuner/search.h"

#define EFFORT_HELP(name, trials, stall, strategy, finalists, least, most, race_s, plans, text) \
	" " #name " " text " (" #trials " per task at most),"
#define EFFORT_WORD(name, ...)  " " #name
#define SEARCH_HELP(name, text) " " #name " (" text "),"
#define SEARCH_WORD(name, text) " " #name

static const ArgOption options[] = {
	MODEL_OPTIONS,
	THREADS_OPTION,
	MEMORY_OPTION,
	{.name = "device",
	 .kind = ARG_TEXT,
	 .repeat = true,
	 .value = "NAME|ADDRESS",
	 .help = "the rpc_server to measure on, or several on boards of one model, which share the "
		 "work; without it, one of this machine's own is started"},
	{.name = "reconnect",
	 .kind = ARG_DURATION,
	 .min = 1,
	 .max = 30 * 86400,
	 .value = "T",
	 .help = "how long to try to get a lost connection back; default 10m. What a board had "
		 "goes "
		 "to others after a quarter of it, at most 10s"},
	{.name = "silence",
	 .kind = ARG_DURATION,
	 .min = 0.2,
	 .max = 600,
	 .value = "T",
	 .help = "the rpc_server is gone when it says nothing for so long; default 10s"},
	{.name = "log",
	 .kind = ARG_TEXT,
	 .value = "FILE",
	 .help = "the tuning log, made when there is none; default tuning.db"},
	{.name = "effort",
	 .kind = ARG_TEXT,
	 .value = "WORD",
	 .help = "how much to spend on candidates:" EFFORT_LIST(EFFORT_HELP) " default measure"},
	{.name = "trials",
	 .kind = ARG_INTEGER,
	 .min = 1,
	 .max = 100000,
	 .value = "N",
	 .help = "candidates to measure per task at most, those in the log included, instead of "
		 "what the effort says"},
	{.name = "time-limit",
	 .kind = ARG_DURATION,
	 .value = "T",
	 .help = "stop after so long, with what was found"},
	WAIT_OPTION,
	{.name = "search",
	 .kind = ARG_TEXT,
	 .value = "NAME",
	 .help = "how candidates are found:" SEARCH_LIST(SEARCH_HELP) " default by effort"},
	COST_MODEL_OPTION,
	{.name = "no-warm",
	 .help = "begin the search without what the log knows of other tasks, of other targets"},
	{.name = "seed", .kind = ARG_INTEGER, .value = "S", .help = "of the search; default 0"},
	STRICT_OPTION,
	{.name = "progress-fd",
	 .kind = ARG_INTEGER,
	 .min = 0,
	 .max = 65535,
	 .value = "N",
	 .help = "write the id of every row to this descriptor once it is in the log"},
	{.name = "dump",
	 .kind = ARG_TEXT,
	 .value = "STAGE[,STAGE]",
	 .help = "print the text of these stages:" TUNE_DUMP_LIST(ARGS_HELP_WORD)},
	{.name = "no-measure", .help = "fail, with a list, if anything would have to be measured"},
	{.name = "stats", .help = "print where the time went"},
	{.name = "json", .help = "print JSON"},
	{0},
};

static const char *const stages[] = {TUNE_DUMP_LIST(ARGS_WORD) NULL};

typedef struct Tuning {
	TuneView view;
	int progress_fd; /* or -1 */
} Tuning;

/* The row is in the log: nothing is lost when nobody reads this. */
static void
write_ids(int fd, const TuneEvent *ev)
{
	Str s = {0};

	for (int i = 0; i < ev->nid; i++)
		str_printf(&s, "%lld\n", (long long)ev->id[i]);
	(void)fd_write(fd, str_get(&s), s.n);
	str_fini(&s);
}

static void
on_event(void *self, const TuneEvent *ev)
{
	Tuning *t = self;

	if (ev->kind == TUNE_ROWS && t->progress_fd >= 0)
		write_ids(t->progress_fd, ev);
	if (ev->kind == TUNE_DUMPED)
		fputs(ev->text, stdout);
	else
		tune_view_event(&t->view, ev);
}

/* How to go on, and that nothing is lost. */
static void
tell_stopped(const Args *a, const TuneOptions *opt)
{
	fprintf(stderr,
		"stopped: `hone compile %s --log %s` takes the best so far; the same `hone tune` "
		"goes on from here\n",
		a->operand.v[0], opt->log);
}

/* One more than may be is told by what opens them. */
static int
devices_of(const Args *a, const char *device[BOARDS_MAX + 1])
{
	int n = 0;

	while (n <= BOARDS_MAX && (device[n] = args_nth(a, "device", n)))
		n++;
	return n;
}

static int
tune_model(const Args *a, const Graph *g, Err *e)
{
	Tuning t = {.progress_fd = (int)args_integer(a, "progress-fd", -1)};
	char server[AGENT_PATH_BYTES];
	const char *device[BOARDS_MAX + 1];
	TuneOptions opt = {.device = device,
			   .ndevice = devices_of(a, device),
			   .server_path = server,
			   .reconnect_s = args_seconds(a, "reconnect", 0),
			   .silence_s = args_seconds(a, "silence", 0),
			   .log = args_text(a, "log", "tuning.db"),
			   .effort = effort_named(args_text(a, "effort", NULL)),
			   .trials = (int)args_integer(a, "trials", 0),
			   .time_limit_s = args_seconds(a, "time-limit", 0),
			   .wait_s = args_seconds(a, "wait", -1),
			   .no_measure = args_has(a, "no-measure"),
			   .threads = (int)args_integer(a, "threads", 1),
			   .memory = args_bytes(a, "memory", 0),
			   .seed = (uint64_t)args_integer(a, "seed", 0),
			   .strategy = args_text(a, "search", NULL),
			   .cold = args_has(a, "no-warm"),
			   .tolerance =
				   args_has(a, "strict") ? TOLERANCE_STRICT : TOLERANCE_DEFAULT,
			   .event = on_event,
			   .stop = interrupt_came,
			   .self = &t};
	TuneReport report;
	Trees prior;
	int rc;

	if ((rc = args_bits(a, "dump", stages, &opt.dump, e)) || (rc = agent_path(server, e)))
		return rc;
	if (!opt.effort)
		return err_set(e, ERR_INPUT,
			       "--effort: '%s', expected one of" EFFORT_LIST(EFFORT_WORD),
			       args_text(a, "effort", ""));
	if (!search_named(opt.strategy))
		return err_set(e, ERR_INPUT,
			       "--search: '%s', expected one of" SEARCH_LIST(SEARCH_WORD),
			       opt.strategy);
	if ((rc = cost_model_read(a, &prior, &opt.prior, &opt.prior_for, e)))
		return rc;
	if (opt.dump && args_has(a, "json"))
		return err_set(e, ERR_INPUT, "--dump and --json: expected one of them");
	tune_view_init(&t.view, opt.trials ? opt.trials : opt.effort->trials);
	interrupt_catch();
	rc = tune(g, &opt, &report, e);
	tune_view_end(&t.view);
	if (report.ntask && args_has(a, "json"))
		tune_json(&report);
	else if (report.ntask)
		tune_table(&report);
	if (report.ntask && args_has(a, "stats") && !args_has(a, "json"))
		tune_stats(&report);
	if (report.ntask && report.stopped)
		tell_stopped(a, &opt);
	tune_report_fini(&report);
	return rc;
}

static int
run(const Args *a, Err *e)
{
	Model m;
	int rc = model_open(&m, a->operand.v[0], a, e);

	if (!rc)
		rc = tune_model(a, m.graph, e);
	model_close(&m);
	return rc;
}

const Command cmd_tune = {
	.name = "tune",
	.summary = "Search kernels for a model by measuring them on a device",
	.operands = "MODEL",
	.min = 1,
	.max = 1,
	.text = "Everything measured goes to the log before the search goes on. A run that was\n"
		"stopped or killed goes on where it was when it is started again: what the log\n"
		"holds is not measured a second time. `hone compile --log FILE` uses the winners.",
	.option = options,
	.run = run,
};
