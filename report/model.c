/* Numbers over all Tasks of a section: the time of the model while it was tuned, failures, and what
 * winners have in common. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/parts.h"

/* --- the model's best so far --- */

/* From here on a Task takes so much less than before. */
typedef struct Gain {
	double seconds, gain_ns;
	int trials; /* measured since the step before */
} Gain;

static int
by_seconds(const void *a, const void *b)
{
	const Gain *x = a, *y = b;

	return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

void
report_model_curve(ReportSection *s, const ReportRuns *runs, Arena *a)
{
	VEC(Gain) step = {0};
	double ns = 0, trials = 0;

	for (int i = 0; i < s->ntask; i++) {
		const ReportTask *t = &s->task[i];
		double uses = t->uses ? t->uses : 1, now = t->first.ns;

		if (!(t->first.ns > 0))
			continue;
		ns += uses * now;
		for (int k = 0; k < t->nrow; k++) {
			const LogRow *r = t->row[k];
			bool better = row_is(r, STATUS_OK) && r->best_ns < now;

			if (!row_was_measured(r))
				continue;
			vec_push(a, &step,
				 ((Gain){report_seconds(runs, r),
					 better ? uses * (now - r->best_ns) : 0, 1}));
			now = better ? r->best_ns : now;
		}
	}
	if (!step.n)
		return;
	qsort(step.v, (size_t)step.n, sizeof *step.v, by_seconds);
	vec_push(a, &s->curve, ((ReportPoint){0, 0, ns}));
	for (int i = 0; i < step.n; i++) {
		bool last = i + 1 == step.n || step.v[i + 1].seconds > step.v[i].seconds;

		ns -= step.v[i].gain_ns;
		trials += step.v[i].trials;
		if (last && ns < s->curve.v[s->curve.n - 1].ns)
			vec_push(a, &s->curve, ((ReportPoint){trials, step.v[i].seconds, ns}));
	}
}

/* --- failures --- */

const char *
reason_general(Arena *a, const char *reason)
{
	char *text = arena_alloc(a, strlen(reason) + 1), *to = text;

	while (*reason)
		if (isdigit((unsigned char)*reason)) {
			*to++ = 'N';
			while (isdigit((unsigned char)*reason) ||
			       (*reason == '.' && isdigit((unsigned char)reason[1])))
				reason++;
		} else {
			*to++ = *reason++;
		}
	*to = 0;
	return text;
}

typedef struct Failed {
	const char *status, *general, *reason;
} Failed;

static int
by_reason(const void *a, const void *b)
{
	const Failed *x = a, *y = b;
	int d = strcmp(x->status, y->status);

	return d ? d : strcmp(x->general, y->general);
}

static int
most_first(const void *a, const void *b)
{
	const ReportFailure *x = a, *y = b;
	int d = (x->n < y->n) - (x->n > y->n);

	d = d ? d : strcmp(x->status, y->status);
	return d ? d : strcmp(x->reason, y->reason);
}

void
report_failures(ReportSection *s, const LogRow *const *row, int n, Arena *a)
{
	VEC(Failed) all = {0};
	int end;

	for (int i = 0; i < n; i++)
		if (!row_is(row[i], STATUS_OK) && !row_is(row[i], STATUS_CANCELLED))
			vec_push(a, &all,
				 ((Failed){row[i]->status, reason_general(a, row[i]->reason),
					   row[i]->reason}));
	if (!all.n)
		return;
	qsort(all.v, (size_t)all.n, sizeof *all.v, by_reason);
	for (int i = 0; i < all.n; i = end) {
		bool varies = false;

		for (end = i + 1; end < all.n && !by_reason(&all.v[i], &all.v[end]); end++)
			varies |= strcmp(all.v[i].reason, all.v[end].reason) != 0;
		vec_push(a, &s->failure,
			 ((ReportFailure){all.v[i].status,
					  varies ? all.v[i].general : all.v[i].reason, end - i}));
	}
	qsort(s->failure.v, (size_t)s->failure.n, sizeof *s->failure.v, most_first);
}

/* --- what winners have in common --- */

typedef struct Counting {
	Arena *a;
	ReportSection *s;
	int *task; /* per choice: the last Task it was tried in */
	int cap, at;
	bool won;
} Counting;

static int
choice_number(Counting *c, ChoiceKind kind, const char *value)
{
	ReportSection *s = c->s;

	for (int i = 0; i < s->choice.n; i++)
		if (s->choice.v[i].kind == kind && !strcmp(s->choice.v[i].value, value))
			return i;
	if (s->choice.n == c->cap)
		return -1;
	vec_push(c->a, &s->choice,
		 ((ReportChoice){.kind = kind, .value = arena_strdup(c->a, value)}));
	c->task[s->choice.n - 1] = -1;
	return s->choice.n - 1;
}

static void
count_choice(void *self, ChoiceKind kind, const char *value)
{
	Counting *c = self;
	int i = choice_number(c, kind, value);
	ReportChoice *x;

	if (i < 0)
		return;
	x = &c->s->choice.v[i];
	if (c->won) {
		x->won++;
		return;
	}
	x->tried++;
	x->tasks += c->task[i] != c->at;
	c->task[i] = c->at;
}

static int
by_kind_won(const void *a, const void *b)
{
	const ReportChoice *x = a, *y = b;
	int d = (int)x->kind - (int)y->kind;

	d = d ? d : y->won - x->won;
	d = d ? d : y->tried - x->tried;
	return d ? d : strcmp(x->value, y->value);
}

void
report_choices(ReportSection *s, Arena *a)
{
	enum { CHOICES_MAX = 512 };
	int task[CHOICES_MAX];
	Counting c = {.a = a, .s = s, .task = task, .cap = CHOICES_MAX};

	for (c.at = 0; c.at < s->ntask; c.at++) {
		const ReportTask *t = &s->task[c.at];

		c.won = false;
		for (int i = 0; i < t->nrow; i++)
			if (row_was_measured(t->row[i]) && row_is(t->row[i], STATUS_OK))
				choices_of(t->row[i]->sched, count_choice, &c);
		c.won = true;
		if (!t->best_row || t->ok < 2) /* one candidate wins against nobody */
			continue;
		s->winners++;
		choices_of(t->sched, count_choice, &c);
	}
	if (s->choice.n)
		qsort(s->choice.v, (size_t)s->choice.n, sizeof *s->choice.v, by_kind_won);
}
