/* State machine of one batch.
 *
 * Invariants: exactly one row per candidate is told, then `done`; a row is told only when the
 * runner can no longer touch what was checked, or is idle; `current` is the candidate the runner
 * works on, or NOBODY. */
#include "rpc_server/batch_run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
	END_MS = 100,   /* a runner without connection ends by itself, or is made to */
	REAP_MS = 2000, /* one that was killed is gone by then, or is given up */
	STARTS_MAX = 2, /* starts in a row that fail before a candidate ran */
};

static void start_runner(BatchRun *b);

static void
enter(BatchRun *b, State state, uint32_t ms)
{
	b->state = state;
	b->patience_ms = ms;
	b->deadline = clock_ns() + (uint64_t)ms * 1000000;
}

void
batch_tell(BatchRun *b, uint32_t i, Status status, const char *reason)
{
	Result *r = &b->partial[i];
	char text[REASON_MAX + 1];

	snprintf(text, sizeof text, "%.*s", REASON_MAX, reason);
	r->batch = b->job->batch.id;
	r->candidate = b->job->batch.candidates.v[i].id;
	r->status = status;
	r->reason = text;
	r->sandbox = b->sandbox;
	if (b->shm.control) {
		r->calibration_before = outcome_figure(b->shm.control->calibration_before);
		r->calibration_after = outcome_figure(b->shm.control->calibration_after);
	}
	if (b->done.results++ == 0)
		b->done.calibration_before = r->calibration_before;
	b->done.calibration_after = r->calibration_after;
	b->done.ok += status == STATUS_OK;
	b->progress[i] = TOLD;
	if (status == STATUS_OK)
		journal_passed(b->set.journal, &b->digest[i]);
	b->set.hooks.result(b->set.hooks.self, r);
	r->reason = NULL; /* was ours */
	result_fini(r);
}

void
batch_tell_rest(BatchRun *b, Status status, const char *reason)
{
	for (uint32_t i = 0; i < b->job->batch.candidates.n; i++)
		if (b->progress[i] != TOLD)
			batch_tell(b, i, status, reason);
}

static void
kill_runner(BatchRun *b)
{
	proc_kill(&b->proc);
	b->killed = true;
	enter(b, ENDING, REAP_MS);
}

void
batch_end_runner(BatchRun *b, Cause cause)
{
	b->set.hooks.watch(b->set.hooks.self, -1);
	b->cause = cause;
	b->killed = false;
	proc_hang_up(&b->proc);
	enter(b, ENDING, END_MS);
	if (cause == CAUSE_HANG || cause == CAUSE_NONSENSE)
		kill_runner(b);
}

void
batch_finish(BatchRun *b)
{
	b->done.batch = b->job->batch.id;
	b->done.seconds = seconds_since(b->began);
	b->set.hooks.done(b->set.hooks.self, &b->done);
	if (b->proc.pid)
		batch_end_runner(b, CAUSE_FINISHED);
	else
		enter(b, OVER, 0);
}

void
batch_send(BatchRun *b, State state, CommandKind kind, uint32_t candidate, uint32_t ms)
{
	Command c = {.word = PLAN_WORD,
		     .kind = kind,
		     .candidate = candidate,
		     .times = b->audit.times,
		     .segment_bytes = b->shm.bytes,
		     .plan_at = b->shm.plan_at,
		     .plan_bytes = b->shm.plan_bytes};

	for (uint32_t i = 0; kind == COMMAND_RACE && i < b->job->batch.candidates.n; i++)
		if (b->progress[i] == CHECKED)
			c.racing[i / 64] |= (uint64_t)1 << i % 64;
	b->current = candidate;
	b->step_began = clock_ns();
	enter(b, state, ms);
	if (!proc_send(&b->proc, &c, kind == COMMAND_LOAD ? b->shm.fd : -1))
		batch_end_runner(b, CAUSE_ITSELF);
}

/* The candidate of a race that was running; what the runner says must be one of the racers. */
static uint32_t
racer(const BatchRun *b)
{
	uint32_t i = atomic_load(&b->shm.control->current);

	if (i < b->job->batch.candidates.n && b->progress[i] == CHECKED)
		return i;
	for (i = 0; b->progress[i] != CHECKED;)
		i++;
	return i;
}

