/* Rows of logs as lessons: the Space of a Task is built anew, and every row whose Sched it offers
 * is one. Rows of one Task under one Form and number of threads stand together: they are one Task
 * here. */
#include "tuner/learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/log_space.h"
#include "wire/status.h"

enum { FOLDS = 10, PAIRS_LEAST = 10 };

static const double DIFFERS = 1.02; /* times that are not a tie */

void
lesson_init(Lesson *l)
{
	*l = (Lesson){.arena = arena_new()};
}

void
lesson_fini(Lesson *l)
{
	arena_free(l->arena);
	*l = (Lesson){0};
}

/* --- reading --- */

static bool
same_space(const LogRow *a, const LogRow *b)
{
	return !strcmp(a->key.task, b->key.task) && !strcmp(a->key.form, b->key.form) &&
	       !strcmp(a->key.target, b->key.target) && !strcmp(a->key.threads, b->key.threads);
}

static bool
counts(const LogRow *r)
{
	return !r->race && !strcmp(r->status, status_name(STATUS_OK)) && r->best_ns > 0;
}

static void
add_row(Lesson *l, Features *f, const Pick *p, double ns)
{
	float x[FEATURES];

	features_of(f, p, x);
	for (int i = 0; i < FEATURES; i++)
		vec_push(l->arena, &l->x, x[i]);
	vec_push(l->arena, &l->ns, ns);
	vec_push(l->arena, &l->task, l->tasks);
}

/* Rows of one Task. */
static void
add_task(Lesson *l, Log *log, const LogRow *row, int n, const Target *t)
{
	Arena *work = arena_new();
	int first = l->ns.n;
	double best = INFINITY;
	Features *features;
	Err ignored = {0};
	Space s;

	if (log_space(log, work, &row->key, t, &s, &ignored)) {
		l->foreign += n;
		arena_free(work);
		return;
	}
	features = features_new(work, &s);
	for (int i = 0; i < n; i++) {
		Pick p;

		if (!counts(&row[i]))
			continue;
		if (space_find(&s, row[i].sched, &p)) {
			l->foreign++;
			continue;
		}
		add_row(l, features, &p, row[i].best_ns);
		best = fmin(best, row[i].best_ns);
	}
	for (int i = first; i < l->ns.n; i++)
		vec_push(l->arena, &l->y, log2(best / l->ns.v[i]));
	l->tasks += l->ns.n > first;
	arena_free(work);
}

void
lesson_add(Lesson *l, const Recorded *r, const RecordedSpace *s)
{
	Arena *work = arena_new();
	Features *f = features_new(work, &s->space);
	double best = s->best_us * 1e3;

	for (int i = 0; i < r->row.n; i++) {
		const RecordedRow *row = &r->row.v[i];
		Pick p;

		if (row->status == STATUS_OK && !space_find(&s->space, row->sched, &p)) {
			add_row(l, f, &p, row->us * 1e3);
			vec_push(l->arena, &l->y, log2(best / (row->us * 1e3)));
		} else
			l->foreign += row->status == STATUS_OK;
	}
	l->tasks += l->task.n && l->task.v[l->task.n - 1] == l->tasks;
	arena_free(work);
}

static int
by_space(const void *a, const void *b)
{
	const LogRow *x = a, *y = b;
	int d = strcmp(x->key.task, y->key.task);

	if (!d)
		d = strcmp(x->key.form, y->key.form);
	if (!d)
		d = strcmp(x->key.threads, y->key.threads);
	return d ? d : x->id < y->id ? -1 : x->id > y->id;
}

int
lesson_read(Lesson *l, Log *log, const Target *t, Err *e)
{
	Arena *work = arena_new();
	Str key = {0};
	LogKey of = {0};
	LogRow *row;
	int n, rc;

	target_key(t, &key);
	of.target = str_get(&key);
	rc = log_rows(log, work, &of, &row, &n, e);
	if (!rc && n)
		qsort(row, (size_t)n, sizeof *row, by_space);
	for (int i = 0, end; !rc && i < n; i = end) {
		for (end = i + 1; end < n && same_space(&row[i], &row[end]);)
			end++;
		add_task(l, log, row + i, end - i, t);
	}
	str_fini(&key);
	arena_free(work);
	return rc;
}

