/* Statuses and reasons. */
#include "rpc_server/outcome.h"

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "rpc_server/check.h"

Status
outcome_first(Shm *s, Result *r, Reason text)
{
	Verdict v;

	if (s->job->simulated)
		return STATUS_OK;
	if (!shm_intact(s, text))
		return STATUS_WRONG;
	check_outputs(s->job, false, (const uint8_t *const *)s->data, &v);
	r->max_error = fmin(v.max_error, DBL_MAX); /* logs hold numbers, not infinities */
	if (!v.right) {
		memcpy(text, v.text, sizeof v.text);
		return STATUS_WRONG;
	}
	shm_keep_outputs(s);
	return STATUS_OK;
}

Status
outcome_timed(const Shm *s, uint32_t candidate, Result *r, Reason text)
{
	const uint8_t *const *data = (const uint8_t *const *)s->data;
	Timed t = s->control->timed[candidate];
	Verdict v;

	if (s->job->simulated)
		return STATUS_OK;
	if (!shm_intact(s, text))
		return STATUS_WRONG;
	if (t.status != STATUS_OK && !t.idle) /* it ended in between; outcome_times says why */
		return STATUS_OK;
	if (t.idle) {
		snprintf(text, REASON_MAX + 1, "a timed run left its outputs as they were");
		return STATUS_WRONG;
	}
	if (shm_has_others(s))
		check_outputs(s->job, true, data, &v);
	else
		check_written(s->job, data, (const uint8_t *const *)s->before, &v);
	r->max_error = fmax(r->max_error, fmin(v.max_error, DBL_MAX));
	memcpy(text, v.text, sizeof v.text);
	return v.right ? STATUS_OK : STATUS_WRONG;
}

Status
outcome_raced(const Shm *s, Reason text)
{
	return s->job->simulated || shm_intact(s, text) ? STATUS_OK : STATUS_LOST;
}

void
outcome_fetch(const Shm *s, Blobs *blobs, Result *r, Reason text)
{
	const Batch *batch = &s->job->batch;
	Err e = {0};

	r->fetched.v = calloc(BUFFERS_MAX, sizeof(Digest));
	if (!r->fetched.v)
		err_set(&e, ERR_NOMEM, "out of memory");
	for (uint32_t i = 0; !e.code && i < batch->buffers.n; i++)
		if (batch->buffers.v[i].role == ROLE_OUT)
			blobs_put(blobs, s->before[i], batch->buffers.v[i].bytes,
				  &r->fetched.v[r->fetched.n++], &e);
	if (!e.code)
		return;
	snprintf(text, REASON_MAX + 1, "outputs are not kept: %.150s", e.msg);
	r->fetched.n = 0;
}

static const char *
signal_name(int signal)
{
	static const struct {
		int number;
		const char *name;
	} list[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGILL, "SIGILL"},
		    {SIGFPE, "SIGFPE"},   {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"},
		    {SIGKILL, "SIGKILL"}, {SIGSYS, "SIGSYS"},   {SIGXCPU, "SIGXCPU"},
		    {SIGXFSZ, "SIGXFSZ"}, {SIGTERM, "SIGTERM"}, {SIGPIPE, "SIGPIPE"}};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (list[i].number == signal)
			return list[i].name;
	return "signal";
}

/* Bytes of the place a fault lies in, 0 when that is not known here. */
static uint64_t
place_bytes(const Shm *s, const Fault *f)
{
	const Batch *b = &s->job->batch;

	return f->place == PLACE_BUFFER && f->index < b->buffers.n ? b->buffers.v[f->index].bytes
								   : 0;
}

static void
describe_fault(const Shm *s, const Fault *f, Reason text)
{
	static const char *const names[] = {
#define X(name, place_text) place_text,
		PLACE_LIST(X)
#undef X
	};
	uint64_t bytes = place_bytes(s, f);
	const char *name = f->place < PLACE_COUNT ? names[f->place] : names[PLACE_ELSEWHERE];
	long long at = f->distance;
	int n;

	if (f->place == PLACE_CODE && at == f->code) /* the instruction itself is at fault */
		n = snprintf(text, REASON_MAX + 1, "%s", name);
	else if (f->place == PLACE_STACK)
		n = snprintf(text, REASON_MAX + 1, "below the stack");
	else if (f->place == PLACE_ELSEWHERE || f->place >= PLACE_COUNT)
		n = snprintf(text, REASON_MAX + 1, "%s", name);
	else if (at < 0)
		n = snprintf(text, REASON_MAX + 1, "%llu bytes before %s %u",
			     0 - (unsigned long long)at, name, f->index);
	else if (bytes && (uint64_t)at >= bytes)
		n = snprintf(text, REASON_MAX + 1, "%llu bytes past the end of %s %u",
			     (unsigned long long)at - bytes, name, f->index);
	else
		n = snprintf(text, REASON_MAX + 1, "at byte %lld of %s %u", at, name, f->index);
	if (f->code >= 0)
		snprintf(text + n, (size_t)(REASON_MAX + 1 - n), ", instruction at image+0x%llx",
			 (unsigned long long)f->code);
}

