/* A greater effort measures several Plans and keeps the one whose times add up to the least; later
 * runs begin with it. Times are those of a runner that runs nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/log.h"
#include "tests/unit/tune_case.h"
#include "tuner/tune.h"

enum { TRIALS = 4, SAID = 4096, PLANS = 2 };

static char folder[] = "/tmp/hone-test-XXXXXX", log_path[64];

static void
note_text(void *self, const TuneEvent *ev)
{
	char *said = self;
	size_t n = strlen(said);

	if (ev->kind == TUNE_TEXT)
		snprintf(said + n, SAID - n, "%s\n", ev->text);
}

static void
tune_residual(const char *effort, TuneReport *r, char said[SAID])
{
	Graph *g = tune_case_residual();
	TuneOptions opt = {.server_path = HONE_BIN "/rpc_server",
			   .runner = "null",
			   .bare = true,
			   .log = log_path,
			   .effort = effort_named(effort),
			   .trials = TRIALS,
			   .seed = 5,
			   .event = note_text,
			   .self = said};
	Err e = {0};

	*said = 0;
	if (tune(g, &opt, r, &e))
		fail_msg("%s", e.msg);
	graph_free(g);
}

/* What the log gives to `hone compile`. */
static Plan *
logged_plan(Arena *a, const Graph *g)
{
	const char *graph = plan_key(g, (PlanMemory){0, 1}, a);
	LogPlan *all;
	Err e = {0};
	Log *l;
	Plan *p;
	int n;

	if (log_open_read(log_path, &l, &e) || log_plans(l, a, graph, &all, &n, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(n, 1);
	if (plan_parse(all[0].text, g, a, &p, &e))
		fail_msg("%s", e.msg);
	log_close(l);
	return p;
}

/* The report is of the Tasks of that Plan, with its uses. */
static void
check_tasks(const TuneReport *r, const Plan *p)
{
	assert_int_equal(r->ntask, p->task.n);
	assert_int_equal(r->decided, p->task.n);
	for (int i = 0; i < r->ntask; i++) {
		char key[DIGEST_TEXT];

		digest_print(&p->task.v[i].task_key, key);
		assert_string_equal(r->task[i].key, key);
		assert_int_equal(r->task[i].uses, p->task.v[i].uses);
	}
}

static int
count(const char *text, const char *word)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

static void
the_fastest_plan_is_kept(void **state)
{
	Arena *a = arena_new();
	Graph *g = tune_case_residual();
	double patient_ns, least = 0;
	char said[SAID];
	TuneReport r;
	Plan *p;

	(void)state;
	tune_residual("patient", &r, said);
	p = logged_plan(a, g);
	check_tasks(&r, p);
	assert_true(r.trials > 2 * TRIALS);
	patient_ns = r.after_ns;
	assert_int_equal(count(said, "plan '"), PLANS);
	assert_int_equal(count(said, "chosen"), 1);
	for (const char *at = said; (at = strstr(at, "': ")); at++) {
		double ms = atof(at + 3);

		least = least == 0 || ms < least ? ms : least;
	}
	assert_true(patient_ns * 1e-6 < least * 1.02); /* less than 1 % decides nothing */
	tune_report_fini(&r);

	tune_residual("patient", &r, said);
	assert_int_equal(r.trials, 0);
	assert_true(r.after_ns == patient_ns);
	tune_report_fini(&r);

	tune_residual("measure", &r, said);
	assert_int_equal(r.trials, 0);
	assert_true(r.after_ns == patient_ns);
	check_tasks(&r, p);
	tune_report_fini(&r);
	graph_free(g);
	arena_free(a);
}

static int
setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(log_path, sizeof log_path, "%s/log.db", folder);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const suffix[] = {"", "-wal", "-shm", ".lock"};
	char file[128];

	(void)state;
	for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
		snprintf(file, sizeof file, "%s%s", log_path, suffix[i]);
		unlink(file);
	}
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fastest_plan_is_kept),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
