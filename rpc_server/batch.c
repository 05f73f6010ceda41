/* State machine of one batch.
 *
 * Invariants: exactly one row per candidate is told, then `done`; a row is told only when the
 * runner can no longer touch what was checked, or is idle; `current` is the candidate the runner
 * works on, or NOBODY. */
#include "rpc_server/batch.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc_server/outcome.h"
#include "rpc_server/proc.h"

enum {
	NOBODY = CANDIDATES_MAX,
	END_MS = 100,   /* a runner without connection ends by itself, or is made to */
	REAP_MS = 2000, /* one that was killed is gone by then, or is given up */
	STARTS_MAX = 2, /* starts in a row that fail before a candidate ran */
};

typedef enum State { STARTING, CALIBRATING, CHECKING, TIMING, RACING, ENDING, OVER } State;

/* Why a runner ends. */
typedef enum Cause {
	CAUSE_ITSELF,   /* crash or exit */
	CAUSE_HANG,     /* deadline */
	CAUSE_NONSENSE, /* it hung up and lives, or breaks the protocol */
	CAUSE_TOLD,     /* the row is told already */
	CAUSE_FINISHED, /* all rows are told */
} Cause;

typedef enum Progress { TODO, CHECKED, TOLD } Progress;

struct BatchRun {
	Job *job;
	BatchSettings set;
	Shm shm;
	Proc proc;
	State state;
	Cause cause;
	bool killed; /* ENDING: by us */
	uint32_t current;
	Progress progress[CANDIDATES_MAX];
	Result partial[CANDIDATES_MAX]; /* what is known of a row that is not told yet */
	uint64_t began, deadline;       /* of the batch; of the state */
	uint32_t patience_ms;           /* how far off the deadline was when it was set */
	uint64_t step_began;            /* last command */
	uint64_t samples_seen;          /* of a race: progress when the deadline was set */
	uint32_t failed_starts;
	double load_s;
	bool calibrated;  /* or there is no need to */
	uint64_t sandbox; /* layers that the runner is in; 0 until it is loaded */
	BatchDone done;
};

static void next(BatchRun *b);
static void start_runner(BatchRun *b);

static double
seconds_since(uint64_t ns)
{
	return (double)(clock_ns() - ns) * 1e-9;
}

static void
enter(BatchRun *b, State state, uint32_t ms)
{
	b->state = state;
	b->patience_ms = ms;
	b->deadline = clock_ns() + (uint64_t)ms * 1000000;
}

static uint32_t
deadline_ms(const BatchRun *b, uint32_t candidate)
{
	uint32_t ms = b->job->batch.candidates.v[candidate].deadline_ms;

	return ms ? ms : DEADLINE_MS;
}

/* A number that the runner may have forged; 0 = not known. */
static double
figure(double v)
{
	return isfinite(v) && v > 0 ? v : 0;
}

/* Tells the row of a candidate. */
static void
tell(BatchRun *b, uint32_t i, Status status, const char *reason)
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
		r->calibration_before = figure(b->shm.control->calibration_before);
		r->calibration_after = figure(b->shm.control->calibration_after);
	}
	if (b->done.results++ == 0)
		b->done.calibration_before = r->calibration_before;
	b->done.calibration_after = r->calibration_after;
	b->done.ok += status == STATUS_OK;
	b->progress[i] = TOLD;
	b->set.hooks.result(b->set.hooks.self, r);
	r->reason = NULL; /* was ours */
	result_fini(r);
}

static void
tell_rest(BatchRun *b, Status status, const char *reason)
{
	for (uint32_t i = 0; i < b->job->batch.candidates.n; i++)
		if (b->progress[i] != TOLD)
			tell(b, i, status, reason);
}

static void
kill_runner(BatchRun *b)
{
	proc_kill(&b->proc);
	b->killed = true;
	enter(b, ENDING, REAP_MS);
}

/* Ends the runner; what comes then is decided when it is gone. An idle one ends by itself when it
 * is hung up on, one that crashed is about to end; both are killed if they do not. */
static void
end_runner(BatchRun *b, Cause cause)
{
	b->set.hooks.watch(b->set.hooks.self, -1);
	b->cause = cause;
	b->killed = false;
	proc_hang_up(&b->proc);
	enter(b, ENDING, END_MS);
	if (cause == CAUSE_HANG || cause == CAUSE_NONSENSE)
		kill_runner(b);
}

