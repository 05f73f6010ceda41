/* hone regress history: slow creep, which no single comparison sees. Reports, never gates. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/plain.h"
#include "cli/regress_commands.h"
#include "regress/history.h"

Names
regress_results_in(const char *folder, Arena *a)
{
	Names all = names_in(folder, a), out = {0};
	int older;

	for (int i = 0; i < all.n; i++) {
		size_t k = strlen(all.v[i]);

		if (k > 5 && !strcmp(all.v[i] + k - 5, ".json"))
			vec_push(a, &out, arena_printf(a, "%s/%s", folder, all.v[i]));
	}
	older = out.n - HISTORY_RESULTS_MAX;
	if (older <= 0)
		return out;
	plain_tell(NULL, arena_printf(a, "%s: the first %d of %d results are left out", folder,
				      older, out.n));
	out.v += older;
	out.n = HISTORY_RESULTS_MAX;
	return out;
}

/* A file, or all of a folder. */
static int
add(History *h, const char *path, Arena *a, Err *e)
{
	struct stat s;
	Names name;
	int rc = OK;

	if (stat(path, &s) || !S_ISDIR(s.st_mode))
		return history_add_file(h, path, e);
	name = regress_results_in(path, a);
	for (int i = 0; i < name.n && !rc; i++)
		rc = history_add_file(h, name.v[i], e);
	return rc;
}

static int
run(const Args *a, Err *e)
{
	static const RegressView view = {REGRESS_WIDTH, false};
	History *h = history_new();
	Str out = {0};
	int rc = OK;

	for (int i = 0; i < a->operand.n && !rc; i++)
		rc = add(h, a->operand.v[i], a->arena, e);
	if (!rc) {
		history_terminal(h, &view, a->arena, &out);
		fputs(str_get(&out), stdout);
	}
	str_fini(&out);
	history_free(h);
	return rc;
}

static const ArgOption options[] = {{0}};

const Command regress_history_command = {
	.name = "history",
	.summary = "Find slow creep in the results of many days",
	.operands = "DIR|FILE...",
	.min = 1,
	.max = 1 << 20,
	.text = "Reads results that --format json or --history wrote, and tells where the time of "
		"a\n"
		"kernel changed, corrected by what the canaries of that day say of the board.",
	.option = options,
	.run = run,
};
