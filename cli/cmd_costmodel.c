/* hone costmodel: ranking models from tuning logs. */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/commands.h"
#include "tuner/learn.h"

enum { SET_BYTES_MAX = 64 << 20 };

static int
read_log(Lesson *l, const char *path, const Target *t, Err *e)
{
	Log *log;
	int rc = log_open_read(path, &log, e);

	if (rc)
		return rc;
	rc = lesson_read(l, log, t, e);
	log_close(log);
	return rc;
}

/* Whether the file begins as recorded rows do. */
static bool
is_set(const char *path)
{
	char begin[RECORDED_BEGIN + 1] = "";
	FILE *f = fopen(path, "rb");

	if (!f)
		return false;
	begin[fread(begin, 1, RECORDED_BEGIN, f)] = 0;
	fclose(f);
	return recorded_begins(begin);
}

static int
read_set(Lesson *l, const char *path, Err *e)
{
	Arena *a = arena_new();
	RecordedSpace space;
	char *text = NULL;
	Recorded rows;
	size_t size;
	int rc = file_read(path, SET_BYTES_MAX, &text, &size, e);

	if (!rc && ((rc = recorded_parse(text, a, &rows, e)) ||
		    (rc = recorded_space(a, &rows, &space, e))))
		err_prefix(e, "%s: ", path);
	if (!rc)
		lesson_add(l, &rows, &space);
	free(text);
	arena_free(a);
	return rc;
}

static int
write_model(Lesson *l, const char *path, Err *e)
{
	Trees t = lesson_train(l);
	Str text = {0};
	int rc;

	trees_print(&t, &text);
	rc = file_write(path, str_get(&text), text.n, e);
	str_fini(&text);
	return rc;
}

static void
print_score(const Lesson *l)
{
	LessonScore s = lesson_score(l);

	printf("%d rows of %d tasks, %lld rows not used\n", l->ns.n, l->tasks,
	       (long long)l->foreign);
	printf("on tasks left out of training, mean of %d:\n", s.tasks);
	printf("  pairs in order   analytic %.3f, trees %.3f\n", s.pairs_analytic, s.pairs_trees);
	printf("  first pick       analytic %.3f, trees %.3f of the fastest\n", s.first_analytic,
	       s.first_trees);
}

static int
run_train(const Args *a, Err *e)
{
	const char *path = args_text(a, "output", NULL), *name = args_text(a, "target", NULL);
	Lesson l;
	Target t;
	int rc;

	if (!path)
		return err_set(e, ERR_INPUT, "--output: expected the file of the model");
	if ((rc = name ? target_named(name, &t, e) : target_host(&t, e)))
		return rc;
	lesson_init(&l);
	for (int i = 0; i < a->operand.n && !rc; i++)
		rc = is_set(a->operand.v[i]) ? read_set(&l, a->operand.v[i], e)
					     : read_log(&l, a->operand.v[i], &t, e);
	if (!rc && !l.ns.n)
		rc = err_set(e, ERR_INPUT, "no row of target %s that this version would propose",
			     t.name);
	if (!rc)
		print_score(&l);
	if (!rc)
		rc = write_model(&l, path, e);
	lesson_fini(&l);
	return rc;
}

static const ArgOption options[] = {
	{.name = "output",
	 .letter = 'o',
	 .kind = ARG_TEXT,
	 .value = "FILE",
	 .help = "where the model goes"},
	{.name = "target",
	 .kind = ARG_TEXT,
	 .value = "NAME",
	 .help = "learn from the rows of this target; default: this machine's. Of recorded sets "
		 "all rows count"},
	{0},
};

static const Command train = {
	.name = "train",
	.summary = "Learn from tuning logs and recorded sets which candidates are fast",
	.operands = "LOG|SET...",
	.min = 1,
	.max = 1000,
	.text = "The model corrects the analytic one for `hone tune --cost-model FILE`. It is "
		"text: "
		"trees\nover the features of candidates. How well it ranks is told for tasks that "
		"it "
		"was not\ntrained with.",
	.option = options,
	.run = run_train,
};

static const Command *const commands[] = {&train, NULL};

const Command cmd_costmodel = {
	.name = "costmodel",
	.summary = "Ranking models for the search",
	.sub = commands,
};
