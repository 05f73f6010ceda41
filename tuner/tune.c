/* The spine of the search. Every arrow is one call; the loop closes only through the log. */
#include "tuner/tuner.h"

/* Works that can send something go first: while a batch is measured, the next one is compiled. */
static int
run_search(Tuner *t, Err *e)
{
	int rc = OK;

	while (!rc && !tuner_stopped(t)) {
		Work *w = boards_room(t->boards) > 0 ? tuner_next(t) : NULL;

		if (w)
			rc = tuner_send(t, w, e); /* Space -> Sched -> Loop -> Code -> device */
		else if (boards_out(t->boards))
			rc = tuner_receive(t, e); /* Meas -> Rec -> strategy */
		else
			break;
	}
	return rc && rc != ERR_CANCELLED ? rc : tuner_halt(t, e);
}

int
tune(const Graph *g, const TuneOptions *opt, TuneReport *report, Err *e)
{
	Tuner t;
	int rc;

	tuner_init(&t, g, opt, report);
	rc = tuner_device(&t, e); /* agent -> Target */
	if (!rc)
		rc = tuner_log(&t, e); /* what is known */
	if (!rc)
		rc = tuner_plan(&t, e); /* Graph -> Plan: Tasks and Forms for the Target */
	if (!rc)
		rc = tuner_works(&t, e); /* Task -> Work */
	if (!rc)
		rc = tuner_begin(&t, e); /* the boards are ready to measure */
	if (!rc)
		rc = run_search(&t, e);
	if (!rc)
		rc = tuner_choose(&t, e); /* times -> Plan, where several were measured */
	if (!rc)
		rc = tuner_missed(&t, e);
	if (!rc)
		rc = stats_record(&t, e);
	tuner_sums(&t); /* races -> the model's time, before and after */
	tuner_fini(&t);
	return rc;
}
