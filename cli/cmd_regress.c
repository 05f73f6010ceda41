/* hone regress: did a kernel, or the model, get slower on this board? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/plain.h"
#include "cli/regress_commands.h"
#include "cli/regress_session.h"
#include "regress/exit.h"
#include "regress/history.h"
#include "regress/outputs.h"

enum { PAST_MAX = 200, WIDTH_MIN = 80 };

/* --- the command that does it again --- */

static void
add_word(Str *out, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_./:=,+-@%";

	if (*s && strspn(s, plain) == strlen(s)) {
		str_printf(out, " %s", s);
		return;
	}
	str_add(out, " ");
	str_quoted(out, s);
}

/* What was given, but for where results go. */
static const char *
command_of(const Args *a)
{
	static const char *const not_said[] = {"format", "history", NULL};
	Str s = {0};
	const char *text;

	str_add(&s, "hone regress");
	for (int i = 0; i < a->operand.n; i++)
		add_word(&s, a->operand.v[i]);
	for (int i = 0; i < a->given.n; i++) {
		const char *name = a->given.v[i].option->name;
		int k = 0;

		while (not_said[k] && strcmp(not_said[k], name) != 0)
			k++;
		if (not_said[k])
			continue;
		str_printf(&s, " --%s", name);
		if (a->given.v[i].text)
			add_word(&s, a->given.v[i].text);
	}
	text = arena_strdup(a->arena, str_get(&s));
	str_fini(&s);
	return text;
}

/* --- outputs --- */

static RegressView
view_of_stdout(void)
{
	struct winsize size;
	bool people = isatty(STDOUT_FILENO);
	bool known = people && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col;

	return (RegressView){known ? (size.ws_col > WIDTH_MIN ? size.ws_col : WIDTH_MIN)
				   : REGRESS_WIDTH,
			     people && !getenv("NO_COLOR")};
}

/* "NAME:FILE"; without a file the usual one, "-" being standard output. */
static int
find_output(const Args *a, const char *text, const RegressOutput **o, const char **file, Err *e)
{
	size_t n = strcspn(text, ":");
	Str names = {0};

	*o = regress_output_of(arena_printf(a->arena, "%.*s", (int)n, text));
	if (*o) {
		*file = text[n] ? text + n + 1 : (*o)->file;
		return OK;
	}
	for (int i = 0; regress_output(i); i++)
		str_printf(&names, " %s", regress_output(i)->name);
	err_set(e, ERR_INPUT, "--format: '%s', expected NAME or NAME:FILE, NAME being one of%s",
		text, str_get(&names));
	str_fini(&names);
	return ERR_INPUT;
}

static int
check_formats(const Args *a, Err *e)
{
	const RegressOutput *o;
	const char *text, *file;
	int rc = OK;

	for (int i = 0; !rc && (text = args_nth(a, "format", i)); i++)
		rc = find_output(a, text, &o, &file, e);
	return rc;
}

static int
write_output(const Args *a, const char *text, const RegressResult *r, Err *e)
{
	RegressView v = view_of_stdout(), plain = {REGRESS_WIDTH, false};
	const RegressOutput *o;
	const char *file;
	Str out = {0};
	int rc = find_output(a, text, &o, &file, e);

	if (rc)
		return rc;
	o->write(r, strcmp(file, "-") ? &plain : &v, a->arena, &out);
	if (strcmp(file, "-"))
		rc = file_write(file, str_get(&out), out.n, e);
	else
		fputs(str_get(&out), stdout);
	str_fini(&out);
	return rc;
}

/* The results of a folder: files whose names end in .json. What cannot be read is told and passed
 * over. */
static History *
read_history(const Args *a, const char *folder)
{
	History *h = history_new();
	Names name = regress_results_in(folder, a->arena);

	for (int i = 0; i < name.n; i++) {
		Err own = {0};

		if (history_add_file(h, name.v[i], &own))
			plain_tell(NULL, own.msg);
	}
	return h;
}

/* What --history asks for: earlier results join this one, and this one joins them. */
static int
join_history(const Args *a, RegressResult *r, History **h, Err *e)
{
	static const RegressView view = {REGRESS_WIDTH, false};
	const char *folder = args_text(a, "history", NULL), *path;
	Str out = {0};
	int n, rc;

	*h = NULL;
	if (!folder)
		return OK;
	*h = read_history(a, folder);
	history_changes(*h, &n);
	history_past(*h, r, PAST_MAX);
	path = arena_printf(a->arena, "%s/%lld-%ld.json", folder, (long long)r->started,
			    (long)getpid());
	regress_json(r, &view, a->arena, &out);
	rc = dir_make(folder, e);
	if (!rc)
		rc = file_write(path, str_get(&out), out.n, e);
	str_fini(&out);
	return rc;
}

static int
write_outputs(const Args *a, const RegressResult *r, Err *e)
{
	const char *text;
	int rc = OK;

	if (!args_nth(a, "format", 0))
		return write_output(a, "terminal", r, e);
	for (int i = 0; !rc && (text = args_nth(a, "format", i)); i++)
		rc = write_output(a, text, r, e);
	return rc;
}

/* --- the run --- */

/* The exit status as an error, whose text says it in a word. */
static int
answer(const RegressResult *r, Err *e)
{
	static const struct {
		int status, code;
	} codes[] = {{1, ERR_CHECK}, {4, ERR_DEVICE}, {6, ERR_UNCLEAR}, {7, ERR_WRONG}};
	int status = regress_exit(r);

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i].status == status)
			return err_set(e, codes[i].code, "%s", regress_exit_text(status));
	return OK;
}

