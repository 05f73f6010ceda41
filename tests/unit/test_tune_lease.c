/* Tuning on a device that others use as well: who waits, what happens when a lease is lost, and
 * that what was measured without one never counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/log.h"
#include "rpc_client/lease.h"
#include "tests/unit/agent_process.h"
#include "tests/unit/log_file.h"
#include "tests/unit/tune_case.h"
#include "tuner/tune.h"
#include "tuner/tuner.h"

enum { TRIALS = 4, KICKS = 2 };

static char folder[] = "/tmp/hone-test-XXXXXX", path[64], log_path[64];

typedef struct Watch {
	int rows;
	RpcClient *kicks; /* who kicks, after the first row and after the fifth */
	int kicked;
	char said[4096];
} Watch;

static void
on_event(void *self, const TuneEvent *ev)
{
	Watch *w = self;
	size_t n = strlen(w->said);

	w->rows += ev->nid;
	if (ev->kind == TUNE_TEXT)
		snprintf(w->said + n, sizeof w->said - n, "%s\n", ev->text);
	if (w->kicks && w->kicked < KICKS && w->rows > 4 * w->kicked)
		w->kicked += !rpc_kick(w->kicks, 0, false, "enough", NULL);
}

static int
run_tune(Watch *w, const char *device, double wait_s, TuneReport *r, Err *e)
{
	Graph *g = tune_case_model();
	TuneOptions opt = {.device = &device,
			   .ndevice = device != NULL,
			   .server_path = AGENT,
			   .log = log_path,
			   .wait_s = wait_s,
			   .trials = TRIALS,
			   .seed = 5,
			   .event = on_event,
			   .self = w};
	int rc = tune(g, &opt, r, e);

	graph_free(g);
	return rc;
}

