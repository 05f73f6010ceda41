/* Turns: which Work sends next.
 *
 * A round of a search goes to the Task where it is expected to save most of the model's time for
 * each second it takes; every Task has had its first round before that is known for any. Who used
 * up its trials, or gains nothing more, races at once. Under a time limit the last part is for
 * races, and those of the dearest Tasks come first.
 *
 * What a round will gain is guessed from what the last one did, and where that was nothing, from
 * how far the roofline is; both count less from round to round. The order is all that depends on
 * the clock: what a Task tries does not. */
#include <math.h>

#include "base/clock.h"
#include "tuner/tuner.h"

enum { OPEN_MAX = 64 }; /* Works, of some MB each */

static const double SEARCH_SHARE = 0.85; /* of the time limit; the rest is for races */
static const double FIRST_GAIN = 0.05;   /* of the time, by a first round: half of what is usual */
static const double CHANCE = 0.05;       /* of reaching the roofline by a round, at first */
static const double FADING = 16;         /* trials that halve it */
static const double ROUND_S = 0.5;       /* before any is back */
static const double ROUGHLY = 1.3;       /* times the roofline, what a Task takes */

bool
turn_search_over(const Tuner *t)
{
	return t->ends &&
	       (double)(clock_ns() - t->began) > SEARCH_SHARE * (double)(t->ends - t->began);
}

int
turn_unraced(const Tuner *t)
{
	int n = 0;

	for (int i = 0; i < t->nwork; i++)
		n += t->work[i].row->state <= TASK_RACING;
	return n;
}

void
turn_round_ended(Tuner *t, Work *w)
{
	w->round_s = (double)(clock_ns() - w->sent) * 1e-9;
	t->round_s += (w->round_s - t->round_s) / (t->round_s > 0 ? 8 : 1);
}

/* Part of its time that the next round of w is expected to take off. */
static double
expected_gain(const Work *w)
{
	double gap;

	if (!(w->mark_ns > 0))
		return FIRST_GAIN;
	gap = fmax(1 - w->space.floor_ns / w->mark_ns, 0);
	return fmax(w->gained / 2, CHANCE * gap * exp2(-w->counted / FADING));
}

/* ns of the model for each second. */
static double
gain_rate(const Tuner *t, const Work *w)
{
	double ns = w->mark_ns > 0 ? w->mark_ns * w->task->uses : w->rough_ns * ROUGHLY;
	double s = w->round_s > 0 ? w->round_s : t->round_s > 0 ? t->round_s : ROUND_S;

	return ns * expected_gain(w) / s;
}

static bool
is_open(const Work *w)
{
	return w->row->state == TASK_SEARCHING || w->row->state == TASK_RACING;
}

/* Nothing of it is measured yet, and after this turn something would be. */
static bool
may_begin(const Tuner *t, const Work *w, int open)
{
	return w->row->state == TASK_WAITING && open < OPEN_MAX && !turn_search_over(t);
}

/* Of the first Plan, or of the others. */
static Work *
next_of(Tuner *t, bool other, int open)
{
	Work *best = NULL;

	for (int i = 0; i < t->nwork; i++) {
		Work *w = &t->work[i];

		if (w->other != other || w->in_flight || !(is_open(w) || may_begin(t, w, open)))
			continue;
		if (is_open(w) &&
		    (w->row->state == TASK_RACING || turn_search_over(t) || work_over(w)))
			return w;
		if (!best || gain_rate(t, w) > gain_rate(t, best))
			best = w;
	}
	return best;
}

Work *
tuner_next(Tuner *t)
{
	Work *first;
	int open = 0;

	for (int i = 0; i < t->nwork; i++)
		open += is_open(&t->work[i]);
	first = next_of(t, false, open);
	return first ? first : next_of(t, true, open);
}