/* --- learning --- */

static double
expected(const Lesson *l, int row)
{
	return -(double)l->x.v[(size_t)row * FEATURES + FEATURE_cost];
}

/* A model of the rows of all Tasks but those whose number leaves `rest` when divided by `by`. */
static Trees
train_without(const Lesson *l, Arena *a, int by, int rest)
{
	Arena *work = arena_new();
	float *x = ARENA_ARRAY(work, float, (size_t)l->ns.n *FEATURES + 1);
	double *y = ARENA_ARRAY(work, double, l->ns.n + 1);
	double *offset = ARENA_ARRAY(work, double, l->ns.n + 1);
	TreesData d = {.width = FEATURES, .name = feature_name, .x = x, .y = y, .offset = offset};
	Trees t;

	for (int i = 0; i < l->ns.n; i++) {
		if (l->task.v[i] % by == rest)
			continue;
		memcpy(x + (size_t)d.n * FEATURES, l->x.v + (size_t)i * FEATURES,
		       FEATURES * sizeof *x);
		offset[d.n] = expected(l, i);
		y[d.n++] = l->y.v[i];
	}
	t = trees_train(a, &d, &trees_large);
	arena_free(work);
	return t;
}

Trees
lesson_train(Lesson *l)
{
	return train_without(l, l->arena, 1, -1);
}

Trees
lesson_train_without(const Lesson *l, Arena *a, int task)
{
	return train_without(l, a, l->tasks + 1, task);
}

/* One Task, rows first..end, by its scores: higher is faster. Whether it had pairs enough. */
static bool
score_task(const Lesson *l, int first, int end, const double *score, double *pairs, double *best)
{
	int64_t n = 0, right = 0;
	double fastest = INFINITY;
	int top = first;

	for (int i = first; i < end; i++) {
		fastest = fmin(fastest, l->ns.v[i]);
		top = score[i] > score[top] ? i : top;
		for (int k = first; k < i; k++) {
			double ratio = l->ns.v[i] / l->ns.v[k];

			if (ratio < DIFFERS && ratio > 1 / DIFFERS)
				continue;
			n++;
			right += ratio < 1 ? score[i] > score[k] : score[i] < score[k];
		}
	}
	if (n < PAIRS_LEAST)
		return false;
	*pairs += (double)right / (double)n;
	*best += fastest / l->ns.v[top];
	return true;
}

LessonScore
lesson_score(const Lesson *l)
{
	Arena *work = arena_new();
	double *analytic = ARENA_ARRAY(work, double, l->ns.n + 1);
	double *trees = ARENA_ARRAY(work, double, l->ns.n + 1);
	LessonScore s = {0};

	for (int fold = 0; fold < FOLDS && l->tasks > 1; fold++) {
		Trees t = train_without(l, work, FOLDS, fold);

		for (int i = 0; i < l->ns.n; i++)
			if (l->task.v[i] % FOLDS == fold) {
				analytic[i] = expected(l, i);
				trees[i] = analytic[i] +
					   trees_predict(&t, l->x.v + (size_t)i * FEATURES);
			}
	}
	for (int i = 0, end; i < l->ns.n && l->tasks > 1; i = end) {
		for (end = i + 1; end < l->ns.n && l->task.v[end] == l->task.v[i];)
			end++;
		if (score_task(l, i, end, analytic, &s.pairs_analytic, &s.first_analytic)) {
			score_task(l, i, end, trees, &s.pairs_trees, &s.first_trees);
			s.tasks++;
		}
	}
	if (s.tasks) {
		s.pairs_analytic /= s.tasks;
		s.pairs_trees /= s.tasks;
		s.first_analytic /= s.tasks;
		s.first_trees /= s.tasks;
	}
	arena_free(work);
	return s;
}
