/* Which Work sends next: by what it is expected to save for the time it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tuner/tuner.h"

enum { WORKS = 4 };

/* A run over Works that nobody opens: what turns look at. */
typedef struct Run {
	Tuner t;
	Work work[WORKS];
	TuneTask row[WORKS];
	PlanTask task[WORKS];
	Effort effort;
} Run;

static void
start(Run *r)
{
	*r = (Run){.effort = {.name = "test", .trials = 64, .stall = 0.375}};
	r->t = (Tuner){.work = r->work, .nwork = WORKS, .began = clock_ns()};
	for (int i = 0; i < WORKS; i++) {
		r->task[i].uses = 1;
		r->work[i] = (Work){.row = &r->row[i],
				    .task = &r->task[i],
				    .effort = &r->effort,
				    .trials = 64,
				    .rough_ns = 1e6 / (i + 1)};
	}
}

/* Work i after a round of so many trials, whose best is ns. */
static void
round_of(Run *r, int i, int trials, double ns, double gained)
{
	Work *w = &r->work[i];

	w->row->state = TASK_SEARCHING;
	w->counted += trials;
	w->used += trials;
	w->marked = w->counted;
	w->mark_ns = ns;
	w->space.floor_ns = ns / 2;
	w->gained = gained;
	w->round_s = 0.5;
}

static void
each_task_has_a_first_round(void **state)
{
	Run r;

	(void)state;
	start(&r);
	for (int i = 0; i < WORKS; i++) {
		assert_ptr_equal(tuner_next(&r.t), &r.work[i]); /* dearest first */
		round_of(&r, i, 16, r.work[i].rough_ns, 0.01);
	}
}

static void
the_largest_gain_goes_first(void **state)
{
	Run r;

	(void)state;
	start(&r);
	for (int i = 0; i < WORKS; i++)
		round_of(&r, i, 16, 1e6, 0);
	r.work[2].gained = 0.2; /* it still falls fast */
	assert_ptr_equal(tuner_next(&r.t), &r.work[2]);
	r.task[1].uses = 100; /* whatever that gains counts often */
	assert_ptr_equal(tuner_next(&r.t), &r.work[1]);
	r.work[1].round_s = 500; /* but takes very long */
	assert_ptr_equal(tuner_next(&r.t), &r.work[2]);
	r.work[2].gained = 0;
	r.work[3].counted = 0; /* as good as the others after fewer trials */
	assert_ptr_equal(tuner_next(&r.t), &r.work[3]);
}

static void
who_is_in_flight_waits(void **state)
{
	Run r;

	(void)state;
	start(&r);
	r.work[0].in_flight = true;
	assert_ptr_equal(tuner_next(&r.t), &r.work[1]);
	for (int i = 0; i < WORKS; i++)
		r.work[i].in_flight = true;
	assert_null(tuner_next(&r.t));
}

/* Trials used up, roofline reached, or nothing gained for long: whatever others would save. */
static void
who_is_over_races_at_once(void **state)
{
	Run r;

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		start(&r);
		round_of(&r, 3, 16, 1e3, 0);
		assert_false(work_over(&r.work[3]));
		if (kind == 0)
			r.work[3].used = 64;
		else if (kind == 1)
			r.work[3].space.floor_ns = 980;
		else
			r.work[3].counted += 24;
		assert_true(work_over(&r.work[3]));
		assert_ptr_equal(tuner_next(&r.t), &r.work[3]);
	}
	r.effort.stall = 0; /* exhaustive: no end before all was tried */
	assert_false(work_over(&r.work[3]));
}

static void
the_end_of_a_time_limit_is_for_races(void **state)
{
	Run r;

	(void)state;
	start(&r);
	round_of(&r, 2, 16, 1e6, 0);
	r.t.began = clock_ns() - 90 * SECOND_NS;
	r.t.ends = r.t.began + 100 * SECOND_NS;
	assert_true(turn_search_over(&r.t));
	assert_ptr_equal(tuner_next(&r.t), &r.work[2]);
	assert_int_equal(turn_unraced(&r.t), WORKS);
	r.row[2].state = TASK_DONE;
	assert_null(tuner_next(&r.t)); /* nothing new is begun */
	assert_int_equal(turn_unraced(&r.t), WORKS - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_task_has_a_first_round),
		cmocka_unit_test(the_largest_gain_goes_first),
		cmocka_unit_test(who_is_in_flight_waits),
		cmocka_unit_test(who_is_over_races_at_once),
		cmocka_unit_test(the_end_of_a_time_limit_is_for_races),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
