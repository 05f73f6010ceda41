/* A disk that gets full while a model is tuned: that is told once, the tuner waits, and goes on
 * when there is room again. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/log.h"
#include "tests/unit/log_file.h"
#include "tests/unit/tune_case.h"
#include "tuner/tune.h"

static char log_path[] = "/tmp/hone-test-full-XXXXXX";
static long room = -1; /* writes that still find some; negative: all do */

static ssize_t
full_pwrite(int fd, const void *data, size_t n, off_t at)
{
	if (room == 0) {
		errno = ENOSPC;
		return -1;
	}
	room -= room > 0;
	return pwrite(fd, data, n, at);
}

typedef struct Watch {
	int rows, told;
	int full_at; /* the disk gets full when so many rows are in the log */
	bool keep;   /* and stays full */
} Watch;

static void
on_event(void *self, const TuneEvent *ev)
{
	Watch *w = self;

	w->rows += ev->kind == TUNE_ROWS ? ev->nid : 0;
	if (ev->kind == TUNE_ROWS && w->full_at && w->rows >= w->full_at) {
		w->full_at = 0;
		room = 0;
	}
	if (ev->kind == TUNE_TEXT && strstr(ev->text, "waiting for space")) {
		w->told++;
		room = w->keep ? 0 : -1;
	}
}

static bool
stop(void *self)
{
	const Watch *w = self;

	return w->keep && w->told;
}

static int
tune_it(Watch *w, TuneReport *r, Err *e)
{
	TuneOptions opt = {.server_path = HONE_BIN "/rpc_server",
			   .log = log_path,
			   .trials = 6,
			   .seed = 5,
			   .event = on_event,
			   .stop = stop,
			   .self = w};
	Graph *g = tune_case_product();
	int rc = tune(g, &opt, r, e);

	graph_free(g);
	return rc;
}

static int
rows_in_log(void)
{
	Arena *a = arena_new();
	int n;

	log_file_rows(log_path, a, &n);
	arena_free(a);
	return n;
}

static void
tuning_waits_for_space_and_goes_on(void **state)
{
	Watch w = {.full_at = 1};
	TuneReport r;
	Err e = {0};

	(void)state;
	if (tune_it(&w, &r, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(r.decided, 1);
	assert_int_equal(w.told, 1);
	assert_int_equal(rows_in_log(), w.rows);
	tune_report_fini(&r);
}

/* Who stops a tuner that waits gets the reason, and keeps what was acknowledged. */
static void
who_does_not_wait_is_told_why(void **state)
{
	Watch w = {.full_at = 1, .keep = true}, more = {0};
	TuneReport r;
	Err e = {0};

	(void)state;
	log_file_remove(log_path);
	assert_int_equal(tune_it(&w, &r, &e), ERR_FULL);
	assert_non_null(strstr(e.msg, log_path));
	tune_report_fini(&r);
	room = -1;
	assert_int_equal(rows_in_log(), w.rows);
	if (tune_it(&more, &r, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(r.decided, 1);
	assert_int_equal(rows_in_log(), w.rows + more.rows);
	tune_report_fini(&r);
}

static int
setup(void **state)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	int fd = mkstemp(log_path);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)full_pwrite);
	vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)full_pwrite);
	return fd < 0 || close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	log_file_remove(log_path);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tuning_waits_for_space_and_goes_on),
		cmocka_unit_test(who_does_not_wait_is_told_why),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
