/* What the answers of a runner mean for the rows of a batch. A candidate that did something it must
 * not takes its runner with it: nobody knows what else it changed. */
#include <stdio.h>
#include <string.h>

#include "rpc_server/batch_run.h"

void
batch_audit(BatchRun *b, uint32_t i)
{
	audit_begin(&b->audit, &b->shm, &b->partial[i]);
	batch_send(b, AUDITING, COMMAND_AGAIN, i, job_deadline_ms(b->job, i));
}

static void
tell_and_replace(BatchRun *b, uint32_t i, Status status, const char *reason)
{
	batch_tell(b, i, status, reason);
	batch_end_runner(b, CAUSE_TOLD);
}

void
batch_checked(BatchRun *b, const Reply *reply)
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
		batch_tell(b, i, outcome_refusal(reply), reply->text);
		batch_next(b);
		return;
	}
	if (outcome_first(&b->shm, r, text) != STATUS_OK) {
		tell_and_replace(b, i, STATUS_WRONG, text);
		return;
	}
	shm_inputs(&b->shm, true);
	shm_reset(&b->shm, POISON_OTHER, false);
	r->check_s = seconds_since(began);
	if (batch->measure.race_rounds) {
		b->progress[i] = CHECKED;
		batch_next(b);
	} else {
		batch_send(b, TIMING, COMMAND_TIME, i, job_deadline_ms(b->job, i));
	}
}

static void
settle(BatchRun *b, uint32_t i, Status status, const char *reason)
{
	if (status == STATUS_WRONG || status == STATUS_IMPLAUSIBLE) {
		tell_and_replace(b, i, status, reason);
	} else {
		batch_tell(b, i, status, reason);
		batch_next(b);
	}
}

void
batch_timed(BatchRun *b)
{
	double wall_ns = (double)(clock_ns() - b->step_began);
	uint64_t began = clock_ns();
	uint32_t i = b->current;
	Result *r = &b->partial[i];
	Reason text = "";
	Status status = outcome_timed(&b->shm, i, r, text);

	r->run_s += wall_ns * 1e-9;
	if (status == STATUS_OK)
		status = outcome_times(&b->shm, i, 0, &wall_ns, r, text);
	if (status == STATUS_OK && b->job->batch.measure.fetch && !b->job->simulated)
		outcome_fetch(&b->shm, b->set.blobs, r, text);
	shm_keep_outputs(&b->shm);
	r->check_s += seconds_since(began);
	if (status == STATUS_OK && !b->job->simulated)
		batch_audit(b, i);
	else
		settle(b, i, status, text);
}

void
batch_audited(BatchRun *b, const Reply *reply)
{
	uint32_t i = b->current;
	Result *r = &b->partial[i];
	Reason text = "";
	Status status = audit_judge(&b->audit, &b->shm, i, r, text);

	if (reply->status != STATUS_OK) {
		settle(b, i, STATUS_WRONG, reply->text);
		return;
	}
	if (status == STATUS_IMPLAUSIBLE && ++b->audit.tries < AUDITS_MAX) {
		batch_audit(b, i);
		return;
	}
	if (status == STATUS_IMPLAUSIBLE)
		r->samples.n = 0;
	b->audit.tries = 0;
	settle(b, i, status, text);
}

/* A race ends for all at once. Whose fault damaged memory is cannot be told then. */
void
batch_raced(BatchRun *b)
{
	double wall_ns = (double)(clock_ns() - b->step_began), run_s = wall_ns * 1e-9;
	const Batch *batch = &b->job->batch;
	Reason damage = "";
	bool lost = outcome_raced(&b->shm, damage) != STATUS_OK;

	for (uint32_t i = 0; i < batch->candidates.n; i++) {
		uint64_t at = (uint64_t)i * batch->measure.race_rounds;
		Reason text = "";
		Status status;

		if (b->progress[i] != CHECKED)
			continue;
		b->partial[i].run_s += run_s;
		status = outcome_times(&b->shm, i, at, &wall_ns, &b->partial[i], text);
		b->progress[i] = TIMED;
		if (lost || status != STATUS_OK || b->job->simulated)
			batch_tell(b, i, lost ? STATUS_LOST : status, lost ? damage : text);
	}
	journal_passed(b->set.journal, &b->race);
	batch_next(b);
}

void
batch_calibrated(BatchRun *b)
{
	const Calibration *c = &b->shm.control->calibration;

#define X(key, field, unit, text) b->done.calibration.field = outcome_figure(c->field);
	CALIBRATION_LIST(X)
#undef X
	b->calibrated = true;
	batch_next(b);
}

/* The last that is believed of what the runner says of itself. */
void
batch_loaded(BatchRun *b, const Reply *r)
{
	uint64_t missing = b->set.sandbox_required & ~r->sandbox.active;
	char words[SANDBOX_WORDS_BYTES], text[REASON_MAX + 1];

	b->load_s = seconds_since(b->step_began);
	b->sandbox = r->sandbox.active;
	audit_runner(&b->audit, b->proc.pid);
	if (r->status != STATUS_OK) {
		batch_tell_rest(b, outcome_refusal(r), r->text);
		batch_finish(b);
	} else if (missing) {
		sandbox_words(missing, words);
		snprintf(text, sizeof text, "the runner's sandbox lacks %.150s", words);
		batch_tell_rest(b, STATUS_LOST, text);
		batch_finish(b);
	} else {
		batch_next(b);
	}
}
