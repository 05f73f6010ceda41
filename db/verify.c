/* Checking a whole log. A fault is told and the check goes on; only what keeps the file from being
 * read is an error. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "db/log_file.h"
#include "db/upkeep.h"

typedef struct Check {
	Log *l;
	const LogVerify *v;
	LogVerified *out;
} Check;

static void
fault(Check *c, int64_t row, const char *text)
{
	c->out->faults++;
	c->v->fault(c->v->self, row, text);
}

static void
check_file(Check *c)
{
	Err own = {0};

	if (log_check(c->l, &own))
		fault(c, 0, own.msg);
}

/* NULL when the text of that kind is there and has the digest; else what is wrong. */
static const char *
text_fault(Check *c, Arena *a, const char *kind, const char *digest)
{
	char hex[DIGEST_TEXT];
	const char *body;
	Err own = {0};
	int rc = log_get_text(c->l, a, kind, digest, &body, &own);

	if (rc == NOT_APPLICABLE)
		return arena_printf(a, "the text of its %s is not in the log", kind);
	if (rc)
		return arena_strdup(a, own.msg);
	c->out->texts++;
	digest_name(body, hex);
	return strcmp(hex, digest)
		       ? arena_printf(a, "the text of its %s has another digest, %s", kind, hex)
		       : NULL;
}

/* A fault of a key is one of each of its rows. */
static int
blame_rows(Check *c, int64_t key, const char *text, Err *e)
{
	sqlite3_stmt *s;
	int step = SQLITE_DONE,
	    rc = log_query(c->l, "SELECT id FROM trial WHERE key = ?1 ORDER BY id", &s, e);

	if (!rc) {
		sqlite3_bind_int64(s, 1, key);
		while ((step = sqlite3_step(s)) == SQLITE_ROW)
			fault(c, sqlite3_column_int64(s, 0), text);
	}
	if (!rc && step != SQLITE_DONE)
		rc = log_fail(c->l, e);
	sqlite3_finalize(s);
	return rc;
}

static int
check_keys(Check *c, Err *e)
{
	Arena *a = arena_new();
	sqlite3_stmt *s;
	int step = SQLITE_DONE, rc = log_query(c->l, "SELECT id, task, form FROM keys", &s, e);

	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW) {
		int64_t key = sqlite3_column_int64(s, 0);
		const char *why = text_fault(c, a, "task", log_column_or_empty(s, 1));

		if (why)
			rc = blame_rows(c, key, why, e);
		why = text_fault(c, a, "form", log_column_or_empty(s, 2));
		if (why && !rc)
			rc = blame_rows(c, key, why, e);
		arena_reset(a);
	}
	if (!rc && step != SQLITE_DONE)
		rc = log_fail(c->l, e);
	sqlite3_finalize(s);
	arena_free(a);
	return rc;
}

static int
check_orphans(Check *c, Err *e)
{
	sqlite3_stmt *s;
	int step = SQLITE_DONE,
	    rc = log_query(c->l, "SELECT id FROM trial WHERE key NOT IN (SELECT id FROM keys)", &s,
			   e);

	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW)
		fault(c, sqlite3_column_int64(s, 0), "its key is not in the log");
	if (!rc && step != SQLITE_DONE)
		rc = log_fail(c->l, e);
	sqlite3_finalize(s);
	return rc;
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

/* The least sample is the best time, and the median lies among the samples. */
static bool
times_fit(const LogRow *r)
{
	double least = 0, most = 0;

	for (int i = 0; i < r->nsample; i++) {
		least = i ? fmin(least, r->samples[i]) : r->samples[i];
		most = fmax(most, r->samples[i]);
	}
	return !r->nsample || (near(r->best_ns, least) && r->median_ns >= least * (1 - 1e-9) &&
			       r->median_ns <= most * (1 + 1e-9));
}

static void
check_row(Check *c, const LogRow *r)
{
	const char *const *s = c->v->status;
	char text[128];
	Err bad = {0};

	if (log_check_row(r, &bad))
		fault(c, r->id, bad.msg);
	while (*s && strcmp(*s, r->status) != 0)
		s++;
	if (!*s) {
		snprintf(text, sizeof text, "status: '%.40s' is not known", r->status);
		fault(c, r->id, text);
	}
	if (!times_fit(r))
		fault(c, r->id, "samples: best_ns and median_ns are not theirs");
	if (r->max_error < 0 || r->calibration_before < 0 || r->calibration_after < 0)
		fault(c, r->id, "a figure that cannot be below 0 is");
	if (r->time > c->v->now)
		fault(c, r->id, "time: in the future");
}

static int
check_rows(Check *c, Err *e)
{
	sqlite3_stmt *s = log_statement(c->l, LOG_SELECT_ALL);
	Arena *a = arena_new();
	LogRow r;
	int rc;

	while (!(rc = log_step_row(c->l, s, a, &r, e))) {
		c->out->rows++;
		check_row(c, &r);
		arena_reset(a);
	}
	arena_free(a);
	return rc == NOT_APPLICABLE ? OK : rc;
}

int
log_verify(Log *l, const LogVerify *v, LogVerified *out, Err *e)
{
	Check c = {l, v, out};
	int rc;

	*out = (LogVerified){0};
	check_file(&c);
	rc = check_orphans(&c, e);
	if (!rc)
		rc = check_keys(&c, e);
	return rc ? rc : check_rows(&c, e);
}
