/* Looking up the best kernel: grades, and which of the measured rows counts. Nothing here reads all
 * rows of a key: each question is answered by the first entries of an index (schema.c). */
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

/* What the choice looks at of a right row. */
typedef struct Sight {
	int64_t id, race, time;
	double ns; /* its best time alone, its median in a race */
	bool winner;
	const char *session; /* in the arena of the look-up */
} Sight;

/* A key of the log beside the one that is wanted. */
typedef struct Candidate {
	int64_t id;
	LogKey key;
	LogGrade grade;
} Candidate;

typedef struct Look {
	Log *l;
	Arena *tmp;
	const char *const *algorithms;
	const Candidate *key; /* whose rows count */
	int n;
} Look;

static bool
is_listed(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (!strcmp(*list, name))
			return true;
	return !list;
}

/* The next row of a listed algorithm: OK, NOT_APPLICABLE at the end, or an error. */
static int
next_sight(const Look *k, sqlite3_stmt *s, Sight *out, Err *e)
{
	int step;

	while ((step = sqlite3_step(s)) == SQLITE_ROW)
		if (is_listed(k->algorithms, log_column_or_empty(s, 1))) {
			*out = (Sight){
				.id = sqlite3_column_int64(s, 0),
				.race = sqlite3_column_int64(s, 2),
				.time = sqlite3_column_int64(s, 3),
				.winner = !strcmp(log_column_or_empty(s, 6), LOG_STAGE_WINNER)};
			out->ns = sqlite3_column_double(s, out->race ? 5 : 4);
			out->session = arena_strdup(k->tmp, log_column_or_empty(s, 7));
			return OK;
		}
	return step == SQLITE_DONE ? NOT_APPLICABLE : log_fail(k->l, e);
}

/* Whether a counts for more than b, of the same race or both alone; ties go to the older row. */
static bool
faster(const Sight *a, const Sight *b)
{
	if (a->winner != b->winner && a->race)
		return a->winner;
	return a->ns < b->ns || (a->ns == b->ns && a->id < b->id);
}

/* Time tells, not the row's number: import numbers rows anew, in the order of their text. */
static bool
newer(const Sight *a, const Sight *b)
{
	return a->time > b->time || (a->time == b->time && a->id > b->id);
}

/* The first row of every key by a statement that sorts by `before`; the foremost of them. */
static int
foremost(const Look *k, LogStatement which, bool (*before)(const Sight *, const Sight *),
	 Sight *out, Err *e)
{
	bool found = false;
	int rc = OK;

	for (int i = 0; i < k->n && rc >= 0; i++) {
		sqlite3_stmt *s = log_statement(k->l, which);
		Sight one;

		sqlite3_bind_int64(s, 1, k->key[i].id);
		rc = next_sight(k, s, &one, e);
		sqlite3_reset(s);
		if (!rc && (!found || before(&one, out)))
			*out = one;
		found |= !rc;
	}
	return rc < 0 ? rc : found ? OK : NOT_APPLICABLE;
}

/* The row that counts of the race of `of`, which is one of its rows. */
static int
fastest_of_race(const Look *k, const Sight *of, Sight *out, Err *e)
{
	int rc = OK;

	*out = *of;
	for (int i = 0; i < k->n && rc >= 0; i++) {
		sqlite3_stmt *s = log_statement(k->l, LOG_RACE);
		Sight one;

		sqlite3_bind_int64(s, 1, k->key[i].id);
		sqlite3_bind_int64(s, 2, of->race);
		sqlite3_bind_text(s, 3, of->session, -1, SQLITE_STATIC);
		while (!(rc = next_sight(k, s, &one, e)))
			if (faster(&one, out))
				*out = one;
		sqlite3_reset(s);
	}
	return rc < 0 ? rc : OK;
}

static int
choose(const Look *k, Sight *out, Err *e)
{
	Sight newest;
	int rc = foremost(k, LOG_RACED, newer, &newest, e);

	if (!rc)
		return fastest_of_race(k, &newest, out, e);
	return rc < 0 ? rc : foremost(k, LOG_FASTEST, faster, out, e);
}

/* What an emulated machine took says nothing of any other. */
static bool
counts_for(const LogKey *wanted, const LogKey *k)
{
	return strncmp(k->device, DEVICE_EMULATED, sizeof DEVICE_EMULATED - 1) ||
	       (wanted->device && !strcmp(wanted->device, k->device));
}

