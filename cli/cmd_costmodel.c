/* hone costmodel: ranking models from tuning logs. */
#include <stdio.h>

#include "base/str.h"
#include "cli/commands.h"
#include "tuner/learn.h"

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
		rc = read_log(&l, a->operand.v[i], &t, e);
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
	 .help = "learn from the rows of this target; default: this machine's"},
	{0},
};

static const Command train = {
	.name = "train",
	.summary = "Learn from tuning logs which candidates are fast",
	.operands = "LOG...",
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
