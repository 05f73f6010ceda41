/* hone regress history: slow creep, which no single comparison sees. Reports, never gates. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/regress_commands.h"
#include "regress/history.h"

enum { WIDTH = 100 };

int
regress_results_in(const char *folder, Arena *a, const char **path)
{
	DIR *dir = opendir(folder);
	struct dirent *f;
	int n = 0;

	while (dir && n < HISTORY_RESULTS_MAX && (f = readdir(dir))) {
		size_t k = strlen(f->d_name);

		if (k > 5 && *f->d_name != '.' && !strcmp(f->d_name + k - 5, ".json"))
			path[n++] = arena_printf(a, "%s/%s", folder, f->d_name);
	}
	if (dir)
		closedir(dir);
	qsort(path, (size_t)n, sizeof *path, by_text);
	return n;
}

/* A file, or all of a folder. */
static int
add(History *h, const char *path, Arena *a, Err *e)
{
	const char **name;
	struct stat s;
	int n, rc = OK;

	if (stat(path, &s) || !S_ISDIR(s.st_mode))
		return history_add_file(h, path, e);
	name = ARENA_ARRAY(a, const char *, HISTORY_RESULTS_MAX);
	n = regress_results_in(path, a, name);
	for (int i = 0; i < n && !rc; i++)
		rc = history_add_file(h, name[i], e);
	return rc;
}

static int
run(const Args *a, Err *e)
{
	static const RegressView view = {WIDTH, false};
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
