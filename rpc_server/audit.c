/* The agent's own clocks. Times are compared with generous factors: the runs here find warm
 * constants, but outputs and code that the agent's work may have pushed out of the caches. What is
 * not counted against a candidate is time in which its process did not run.
 *
 * Several threads are not judged by it: one that waits for its processor lets the others spin, for
 * as long as the system likes.
 *
 * Time on processors is not an upper bound of what was reported, as wall time is: samples that were
 * interrupted are longer, and honest. */
#include "rpc_server/audit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "rpc_server/check.h"
#include "rpc_server/measure.h"

static const double SLACK_NS = 300000; /* of messages, and of what is not warm */

/* How long the runs should take at least, and how much longer than was reported they may; the
 * finalists of a race are looked at more closely. */
static const struct {
	double ns, factor;
} care[] = {{200000, 3}, {2000000, 2.5}};

static const double ALONE_FACTOR = 2, ALONE_NS = 1000, ALONE_THREADS_NS = 10000;

void
audit_runner(Audit *a, pid_t keeper)
{
	char path[64];
	long pid = 0;
	FILE *f;

	*a = (Audit){0};
	snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)keeper, (long)keeper);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fscanf(f, "%ld", &pid) == 1 && pid > 0)
		a->worker = (pid_t)pid;
	fclose(f);
}

/* Time of all threads of the worker on processors; 0: not known. */
static uint64_t
cpu_ns(const Audit *a)
{
	struct timespec t;
	clockid_t id;

	if (!a->worker || clock_getcpuclockid(a->worker, &id) || clock_gettime(id, &t))
		return 0;
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static bool
is_race(const Shm *s)
{
	return s->job->batch.measure.race_rounds > 0;
}

uint32_t
audit_begin(Audit *a, Shm *s, const Result *r)
{
	double times = fmin(ceil(care[is_race(s)].ns / result_least(r)), INNER_MAX);

	a->times = times > 1 ? (uint32_t)times : 1;
	shm_reset(s, POISON_BYTE, false);
	a->cpu = cpu_ns(a);
	a->wall = clock_ns();
	return a->times;
}

/* What the runs took, by the clock that says less. */
static double
seen_ns(const Audit *a)
{
	double wall = (double)(clock_ns() - a->wall);
	uint64_t now = cpu_ns(a);

	return now && a->cpu ? fmin(wall, (double)(now - a->cpu)) : wall;
}

static Status
judge_times(const Audit *a, const Shm *s, double seen, double alone, const Result *r, Reason text)
{
	double said = result_least(r), factor = care[is_race(s)].factor;
	bool threads = s->job->batch.threads > 1;

	if (!threads && seen > factor * a->times * said + SLACK_NS) {
		snprintf(text, REASON_MAX + 1,
			 "%u runs took %.1f us by the agent's clock, %.1f us were reported",
			 a->times, seen * 1e-3, a->times * said * 1e-3);
		return STATUS_IMPLAUSIBLE;
	}
	if (alone > ALONE_FACTOR * said + (threads ? ALONE_THREADS_NS : ALONE_NS)) {
		snprintf(text, REASON_MAX + 1,
			 "a run on changed inputs took %.1f ns, %.1f ns were reported", alone,
			 said);
		return STATUS_IMPLAUSIBLE;
	}
	return STATUS_OK;
}

Status
audit_judge(const Audit *a, Shm *s, uint32_t candidate, Result *r, Reason text)
{
	double seen = seen_ns(a);
	double alone = s->control->timed[candidate].alone_ns;
	Verdict v = {.right = true};

	if (s->job->simulated)
		return STATUS_OK;
	if (!shm_intact(s, text))
		return STATUS_WRONG;
	if (is_race(s))
		check_outputs(s->job, shm_has_others(s), (const uint8_t *const *)s->data, &v);
	else
		check_written(s->job, (const uint8_t *const *)s->data,
			      (const uint8_t *const *)s->before, &v);
	r->max_error = fmax(r->max_error, fmin(v.max_error, 1e300));
	if (!v.right) {
		memcpy(text, v.text, sizeof v.text);
		return STATUS_WRONG;
	}
	return judge_times(a, s, seen, alone, r, text);
}