static int
compare(RegressSession *s, const Args *a, const Baseline *b, CompareOptions *opt, RegressResult *r,
	Err *e)
{
	const char *differs;
	int rc = regress_session_suite(s, e), unmeasured;

	if (rc)
		return rc;
	differs = suite_differs(&s->suite, b);
	if (differs)
		return err_set(e, ERR_INPUT, "%s: set with another %s", s->folder, differs);
	unmeasured = suite_unmeasured(&s->suite, b);
	if (unmeasured)
		plain_note("hone: warning: %d of %d kernels had a measured schedule in the "
			   "baseline and have none now: see --log",
			   unmeasured, s->suite.nkernel);
	return compare_suite(&s->suite, b, opt, a->arena, r, e);
}

/* Without a board, or with another one than the baseline's, there is a Result all the same: of what
 * was not measured. */
static int
compare_on_boards(RegressSession *s, const Args *a, const Baseline *b, CompareOptions *opt,
		  RegressResult *r, Err *e)
{
	Err own = {0};
	int rc = regress_session_boards(s, a, &own);

	opt->device = s->device;
	opt->device_name = s->device_name;
	opt->ndevice = s->ndevice;
	opt->command = command_of(a);
	if (!rc)
		rc = board_compare(&b->board, &s->board, &own);
	if (!rc)
		return compare(s, a, b, opt, r, e);
	if (err_exit_code(rc) != err_exit_code(ERR_DEVICE) || rc == ERR_CANCELLED)
		return err_set(e, rc, "%s", own.msg);
	plain_tell(NULL, own.msg);
	compare_nothing(b, arena_strdup(a->arena, own.msg), opt, a->arena, r);
	return OK;
}

static int
run(const Args *a, Err *e)
{
	RegressSession s = {0};
	RegressPolicy policy;
	CompareOptions opt;
	int64_t started = clock_wall_s();
	History *history = NULL;
	RegressResult r;
	Baseline b;
	int rc;

	if (args_has(a, "self-test"))
		return regress_selftest(a, e);
	interrupt_catch();
	if (!(rc = check_formats(a, e)) && !(rc = regress_options(a, &policy, &opt, e)) &&
	    !(rc = regress_session_model(&s, a, e)) &&
	    !(rc = baseline_read(s.folder, a->arena, &b, e)) &&
	    !(rc = compare_on_boards(&s, a, &b, &opt, &r, e))) {
		r.started = started;
		r.baseline_file = arena_printf(a->arena, "%s/baseline.txt", s.folder);
		rc = join_history(a, &r, &history, e);
		if (!rc)
			rc = write_outputs(a, &r, e);
		if (!rc)
			rc = answer(&r, e);
	}
	history_free(history);
	regress_session_close(&s);
	return rc;
}

#define FORMAT_HELP(name, file, text) " " #name " (" text "),"

static const ArgOption options[] = {
	REGRESS_OPTIONS,
	{.name = "policy",
	 .kind = ARG_TEXT,
	 .value = "FILE",
	 .help = "thresholds, pairs and what an inconclusive answer counts for, as JSON"},
	{.name = "format",
	 .kind = ARG_TEXT,
	 .repeat = true,
	 .value = "NAME[:FILE]",
	 .help = "write the result as:" REGRESS_OUTPUT_LIST(
		 FORMAT_HELP) " FILE - being standard "
			      "output; terminal unless given"},
	{.name = "budget",
	 .kind = ARG_DURATION,
	 .min = 1,
	 .max = 86400,
	 .value = "T",
	 .help = "time for the pairs of the comparison, and again for that of the repeat; default "
		 "5m. What is not clear then is inconclusive"},
	{.name = "history",
	 .kind = ARG_TEXT,
	 .value = "DIR",
	 .help = "folder of earlier results: they are shown beside this one, which is added; see "
		 "hone regress history"},
	{.name = "self-test",
	 .kind = ARG_INTEGER,
	 .min = 2,
	 .max = 10000,
	 .value = "N",
	 .help = "instead of comparing with a baseline, tell what comparisons on this board are "
		 "worth: N of equal sides, and half as many of a kernel that was made 5 % slower "
		 "on purpose"},
	{.name = "kernel",
	 .kind = ARG_TEXT,
	 .value = "NAME",
	 .help = "compare this kernel only; 'model' is the whole"},
	{.name = "seed",
	 .kind = ARG_INTEGER,
	 .min = 0,
	 .max = 1e15,
	 .value = "S",
	 .help = "of the order of measurements; default 0"},
	{0},
};

static const Command *const commands[] = {&regress_baseline_command, &regress_history_command,
					  NULL};

const Command cmd_regress = {
	.name = "regress",
	.summary = "Tell whether kernels or a model became slower than a baseline",
	.operands = "MODEL",
	.min = 1,
	.max = 1,
	.text = "Compiles the model as `hone compile` does, and runs what came out otherwise than "
		"in\n"
		"the baseline side by side with the baseline's own code, in pairs of fresh "
		"processes.\n"
		"Same bytes are UNCHANGED. Exit status: 0 no regression; 1 a regression, seen "
		"twice;\n"
		"4 no board, or another one than the baseline's; 6 inconclusive; 7 a wrong result "
		"or\n"
		"a crash. The most severe wins: 7, 1, 4, 6, 0.",
	.option = options,
	.sub = commands,
	.run = run,
};