static void
begin_race(BatchRun *b, uint32_t first)
{
	DigestState set;
	uint32_t ms = 0;
	Reason why;

	digest_init(&set);
	for (uint32_t i = first; i < b->job->batch.candidates.n; i++) {
		if (b->progress[i] != CHECKED)
			continue;
		ms = job_deadline_ms(b->job, i) > ms ? job_deadline_ms(b->job, i) : ms;
		digest_add(&set, &b->digest[i], sizeof b->digest[i]);
	}
	b->race = digest_end(&set);
	if (journal_refuses(b->set.journal, &b->race, why)) {
		batch_tell_rest(b, STATUS_POISON, why);
		batch_finish(b);
		return;
	}
	journal_running(b->set.journal, &b->race, 1, 0);
	shm_inputs(&b->shm, true);
	b->samples_seen = atomic_load(&b->shm.control->progress);
	batch_send(b, RACING, COMMAND_RACE, first, ms);
}

void
batch_next(BatchRun *b)
{
	uint32_t n = b->job->batch.candidates.n, first = NOBODY, raced = NOBODY;

	if (!b->calibrated) {
		batch_send(b, CALIBRATING, COMMAND_CALIBRATE, NOBODY, DEADLINE_MS);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (b->progress[i] == TODO) {
			shm_inputs(&b->shm, false);
			shm_reset(&b->shm, POISON_BYTE, false);
			journal_running(b->set.journal, b->digest, n, i);
			batch_send(b, CHECKING, COMMAND_CHECK, i, job_deadline_ms(b->job, i));
			return;
		}
		if (b->progress[i] == CHECKED && first == NOBODY)
			first = i;
		if (b->progress[i] == TIMED && raced == NOBODY)
			raced = i;
	}
	if (first != NOBODY)
		begin_race(b, first);
	else if (raced != NOBODY)
		batch_audit(b, raced);
	else
		batch_finish(b);
}

static void
start_runner(BatchRun *b)
{
	const Orders orders = {.word = PLAN_WORD, .sandbox = b->set.sandbox};
	Err e = {0};

	for (uint32_t i = 0; i < b->job->batch.candidates.n; i++)
		if (b->progress[i] != TOLD) /* was prepared in a runner that is gone */
			b->progress[i] = TODO;
	b->current = NOBODY;
	b->sandbox = 0;
	b->shm.control->fault = (Fault){0};
	if (proc_spawn(&b->proc, b->set.program, &orders, &e)) {
		batch_tell_rest(b, STATUS_LOST, e.msg);
		batch_finish(b);
		return;
	}
	b->step_began = clock_ns();
	enter(b, STARTING, DEADLINE_MS);
	b->set.hooks.watch(b->set.hooks.self, b->proc.fd);
}

/* The runner is gone: gives the candidate at fault its row, and the others a new runner. */
static void
runner_gone(BatchRun *b, int wait_status)
{
	Reason text = "closed or misused its connection to the agent";
	Status status = STATUS_CRASH;

	if (b->cause == CAUSE_FINISHED) {
		enter(b, OVER, 0);
		return;
	}
	if (b->cause == CAUSE_ITSELF) {
		status = outcome_death(&b->shm, wait_status, b->sandbox, text);
	} else if (b->cause == CAUSE_HANG) {
		status = STATUS_HANG;
		snprintf(text, sizeof text, "no result within %u ms",
			 b->current == NOBODY ? DEADLINE_MS : job_deadline_ms(b->job, b->current));
	}
	if (b->cause != CAUSE_TOLD && b->current != NOBODY)
		batch_tell(b, b->current, status, text);
	b->failed_starts = b->current == NOBODY ? b->failed_starts + 1 : 0;
	if (b->failed_starts == STARTS_MAX) {
		char why[2 * REASON_MAX];

		snprintf(why, sizeof why, "runner does not start: %s", text);
		batch_tell_rest(b, STATUS_LOST, why);
	}
	if (b->done.results == b->job->batch.candidates.n) {
		batch_finish(b);
		return;
	}
	b->done.restarts++;
	shm_reset(&b->shm, POISON_BYTE, true);
	start_runner(b);
}

/* The runner cannot be killed: nothing may run beside it. */
static void
runner_stuck(BatchRun *b)
{
	b->set.hooks.stuck(b->set.hooks.self, proc_abandon(&b->proc));
	if (b->current != NOBODY && b->progress[b->current] != TOLD)
		batch_tell(b, b->current, STATUS_HANG, "its process was killed and does not end");
	batch_tell_rest(b, STATUS_LOST, "wedged: the process of another candidate does not end");
	if (b->cause == CAUSE_FINISHED)
		enter(b, OVER, 0);
	else
		batch_finish(b);
}