static void
finish(BatchRun *b)
{
	b->done.batch = b->job->batch.id;
	b->done.seconds = seconds_since(b->began);
	b->set.hooks.done(b->set.hooks.self, &b->done);
	if (b->proc.pid)
		end_runner(b, CAUSE_FINISHED);
	else
		enter(b, OVER, 0);
}

static void
send(BatchRun *b, State state, CommandKind kind, uint32_t candidate, uint32_t ms)
{
	Command c = {.word = PLAN_WORD,
		     .kind = kind,
		     .candidate = candidate,
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
		end_runner(b, CAUSE_ITSELF);
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
	uint32_t ms = 0;

	for (uint32_t i = first; i < b->job->batch.candidates.n; i++)
		if (b->progress[i] == CHECKED && deadline_ms(b, i) > ms)
			ms = deadline_ms(b, i);
	b->samples_seen = atomic_load(&b->shm.control->progress);
	send(b, RACING, COMMAND_RACE, first, ms);
}

/* Goes on with the next candidate that has no row; the runner is loaded and idle. */
static void
next(BatchRun *b)
{
	uint32_t n = b->job->batch.candidates.n, first = NOBODY;

	if (!b->calibrated) {
		send(b, CALIBRATING, COMMAND_CALIBRATE, NOBODY, DEADLINE_MS);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (b->progress[i] == TODO) {
			shm_reset(&b->shm, POISON_BYTE, false);
			send(b, CHECKING, COMMAND_CHECK, i, deadline_ms(b, i));
			return;
		}
		if (b->progress[i] == CHECKED && first == NOBODY)
			first = i;
	}
	if (first != NOBODY)
		begin_race(b, first);
	else
		finish(b);
}

static void
start_runner(BatchRun *b)
{
	const Orders orders = {.word = PLAN_WORD, .sandbox = b->set.sandbox};
	Err e = {0};

	for (uint32_t i = 0; i < b->job->batch.candidates.n; i++)
		if (b->progress[i] == CHECKED) /* was prepared in a runner that is gone */
			b->progress[i] = TODO;
	b->current = NOBODY;
	b->sandbox = 0;
	b->shm.control->fault = (Fault){0};
	if (proc_spawn(&b->proc, b->set.program, &orders, &e)) {
		tell_rest(b, STATUS_LOST, e.msg);
		finish(b);
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
			 b->current == NOBODY ? DEADLINE_MS : deadline_ms(b, b->current));
	}
	if (b->cause != CAUSE_TOLD && b->current != NOBODY)
		tell(b, b->current, status, text);
	b->failed_starts = b->current == NOBODY ? b->failed_starts + 1 : 0;
	if (b->failed_starts == STARTS_MAX) {
		char why[2 * REASON_MAX];

		snprintf(why, sizeof why, "runner does not start: %s", text);
		tell_rest(b, STATUS_LOST, why);
	}
	if (b->done.results == b->job->batch.candidates.n) {
		finish(b);
		return;
	}
	b->done.restarts++;
	shm_reset(&b->shm, POISON_BYTE, true);
	start_runner(b);
}

static void
tell_and_replace(BatchRun *b, uint32_t i, Status status, const char *reason)
{
	tell(b, i, status, reason);
	end_runner(b, CAUSE_TOLD);
}

static Status
refusal(const Reply *r)
{
	return r->status == STATUS_INFEASIBLE ? STATUS_INFEASIBLE : STATUS_BUILD;
}

static void
checked(BatchRun *b, const Reply *reply)
{
	const Batch *batch = &b->job->batch;
	uint32_t i = b->current;
	Result *r = &b->partial[i];
	uint64_t began = clock_ns();
	Reason text = "";

	r->load_s = b->load_s;
	r->prepare_s = (double)b->shm.control->prepare_ns * 1e-9;
	r->run_s = (double)b->shm.control->run_ns * 1e-9;
	if (reply->status == STATUS_WRONG) {
		tell_and_replace(b, i, STATUS_WRONG, reply->text);
		return;
	}
	if (reply->status != STATUS_OK) {
		tell(b, i, refusal(reply), reply->text);
		next(b);
		return;
	}
	if (outcome_first(&b->shm, r, text) != STATUS_OK) {
		tell_and_replace(b, i, STATUS_WRONG, text);
		return;
	}
	shm_reset(&b->shm, POISON_OTHER, false);
	r->check_s = seconds_since(began);
	if (batch->measure.race_rounds) {
		b->progress[i] = CHECKED;
		next(b);
	} else {
		send(b, TIMING, COMMAND_TIME, i, deadline_ms(b, i));
	}
}