Status
outcome_death(const Shm *s, int wait_status, uint64_t sandbox, Reason text)
{
	Fault f = s->control->fault; /* one copy: the runner is dead, but may have lied */
	int signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
	Reason place = "";

	if (!signal) {
		snprintf(text, REASON_MAX + 1, "exited with code %d", WEXITSTATUS(wait_status));
		return STATUS_CRASH;
	}
	if (signal == SIGKILL || signal == SIGTERM) { /* no instruction raises these */
		snprintf(text, REASON_MAX + 1, "the runner was killed (%s)", signal_name(signal));
		return STATUS_LOST;
	}
	if (signal == SIGSYS && sandbox & SANDBOX_BIT(COMPUTE)) {
		snprintf(text, REASON_MAX + 1, "forbidden system call");
		return STATUS_FORBIDDEN;
	}
	if (f.signal == signal)
		describe_fault(s, &f, place);
	snprintf(text, REASON_MAX + 1, "%s (%d)%s%.150s", signal_name(signal), signal,
		 *place ? " " : "", place);
	return STATUS_CRASH;
}

/* Copies n samples; false when there is no memory. */
static bool
copy_samples(const Shm *s, uint64_t at, uint32_t n, Result *r)
{
	free(r->samples.v); /* of a race that is run again */
	r->samples.v = malloc((n ? n : 1) * sizeof(double));
	if (!r->samples.v)
		return false;
	memcpy(r->samples.v, s->control->samples + at, n * sizeof(double));
	r->samples.n = n;
	return true;
}

static Status
implausible(Result *r, Reason text, const char *why)
{
	snprintf(text, REASON_MAX + 1, "%s", why);
	r->samples.n = 0;
	return STATUS_IMPLAUSIBLE;
}

Status
outcome_times(const Shm *s, uint32_t candidate, uint64_t at, double *wall_ns, Result *r,
	      Reason text)
{
	const Batch *b = &s->job->batch;
	const Candidate *c = &b->candidates.v[candidate];
	uint32_t room = b->measure.race_rounds ? b->measure.race_rounds : b->measure.max_runs;
	Timed t = s->control->timed[candidate];
	double least = INFINITY, said = 0;

	if (t.status == STATUS_WRONG) {
		snprintf(text, REASON_MAX + 1, "%s",
			 t.idle ? "a timed run left its outputs as they were"
				: "a phase did not return 0 while it was timed");
		return STATUS_WRONG;
	}
	if (t.status == STATUS_BELOW_RESOLUTION) {
		snprintf(text, REASON_MAX + 1, "%u runs are too short for the clock", t.inner);
		return STATUS_BELOW_RESOLUTION;
	}
	if (!t.n || !t.inner || t.n > (room ? room : SAMPLES_MAX))
		return implausible(r, text, "the runner reports an impossible number of samples");
	if (!copy_samples(s, at, t.n, r)) {
		snprintf(text, REASON_MAX + 1, "the agent has no memory for the samples");
		return STATUS_LOST;
	}
	r->inner = t.inner;
	for (uint32_t i = 0; i < t.n; i++) {
		double ns = r->samples.v[i];

		if (!(ns > 0) || !isfinite(ns))
			return implausible(r, text, "the runner reports a time that is none");
		said += ns * t.inner;
		least = ns < least ? ns : least;
	}
	if (s->job->simulated)
		return STATUS_OK;
	*wall_ns -= said;
	if (*wall_ns < 0) {
		snprintf(text, REASON_MAX + 1,
			 "its times add up to %.0f us, all of them to %.0f us more than has passed",
			 said * 1e-3, -*wall_ns * 1e-3);
		r->samples.n = 0;
		return STATUS_IMPLAUSIBLE;
	}
	if (least < c->floor_ns) {
		snprintf(text, REASON_MAX + 1, "a run of %.1f ns, at least %.1f are needed", least,
			 c->floor_ns);
		return STATUS_IMPLAUSIBLE;
	}
	return STATUS_OK;
}

double
outcome_figure(double v)
{
	return isfinite(v) && v > 0 ? v : 0;
}

Status
outcome_refusal(const Reply *r)
{
	return r->status == STATUS_INFEASIBLE ? STATUS_INFEASIBLE : STATUS_BUILD;
}
