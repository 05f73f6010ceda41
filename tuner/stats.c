/* Where the time of a run went. */
#include "base/clock.h"
#include "tuner/tuner.h"

void
stats_add(double *cost, uint64_t began)
{
	*cost += (double)(clock_ns() - began) * 1e-9;
}

/* A race runs for all of its candidates at once, and each is told how long that took. */
void
stats_parcel(Tuner *t, const Parcel *p)
{
	TuneCosts *c = &t->report->cost;
	double times = p->batch.measure.race_rounds && p->n ? 1.0 / p->n : 1;

	c->open += p->open_s;
	c->send += p->send_s;
	c->build += p->build_s;
	c->link += p->link_s;
	for (int i = 0; i < p->n; i++) {
		const Result *r = &p->item[i].result;

		c->prepare += r->prepare_s;
		c->measure += r->run_s * times;
		c->verify += r->check_s;
	}
}

int
stats_record(Tuner *t, Err *e)
{
	const TuneCosts *c = &t->report->cost;
	Str s = {0};
	int rc;

	if (!t->report->trials)
		return OK;
	str_printf(&s, "trials=%lld seconds=%.3f", (long long)t->report->trials,
		   (double)(clock_ns() - t->began) * 1e-9);
#define X(name, text) str_printf(&s, " " #name "=%.3f", c->name);
	TUNE_COST_LIST(X)
#undef X
	rc = tuner_add_text(t, LOG_TEXT_STATS, t->session, str_get(&s), e);
	str_fini(&s);
	return rc;
}
