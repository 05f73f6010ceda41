/* Looking up the best kernel: grades, and which of the measured rows counts. */
#include <stdlib.h>
#include <string.h>

#include "base/hardware.h"
#include "db/log_file.h"

/* How many key columns, from the first on, must agree for each grade. */
static const struct {
	const char *text;
	int columns; /* 0: all */
} grades[] = {
	[LOG_EXACT] = {"exact", 0}, [LOG_TARGET] = {"target", 3}, [LOG_FAMILY] = {"family", 2},
	[LOG_FORM] = {"form", 1},   [LOG_NONE] = {"none", 0},
};

const char *
log_grade_name(LogGrade g)
{
	return grades[g].text;
}

/* The first key column in which a row is not what is wanted; the count of columns when none. */
static int
first_difference(const LogKey *wanted, const LogKey *k)
{
	int i = 0;

	while (i < log_key_columns && log_key_matches(wanted, k, i))
		i++;
	return i;
}

static LogGrade
grade_of(int difference)
{
	LogGrade g = LOG_EXACT;

	while (g < LOG_NONE &&
	       difference < (grades[g].columns ? grades[g].columns : log_key_columns))
		g++;
	return g;
}

static bool
same_race(const LogRow *a, const LogRow *b)
{
	return a->race == b->race && !strcmp(a->session, b->session);
}

/* Whether a counts for more than b, an older row of the same kind. */
static bool
beats(const LogRow *a, const LogRow *b)
{
	bool winner = !strcmp(a->stage, LOG_STAGE_WINNER);

	if (a->race && winner != !strcmp(b->stage, LOG_STAGE_WINNER))
		return winner;
	return a->race ? a->median_ns < b->median_ns : a->best_ns < b->best_ns;
}

/* A right row of the newest race; NULL when there was none. Time tells, not the row's number:
 * import numbers rows anew, in the order of their text. */
static const LogRow *
newest_race(const LogRow *row, int n)
{
	const LogRow *newest = NULL;

	for (int i = 0; i < n; i++)
		if (row[i].race && !strcmp(row[i].status, "OK") &&
		    (!newest || row[i].time >= newest->time))
			newest = &row[i];
	return newest;
}

int
log_choose(const LogRow *row, int n)
{
	const LogRow *newest = newest_race(row, n);
	int best = -1;

	for (int i = 0; i < n; i++)
		if (!strcmp(row[i].status, "OK") && (!newest || same_race(&row[i], newest)) &&
		    (best < 0 || beats(&row[i], &row[best])))
			best = i;
	return best;
}

static int
compare_keys(const LogRow *a, const LogRow *b)
{
	LogRow x = *a, y = *b;
	int d = 0;

	for (int i = 0; i < log_key_columns && !d; i++)
		d = strcmp(*column_text(&x, &log_column[i]), *column_text(&y, &log_column[i]));
	return d;
}

static int
by_key_and_id(const void *a, const void *b)
{
	const LogRow *x = a, *y = b;
	int d = compare_keys(x, y);

	return d ? d : (x->id > y->id) - (x->id < y->id);
}

void
log_sort(LogRow *row, int n)
{
	if (n)
		qsort(row, (size_t)n, sizeof *row, by_key_and_id);
}

int
log_keep_best(LogRow *row, int n)
{
	int kept = 0, end;

	log_sort(row, n);
	for (int i = 0; i < n; i = end) {
		int best;

		for (end = i + 1; end < n && !compare_keys(&row[i], &row[end]); end++)
			;
		best = log_choose(row + i, end - i);
		if (best >= 0)
			row[kept++] = row[i + best];
	}
	return kept;
}

/* Chooses among the rows of one grade. */
static void
look(const LogKey *key, LogGrade g, const LogRow *row, int n, Arena *tmp, LogBest *out)
{
	VEC(LogRow) of = {0};
	int best;

	out->tried = out->ok = 0;
	for (int i = 0; i < n; i++)
		if (grade_of(first_difference(key, &row[i].key)) <= g) {
			vec_push(tmp, &of, row[i]);
			out->ok += !strcmp(row[i].status, "OK");
		}
	out->tried = of.n;
	best = log_choose(of.v, of.n);
	if (best < 0)
		return;
	out->grade = g;
	out->row = of.v[best];
}

static LogRow
copy_row(Arena *a, const LogRow *r)
{
	LogRow copy = *r;

	for (int i = 0; i < log_columns; i++)
		if (log_column[i].kind == COLUMN_TEXT)
			*column_text(&copy, &log_column[i]) =
				arena_strdup(a, *column_text(&copy, &log_column[i]));
	if (r->nsample)
		copy.samples = arena_copy(a, r->samples, (size_t)r->nsample * sizeof *r->samples);
	return copy;
}

static bool
is_listed(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (!strcmp(*list, name))
			return true;
	return !list;
}

/* What an emulated machine took says nothing of any other. */
static bool
counts_for(const LogKey *key, const LogRow *r)
{
	return strncmp(r->key.device, DEVICE_EMULATED, sizeof DEVICE_EMULATED - 1) ||
	       (key->device && !strcmp(key->device, r->key.device));
}

/* Drops the rows of other algorithms, of emulated machines that are not meant, and stale ones;
 * returns how many are left. */
static int
keep_usable(LogRow *row, int n, const LogKey *key, const char *const *algorithms)
{
	int kept = 0;

	for (int i = 0; i < n; i++)
		if (strcmp(row[i].status, LOG_STALE) && is_listed(algorithms, row[i].algorithm) &&
		    counts_for(key, &row[i]))
			row[kept++] = row[i];
	return kept;
}

int
log_best(Log *l, Arena *a, const LogKey *key, const char *const *algorithms, LogBest *out, Err *e)
{
	Arena *tmp = arena_new();
	LogKey task = {.task = key->task};
	LogRow *row;
	int n, differs, rc = log_rows(l, tmp, &task, &row, &n, e);

	*out = (LogBest){.grade = LOG_NONE, .differs = ""};
	if (!rc)
		n = keep_usable(row, n, key, algorithms);
	for (LogGrade g = LOG_EXACT; !rc && g < LOG_NONE && out->grade == LOG_NONE; g++)
		look(key, g, row, n, tmp, out);
	if (!rc && out->grade == LOG_NONE)
		rc = NOT_APPLICABLE;
	if (!rc) {
		out->row = copy_row(a, &out->row);
		differs = first_difference(key, &out->row.key);
		out->differs = differs < log_key_columns ? log_column[differs].name : "";
	}
	arena_free(tmp);
	return rc;
}
