/* hone regress baseline: makes baselines, and looks after them. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/plain.h"
#include "cli/regress_commands.h"
#include "cli/regress_session.h"
#include "regress/record.h"
#include "regress/stats.h"
#include "regress/words.h"

/* --- set --- */

static int
record(RegressSession *s, const Args *a, Err *e)
{
	RecordOptions opt = {.device = &s->device[0],
			     .board = &s->board,
			     .name = s->name,
			     .processes = (int)args_integer(a, "processes", 0),
			     .stop = interrupt_came,
			     .progress = plain_tell};
	Baseline b;
	int rc = record_baseline(&s->suite, &opt, a->arena, &b, e);

	if (!rc)
		rc = baseline_write(&b, s->folder, e);
	if (!rc)
		printf("%s: %d kernels of %s on %s\n", s->folder, b.kernel.n, b.name, b.board.cpu);
	return rc;
}

static int
run_set(const Args *a, Err *e)
{
	RegressSession s = {0};
	int rc;

	interrupt_catch();
	if (!(rc = regress_session_model(&s, a, e)) && !(rc = regress_session_boards(&s, a, e)) &&
	    !(rc = regress_session_suite(&s, e)))
		rc = record(&s, a, e);
	regress_session_close(&s);
	return rc;
}

static const ArgOption set_options[] = {
	REGRESS_OPTIONS,
	{.name = "processes",
	 .kind = ARG_INTEGER,
	 .min = 1,
	 .max = BASELINE_WORDS_MAX,
	 .value = "N",
	 .help = "fresh processes of each kernel whose times are kept; default 9"},
	{0},
};

static const Command set_command = {
	.name = "set",
	.summary = "Keep what a model is compiled to now as the baseline",
	.operands = "MODEL",
	.min = 1,
	.max = 1,
	.text = "Keeps the code of every kernel, the schedules, the board and what it measured in\n"
		"a folder that is fit for version control: sorted text, and blobs by their "
		"digest.\n"
		"A baseline that is there already is replaced.",
	.option = set_options,
	.run = run_set,
};

/* --- list --- */

static int
run_list(const Args *a, Err *e)
{
	const char *folder = a->operand.n ? a->operand.v[0] : "baselines";
	Names all = names_in(folder, a->arena);
	int n = 0;

	for (int i = 0; i < all.n; i++) {
		const char *path = arena_printf(a->arena, "%s/%s", folder, all.v[i]);
		Baseline b;
		Err own = {0};
		int rc;

		if (access(arena_printf(a->arena, "%s/baseline.txt", path), F_OK))
			continue;
		n++;
		rc = baseline_read(path, a->arena, &b, &own);
		plain_line(rc ? arena_printf(a->arena, "%-32s cannot be used: %s", path, own.msg)
			      : arena_printf(a->arena, "%-32s %4d kernels  %s", path, b.kernel.n,
					     b.board.cpu));
	}
	return n ? OK : err_set(e, ERR_INPUT, "%s: no baselines there", folder);
}

static const ArgOption no_options[] = {{0}};

static const Command list_command = {
	.name = "list",
	.summary = "List baselines",
	.operands = "[DIR]",
	.max = 1,
	.text = "DIR holds a folder for each; baselines unless given.",
	.option = no_options,
	.run = run_list,
};

/* --- show --- */

static void
show_fact(const char *name, const char *value, Arena *a)
{
	printf("  %-12s %s\n", name, *value ? words_clean(a, value) : "not known");
}

static void
show_board(const Board *b, Arena *a)
{
#define TEXT_s(x)                 x
#define TEXT_i(x)                 arena_printf(a, "%lld", (long long)(x))
#define X(type, field, key, text) show_fact(#field, TEXT_##type(b->field), a);
	BOARD_LIST(X)
#undef X
}

static void
show_times(const char *name, int64_t uses, const char *grade, const BaselineNumbers *ns, Arena *a)
{
	printf("%10s %5lld  %-9s %s\n", words_ns(a, stats_median(ns->v, ns->n, a)), (long long)uses,
	       words_clean(a, grade), words_clean(a, name));
}

static int
run_show(const Args *a, Err *e)
{
	Baseline b;
	int rc = baseline_read(a->operand.v[0], a->arena, &b, e);

	if (rc)
		return rc;
	printf("model        %s\n", words_clean(a->arena, b.name));
	printf("hone         %s, %s\n", words_clean(a->arena, b.hone),
	       words_clean(a->arena, b.generator));
	printf("board\n");
	show_board(&b.board, a->arena);
	printf("%10s %5s  %-9s %s\n", "median", "uses", "grade", "kernel");
	show_times(SUITE_MODEL, 1, "", &b.model.ns, a->arena);
	for (int i = 0; i < b.kernel.n; i++) {
		const BaselineKernel *k = &b.kernel.v[i];

		show_times(k->name, k->uses, k->grade, &k->ns, a->arena);
	}
	return OK;
}

static const Command show_command = {
	.name = "show",
	.summary = "Print what a baseline holds",
	.operands = "DIR",
	.min = 1,
	.max = 1,
	.option = no_options,
	.run = run_show,
};

/* --- export, import --- */

static int
run_export(const Args *a, Err *e)
{
	Baseline b;
	Str out = {0};
	int rc = baseline_read(a->operand.v[0], a->arena, &b, e);

	if (!rc) {
		baseline_pack(&b, &out);
		rc = file_write(a->operand.v[1], str_get(&out), out.n, e);
	}
	str_fini(&out);
	return rc;
}

static const Command export_command = {
	.name = "export",
	.summary = "Write a baseline and its blobs into one file",
	.operands = "DIR FILE",
	.min = 2,
	.max = 2,
	.option = no_options,
	.run = run_export,
};

static int
run_import(const Args *a, Err *e)
{
	char *data;
	size_t size;
	Baseline b;
	int rc = file_read(a->operand.v[0], BASELINE_ARCHIVE_BYTES, &data, &size, e);

	if (rc)
		return rc;
	rc = baseline_unpack(a->operand.v[0], data, size, a->arena, &b, e);
	free(data);
	return rc ? rc : baseline_write(&b, a->operand.v[1], e);
}

static const Command import_command = {
	.name = "import",
	.summary = "Make a baseline's folder of what was exported",
	.operands = "FILE DIR",
	.min = 2,
	.max = 2,
	.option = no_options,
	.run = run_import,
};

static const Command *const commands[] = {
	&set_command, &list_command, &show_command, &export_command, &import_command, NULL,
};

const Command regress_baseline_command = {
	.name = "baseline",
	.summary = "Keep what is measured against: code, schedules, board",
	.sub = commands,
};