static void
must_tune(Watch *w, const char *device, TuneReport *r)
{
	Err e = {0};

	if (run_tune(w, device, 20, r, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(r->decided, 2);
}

static void
a_tuner_that_was_kicked_goes_on(void **state)
{
	Arena *arena = arena_new();
	Watch w = {0};
	TuneReport r;
	LogRow *row;
	Agent a;
	int n;

	(void)state;
	agent_start(&a, ARGS("--socket", path));
	assert_true(agent_says(&a, "listening on"));
	w.kicks = open_or_fail(path);
	must_tune(&w, path, &r);
	assert_int_equal(w.kicked, KICKS);
	assert_non_null(strstr(w.said, "lease lost (kicked by "));
	assert_non_null(strstr(w.said, ": enough); asking again"));
	assert_int_equal(r.lost, 0); /* no connection was */
	row = log_file_rows(log_path, arena, &n);
	assert_int_equal(n, w.rows);
	for (int i = 0; i < n; i++) {
		assert_string_not_equal(row[i].status, status_name(STATUS_LOST));
		assert_string_not_equal(row[i].status, status_name(STATUS_CANCELLED));
	}
	tune_report_fini(&r);
	rpc_close(w.kicks);
	agent_kill(&a);
	arena_free(arena);
	log_file_remove(log_path);
}

static void
a_busy_device_is_waited_for_or_not(void **state)
{
	Watch w = {0};
	RpcClient *c;
	TuneReport r;
	Err e = {0};
	Agent a;

	(void)state;
	agent_start(&a, ARGS("--socket", path));
	assert_true(agent_says(&a, "listening on"));
	c = open_or_fail(path);
	assert_int_equal(rpc_lease(c, &(RpcWait){0}, &e), OK);
	assert_int_equal(run_tune(&w, path, 0, &r, &e), ERR_BUSY);
	assert_non_null(strstr(e.msg, "is held by "));
	tune_report_fini(&r);
	e = (Err){0};
	assert_int_equal(run_tune(&w, path, 0.2, &r, &e), ERR_BUSY);
	assert_non_null(strstr(w.said, "waiting for '"));
	assert_non_null(strstr(w.said, "position 1, held by "));
	tune_report_fini(&r);
	rpc_close(c);
	agent_kill(&a);
	log_file_remove(log_path);
}

/* Copies of all rows as they would be if everything had been measured once more, a thousand times
 * as fast, by a tuner that held no lease. */
static void
add_stale_copies(void)
{
	Arena *a = arena_new();
	Err e = {0};
	LogRow *row;
	Log *l;
	int n;

	row = log_file_rows(log_path, a, &n);
	for (int i = 0; i < n; i++) {
		row[i].status = LOG_STALE;
		row[i].best_ns /= 1000;
		row[i].median_ns /= 1000;
		row[i].time += 1000;
		row[i].race += row[i].race ? 10 : 0;
	}
	if (log_open(log_path, &l, &e) || log_add(l, row, n, &e))
		fail_msg("%s", e.msg);
	log_close(l);
	arena_free(a);
}

static int64_t
best_of(const char *task)
{
	Arena *a = arena_new();
	LogKey key = {.task = task};
	LogBest best;
	int64_t id;
	Err e = {0};
	Log *l;

	if (log_open_read(log_path, &l, &e) || log_best(l, a, &key, NULL, &best, &e))
		fail_msg("%s", e.msg);
	log_close(l);
	id = best.row.id;
	arena_free(a);
	return id;
}

static void
stale_rows_count_for_nobody(void **state)
{
	Arena *a = arena_new();
	Watch w = {0}, again = {0};
	TuneReport first, second;
	int n;
	int64_t best;
	LogRow *row;

	(void)state;
	must_tune(&w, NULL, &first);
	row = log_file_rows(log_path, a, &n);
	best = best_of(row[0].key.task);
	add_stale_copies();
	assert_int_equal(best_of(row[0].key.task), best); /* what compile takes */
	must_tune(&again, NULL, &second);
	assert_int_equal(again.rows, 0);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(second.task[i].sched, first.task[i].sched);
		assert_float_equal(second.task[i].after_ns, first.task[i].after_ns, 0);
		assert_float_equal(second.task[i].best_ns, first.task[i].best_ns, 0);
		assert_int_equal(second.task[i].trials, first.task[i].trials);
	}
	tune_report_fini(&first);
	tune_report_fini(&second);
	arena_free(a);
	log_file_remove(log_path);
}

static Result
measured(bool stale, double ns)
{
	Result r = {.batch = 1, .status = STATUS_OK, .epoch = 6, .stale = stale};

	r.samples.v = malloc(sizeof *r.samples.v);
	r.samples.v[0] = ns;
	r.samples.n = 1;
	return r;
}

/* The same candidate comes twice: late, under a lease that was over, and again. */
static void
late_results_are_recorded_as_stale(void **state)
{
	Parcel p = {.arena = arena_new(), .n = 1};
	ParcelItem item = {.text = "vec=k", .algorithm = "direct", .code = "00"};
	TuneOptions opt = {0};
	TuneReport report = {0};
	BoardsOptions one = {.way = {.server_path = AGENT}, .threads = 1, .runner = "cpu"};
	Tuner t = {.opt = &opt, .report = &report};
	Work w = {.arena = p.arena, .key = {"t", "f", "x", "d", "", "cpu", "1", "cold", "default"}};
	Result late = measured(true, 1), fine = measured(false, 2);
	LogRow *row;
	Err e = {0};
	int n;

	(void)state;
	p.item = &item;
	vec_push(w.arena, &w.trial, ((Trial){.text = "vec=k", .stage = "top", .code = ""}));
	assert_false(parcel_store(&p, &late));
	assert_false(parcel_complete(&p)); /* it is still waited for */
	late = (Result){.status = STATUS_CANCELLED, .stale = true};
	assert_false(parcel_store(&p, &late)); /* says nothing */
	assert_int_equal(p.stale.n, 1);
	assert_true(parcel_store(&p, &fine));
	assert_true(parcel_complete(&p));
	if (boards_open(&one, "s", &t.boards, &e) ||
	    target_of_device(boards_info(t.boards), &t.target, &e) ||
	    emit_open("llvm", &t.target, &t.emit, &e) || log_open(log_path, &t.log, &e) ||
	    tuner_record(&t, &w, &p, 0, &e))
		fail_msg("%s", e.msg);
	log_close(t.log);
	row = log_file_rows(log_path, w.arena, &n);
	assert_int_equal(n, 2);
	assert_string_equal(row[0].status, LOG_STALE);
	assert_string_equal(row[0].status, status_name(STATUS_STALE));
	assert_string_equal(row[0].reason, "OK under lease 6, which was over");
	assert_float_equal(row[0].best_ns, 1, 0);
	assert_string_equal(row[1].status, "OK");
	assert_int_equal(best_of("t"), row[1].id);
	emit_close(t.emit);
	boards_close(t.boards);
	result_fini(&p.stale.v[0].result);
	result_fini(&item.result);
	arena_free(p.arena);
	log_file_remove(log_path);
}

static int
make_folder(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/agent", folder);
	snprintf(log_path, sizeof log_path, "%s/log", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tuner_that_was_kicked_goes_on),
		cmocka_unit_test(a_busy_device_is_waited_for_or_not),
		cmocka_unit_test(stale_rows_count_for_nobody),
		cmocka_unit_test(late_results_are_recorded_as_stale),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