static void
timed(BatchRun *b)
{
	double wall_ns = (double)(clock_ns() - b->step_began);
	uint64_t began = clock_ns();
	uint32_t i = b->current;
	Result *r = &b->partial[i];
	Reason text = "";
	Status status = outcome_memory(&b->shm, true, text);

	r->run_s += wall_ns * 1e-9;
	if (status == STATUS_OK)
		status = outcome_times(&b->shm, i, 0, &wall_ns, r, text);
	if (status == STATUS_OK && b->job->batch.measure.fetch && !b->job->simulated)
		outcome_fetch(&b->shm, b->set.blobs, r, text);
	r->check_s += seconds_since(began);
	if (status == STATUS_WRONG || status == STATUS_IMPLAUSIBLE) {
		tell_and_replace(b, i, status, text);
	} else {
		tell(b, i, status, text);
		next(b);
	}
}

/* A race ends for all at once. Whose fault damaged memory is cannot be told then. */
static void
raced(BatchRun *b)
{
	double wall_ns = (double)(clock_ns() - b->step_began), run_s = wall_ns * 1e-9;
	const Batch *batch = &b->job->batch;
	Reason damage = "";
	bool lost = outcome_memory(&b->shm, false, damage) != STATUS_OK;

	for (uint32_t i = 0; i < batch->candidates.n; i++) {
		uint64_t at = (uint64_t)i * batch->measure.race_rounds;
		Reason text = "";
		Status status;

		if (b->progress[i] != CHECKED)
			continue;
		b->partial[i].run_s += run_s;
		status = outcome_times(&b->shm, i, at, &wall_ns, &b->partial[i], text);
		tell(b, i, lost ? STATUS_LOST : status, lost ? damage : text);
	}
	finish(b);
}

static void
calibrated(BatchRun *b)
{
	const Calibration *c = &b->shm.control->calibration;

#define X(key, field, unit, text) b->done.calibration.field = figure(c->field);
	CALIBRATION_LIST(X)
#undef X
	b->calibrated = true;
	next(b);
}

/* The last that is believed of what the runner says of itself. */
static void
loaded(BatchRun *b, const Reply *r)
{
	uint64_t missing = b->set.sandbox_required & ~r->sandbox.active;
	char words[SANDBOX_WORDS_BYTES], text[REASON_MAX + 1];

	b->load_s = seconds_since(b->step_began);
	b->sandbox = r->sandbox.active;
	if (r->status != STATUS_OK) {
		tell_rest(b, refusal(r), r->text);
		finish(b);
	} else if (missing) {
		sandbox_words(missing, words);
		snprintf(text, sizeof text, "the runner's sandbox lacks %.150s", words);
		tell_rest(b, STATUS_LOST, text);
		finish(b);
	} else {
		next(b);
	}
}

static void
on_reply(BatchRun *b, const Reply *r)
{
	bool about_current = r->candidate == b->current;

	if (b->state == STARTING && r->kind == REPLY_HELLO) {
		send(b, STARTING, COMMAND_LOAD, NOBODY, DEADLINE_MS);
	} else if (b->state == STARTING && r->kind == COMMAND_LOAD) {
		loaded(b, r);
	} else if (b->state == CALIBRATING && r->kind == COMMAND_CALIBRATE) {
		calibrated(b);
	} else if (b->state == CHECKING && r->kind == COMMAND_CHECK && about_current) {
		checked(b, r);
	} else if (b->state == TIMING && r->kind == COMMAND_TIME && about_current) {
		timed(b);
	} else if (b->state == RACING && r->kind == COMMAND_RACE) {
		raced(b);
	} else {
		end_runner(b, CAUSE_NONSENSE);
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
		end_runner(b, CAUSE_ITSELF);
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
		end_runner(b, CAUSE_ITSELF);
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
		end_runner(b, CAUSE_HANG);
		break;
	case ENDING:
		if (!b->killed) {
			if (b->cause == CAUSE_ITSELF)
				b->cause = CAUSE_NONSENSE;
			kill_runner(b);
			break;
		}
		proc_abandon(&b->proc); /* stuck in the kernel */
		runner_gone(b, SIGKILL);
		break;
	default: end_runner(b, CAUSE_HANG); break;
	}
}

void
batch_cancel(BatchRun *b, const char *why)
{
	if (batch_told(b))
		return;
	tell_rest(b, STATUS_CANCELLED, why);
	finish(b);
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
		tell_rest(b, e.code == ERR_NOMEM ? STATUS_INFEASIBLE : STATUS_LOST, e.msg);
		finish(b);
	} else {
		start_runner(b);
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