/* The keys that may answer for `wanted`, best grade first; *n of them. */
static int
read_keys(Log *l, Arena *a, const LogKey *wanted, Candidate **out, int *n, Err *e)
{
	sqlite3_stmt *s = log_statement(l, wanted->task ? LOG_KEYS_TASK : LOG_KEYS_ALL);
	VEC(Candidate) all = {0}, sorted = {0};
	int step;

	if (wanted->task)
		sqlite3_bind_text(s, 1, wanted->task, -1, SQLITE_STATIC);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		Candidate c = {.id = sqlite3_column_int64(s, 0)};
		LogRow r = {0};

		for (int i = 0; i < log_key_columns; i++)
			*column_text(&r, &log_column[i]) =
				arena_strdup(a, log_column_or_empty(s, i + 1));
		c.key = r.key;
		c.grade = grade_of(first_difference(wanted, &c.key));
		if (c.grade < LOG_NONE && counts_for(wanted, &c.key))
			vec_push(a, &all, c);
	}
	sqlite3_reset(s);
	for (LogGrade g = LOG_EXACT; g < LOG_NONE; g++)
		for (int i = 0; i < all.n; i++)
			if (all.v[i].grade == g)
				vec_push(a, &sorted, all.v[i]);
	*out = sorted.v;
	*n = sorted.n;
	return step == SQLITE_DONE ? OK : log_fail(l, e);
}

static int
read_one(Log *l, Arena *a, int64_t id, LogRow *out, Err *e)
{
	sqlite3_stmt *s = log_statement(l, LOG_SELECT_ONE);
	int rc;

	sqlite3_bind_int64(s, 1, id);
	rc = log_step_row(l, s, a, out, e);
	sqlite3_reset(s);
	return rc;
}

/* Looks among the keys of the first grade, then among those of the first two... */
static int
look(Look *k, const Candidate *key, int n, LogGrade *grade, Sight *out, Err *e)
{
	int rc = NOT_APPLICABLE;

	k->key = key;
	k->n = 0;
	for (LogGrade g = LOG_EXACT; rc == NOT_APPLICABLE && g < LOG_NONE; g++) {
		int before = k->n;

		while (k->n < n && key[k->n].grade <= g)
			k->n++;
		if (k->n > before)
			rc = choose(k, out, e);
		*grade = g;
	}
	return rc;
}

int
log_best(Log *l, Arena *a, const LogKey *key, const char *const *algorithms, LogBest *out, Err *e)
{
	Look k = {.l = l, .tmp = arena_new(), .algorithms = algorithms};
	LogGrade grade = LOG_NONE;
	Candidate *candidate;
	Sight best;
	int n, differs, rc = read_keys(l, k.tmp, key, &candidate, &n, e);

	*out = (LogBest){.grade = LOG_NONE, .differs = ""};
	if (!rc)
		rc = look(&k, candidate, n, &grade, &best, e);
	if (!rc)
		rc = read_one(l, a, best.id, &out->row, e);
	if (!rc) {
		out->grade = grade;
		differs = first_difference(key, &out->row.key);
		out->differs = differs < log_key_columns ? log_column[differs].name : "";
	}
	arena_free(k.tmp);
	return rc;
}

int
log_best_rows(Log *l, Arena *a, LogRow **row, int *n, Err *e)
{
	Look k = {.l = l, .tmp = arena_new(), .n = 1};
	VEC(LogRow) all = {0};
	VEC(int64_t) ids = {0};
	sqlite3_stmt *s = l->statement[LOG_KEYS_ALL];
	int step, rc = OK;

	log_statement(l, LOG_KEYS_ALL);
	while ((step = sqlite3_step(s)) == SQLITE_ROW)
		vec_push(k.tmp, &ids, sqlite3_column_int64(s, 0));
	sqlite3_reset(s);
	if (step != SQLITE_DONE)
		rc = log_fail(l, e);
	for (int i = 0; i < ids.n && rc >= 0; i++) {
		Candidate one = {.id = ids.v[i]};
		Sight best;
		LogRow r;

		k.key = &one;
		rc = choose(&k, &best, e);
		if (!rc && !(rc = read_one(l, a, best.id, &r, e)))
			vec_push(a, &all, r);
	}
	arena_free(k.tmp);
	*row = all.v;
	*n = all.n;
	return rc < 0 ? rc : OK;
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