static void
on_reply(BatchRun *b, const Reply *r)
{
	bool about_current = r->candidate == b->current;

	if (b->state == STARTING && r->kind == REPLY_HELLO) {
		batch_send(b, STARTING, COMMAND_LOAD, NOBODY, DEADLINE_MS);
	} else if (b->state == STARTING && r->kind == COMMAND_LOAD) {
		batch_loaded(b, r);
	} else if (b->state == CALIBRATING && r->kind == COMMAND_CALIBRATE) {
		batch_calibrated(b);
	} else if (b->state == CHECKING && r->kind == COMMAND_CHECK && about_current) {
		batch_checked(b, r);
	} else if (b->state == TIMING && r->kind == COMMAND_TIME && about_current) {
		batch_timed(b);
	} else if (b->state == RACING && r->kind == COMMAND_RACE) {
		batch_raced(b);
	} else if (b->state == AUDITING && r->kind == COMMAND_AGAIN && about_current) {
		batch_audited(b, r);
	} else {
		batch_end_runner(b, CAUSE_NONSENSE);
	}
}

void
batch_readable(BatchRun *b)
{
	Reply r;
	int rc;

	if (b->state == ENDING || b->state == OVER)
		return;
	rc = proc_receive(&b->proc, &r);
	if (rc == OK) {
		on_reply(b, &r);
	} else if (rc < 0) {
		if (b->state == RACING)
			b->current = racer(b);
		batch_end_runner(b, CAUSE_ITSELF);
		batch_child_ended(b); /* it may be gone already */
	}
}

void
batch_child_ended(BatchRun *b)
{
	int status;

	if (!proc_reap(&b->proc, &status))
		return;
	if (b->state != ENDING) { /* the keeper was killed before the worker hung up */
		if (b->state == RACING)
			b->current = racer(b);
		batch_end_runner(b, CAUSE_ITSELF);
	}
	runner_gone(b, status);
}

void
batch_tick(BatchRun *b)
{
	uint64_t samples;

	if (b->state == OVER || clock_ns() < b->deadline)
		return;
	switch (b->state) {
	case RACING:
		samples = atomic_load(&b->shm.control->progress);
		if (samples != b->samples_seen) { /* slow, but it moves */
			b->samples_seen = samples;
			enter(b, RACING, b->patience_ms);
			break;
		}
		b->current = racer(b);
		batch_end_runner(b, CAUSE_HANG);
		break;
	case ENDING:
		if (!b->killed) {
			if (b->cause == CAUSE_ITSELF)
				b->cause = CAUSE_NONSENSE;
			kill_runner(b);
			break;
		}
		runner_stuck(b);
		break;
	default: batch_end_runner(b, CAUSE_HANG); break;
	}
}

void
batch_cancel(BatchRun *b, const char *why)
{
	if (batch_told(b))
		return;
	batch_tell_rest(b, STATUS_CANCELLED, why);
	batch_finish(b);
}

/* Tells the rows of candidates that may not run. False when that were all. */
static bool
admit(BatchRun *b)
{
	uint32_t n = b->job->batch.candidates.n;

	for (uint32_t i = 0; i < n && b->set.journal; i++) {
		Reason why;

		b->digest[i] = job_digest(b->job, i);
		if (journal_refuses(b->set.journal, &b->digest[i], why))
			batch_tell(b, i, STATUS_POISON, why);
	}
	return n == 0 || b->done.results < n;
}

BatchRun *
batch_start(Job *job, const BatchSettings *settings)
{
	BatchRun *b = calloc(1, sizeof *b);
	Err e = {0};

	if (!b) {
		job_free(job);
		return NULL;
	}
	b->job = job;
	b->set = *settings;
	b->proc.fd = -1;
	b->calibrated = !job->batch.calibrate;
	b->began = clock_ns();
	b->current = NOBODY;
	if (shm_open_job(&b->shm, job, &settings->machine, &e)) {
		batch_tell_rest(b, e.code == ERR_NOMEM ? STATUS_INFEASIBLE : STATUS_LOST, e.msg);
		batch_finish(b);
	} else if (admit(b)) {
		start_runner(b);
	} else {
		batch_finish(b);
	}
	return b;
}

void
batch_free(BatchRun *b)
{
	if (!b)
		return;
	if (b->proc.pid)
		proc_abandon(&b->proc);
	for (uint32_t i = 0; i < CANDIDATES_MAX; i++)
		result_fini(&b->partial[i]);
	shm_close(&b->shm);
	job_free(b->job);
	free(b);
}

const Job *
batch_job(const BatchRun *b)
{
	return b->job;
}

uint64_t
batch_deadline(const BatchRun *b)
{
	return b->state == OVER ? UINT64_MAX : b->deadline;
}

bool
batch_told(const BatchRun *b)
{
	return b->state == OVER || (b->state == ENDING && b->cause == CAUSE_FINISHED);
}

bool
batch_over(const BatchRun *b)
{
	return b->state == OVER;
}
