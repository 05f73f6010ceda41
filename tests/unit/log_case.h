/* A log in a folder of its own, and rows to put into it. */
#ifndef TESTS_UNIT_LOG_CASE_H
#define TESTS_UNIT_LOG_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/log_file.h"

typedef struct Bench {
	char dir[32], path[64];
	Arena *a;
} Bench;

static inline int
setup(void **state)
{
	Bench *b = calloc(1, sizeof *b);

	strcpy(b->dir, "/tmp/hone-log-XXXXXX");
	if (!mkdtemp(b->dir))
		return -1;
	snprintf(b->path, sizeof b->path, "%s/t.db", b->dir);
	b->a = arena_new();
	*state = b;
	return 0;
}

static inline int
teardown(void **state)
{
	Bench *b = *state;
	char second[96];

	snprintf(second, sizeof second, "%s.2", b->path);
	log_file_remove(b->path);
	log_file_remove(second);
	rmdir(b->dir);
	arena_free(b->a);
	free(b);
	return 0;
}

static const double log_samples[] = {1234.5, 1e-300, 0.1, 7};

static inline LogKey
key(void)
{
	return (LogKey){.task = "00112233445566778899aabbccddeeff",
			.form = "ffeeddccbbaa99887766554433221100",
			.target = "x86_64-unknown-linux-gnu znver3 +avx2,+fma",
			.device = "AMD EPYC",
			.driver = "",
			.runner = "cpu",
			.threads = "1",
			.mode = "cold",
			.tolerance = "default"};
}

static inline LogRow
row(const char *sched, double ns)
{
	return (LogRow){.key = key(),
			.algorithm = "direct",
			.sched = sched,
			.status = "OK",
			.reason = "",
			.samples = log_samples,
			.nsample = 4,
			.best_ns = ns,
			.median_ns = ns * 1.1,
			.max_error = 0.25,
			.calibration_before = 101.5,
			.calibration_after = 99.25,
			.expected_ns = ns * 0.9,
			.code = "c0de",
			.generator = "hone 0.1",
			.llvm = "22.1",
			.stage = "top",
			.session = "s1",
			.seed = -3,
			.time = 1700000000,
			.insecure = 1,
			.sandbox = 6};
}

static inline Log *
opened(Bench *b)
{
	Err e = {0};
	Log *l = NULL;

	if (log_open(b->path, &l, &e))
		fail_msg("%s", e.msg);
	return l;
}

static inline void
added(Log *l, LogRow *r)
{
	Err e = {0};

	if (log_add(l, r, 1, &e))
		fail_msg("%s", e.msg);
	assert_true(r->id > 0);
}

static inline void
add_timed(Log *l, const char *sched, double ns, int64_t number, const char *session,
	  const char *stage)
{
	LogRow r = row(sched, ns);

	r.race = number;
	r.session = session;
	r.stage = stage;
	added(l, &r);
}

#endif
