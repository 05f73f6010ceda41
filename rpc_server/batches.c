/* Batches that wait, and the one that runs, which is of the client that holds the lease. Its runner
 * may outlive the lease by the moment that it takes to end; nothing else begins before. */
#include <string.h>

#include "base/clock.h"
#include "base/hardware.h"
#include "rpc_server/server_parts.h"

static void
on_result(void *self, const Result *r)
{
	Server *s = self;
	uint64_t now = clock_ns();
	Result own = *r;

	if (!s->owner)
		return;
	own.status = status_for(s->owner->session.version, (Status)r->status);
	own.epoch = s->epoch;
	own.stale = !lease_counts(&s->leases, s->epoch, now);
	session_event(&s->owner->session, METHOD_RESULT, &own, now);
}

static void
on_done(void *self, const BatchDone *d)
{
	Server *s = self;

	if (s->owner)
		session_event(&s->owner->session, METHOD_BATCH_DONE, d, clock_ns());
}

static void
on_watch(void *self, int fd)
{
	net_watch(((Server *)self)->net, fd);
}

static void
on_stuck(void *self, pid_t pid)
{
	Server *s = self;

	wedge_begin(&s->wedge, pid, s->config->on_wedged, clock_ns());
	access_note(&s->access, clock_ns(), "wedged: process %ld was killed and does not end",
		    (long)pid);
}

static void
look_at_wedge(Server *s, uint64_t now)
{
	if (wedge_look(&s->wedge, now))
		access_note(&s->access, now, "not wedged any more");
}

void
batches_child_ended(Server *s)
{
	if (s->running)
		batch_child_ended(s->running);
	look_at_wedge(s, clock_ns());
}

static void
drop_entry(Server *s, unsigned i)
{
	s->queued--;
	memmove(&s->queue[i], &s->queue[i + 1], (s->queued - i) * sizeof *s->queue);
}

/* Only the holder of the lease has its batches run. */
static bool
find_next(const Server *s, unsigned *i)
{
	const Lease *x = lease_holder(&s->leases);

	for (*i = 0; x && *i < s->queued; ++*i)
		if (s->queue[*i].owner == x->owner)
			return true;
	return false;
}

static void
start_next(Server *s)
{
	unsigned next;
	uint64_t cache = s->device.l3 ? s->device.l3 : s->device.l2;
	BatchSettings settings = {
		.program = s->config->program,
		.machine = {cache,
			    hardware_free_memory(),
			    s->config->core,
			    {s->device.l1d, s->device.l2, s->device.l3},
			    s->config->null_hold_ms,
			    s->config->null_slow},
		.blobs = s->blobs,
		.sandbox = s->config->sandbox,
		.sandbox_required = s->config->sandbox_required,
		.journal = s->config->journal,
		.hooks = {s, on_result, on_done, on_watch, on_stuck},
	};
	Job *job;

	if (!find_next(s, &next))
		return;
	job = s->queue[next].job;
	s->owner = s->queue[next].owner;
	s->epoch = lease_holder(&s->leases)->epoch;
	drop_entry(s, next);
	s->running = batch_start(job, &settings);
	if (!s->running && s->owner) /* no memory at all: the client sees a lost agent */
		net_drop(s->owner->conn);
}

int
batch_submit(Client *c, Message *m, Err *e)
{
	Server *s = c->server;
	unsigned mine = s->running && s->owner == c;
	char wedged[WEDGE_TEXT];
	Job *job;

	wedge_text(&s->wedge, clock_ns(), wedged);
	if (*wedged)
		return err_set(e, ERR_BUSY, "wedged: %s", wedged);
	for (unsigned i = 0; i < s->queued; i++)
		mine += s->queue[i].owner == c;
	if (mine >= s->config->limits.queue_client || s->queued >= s->config->limits.queue)
		return err_set(e, ERR_BUSY, "%u batches of this client wait, %u in all", mine,
			       s->queued);
	if (lease_admit(c, m->u.batch.epoch, e))
		return e->code;
	job = job_new(&m->u.batch, s->blobs, e);
	if (!job)
		return e->code;
	s->queue[s->queued++] = (Entry){job, c};
	session_reply(&c->session, m, NULL, clock_ns());
	return OK;
}

/* Rows of a batch that never ran. */
static void
tell_refused(Client *c, const Batch *b, Status status, const char *why)
{
	BatchDone done = {.batch = b->id, .results = b->candidates.n};

	for (uint32_t i = 0; i < b->candidates.n; i++) {
		Result r = {.batch = b->id,
			    .candidate = b->candidates.v[i].id,
			    .status = status,
			    .reason = (char *)why,
			    .stale = !lease_of(&c->server->leases, c)};

		session_event(&c->session, METHOD_RESULT, &r, clock_ns());
	}
	session_event(&c->session, METHOD_BATCH_DONE, &done, clock_ns());
}

bool
batches_busy(const Server *s, const Client *c)
{
	bool busy = s->running && s->owner == c && !batch_told(s->running);

	for (unsigned i = 0; i < s->queued; i++)
		busy |= s->queue[i].owner == c;
	return busy;
}

void
batches_cancel(Server *s, Client *c, const uint64_t *batch, const char *why)
{
	if (s->running && s->owner == c && (!batch || batch_job(s->running)->batch.id == *batch))
		batch_cancel(s->running, why);
	for (unsigned i = s->queued; i-- > 0;) {
		Entry q = s->queue[i];

		if (q.owner != c || (batch && q.job->batch.id != *batch))
			continue;
		drop_entry(s, i);
		tell_refused(c, &q.job->batch, STATUS_CANCELLED, why);
		job_free(q.job);
	}
}

int
batch_recall(Client *c, Message *m, Err *e)
{
	(void)e;
	session_reply(&c->session, m, NULL, clock_ns()); /* also when it is over already */
	batches_cancel(c->server, c, &m->u.ref.batch, "cancelled by the client");
	return OK;
}

void
batches_left(Client *c)
{
	Server *s = c->server;

	for (unsigned i = s->queued; i-- > 0;)
		if (s->queue[i].owner == c) {
			job_free(s->queue[i].job);
			drop_entry(s, i);
		}
	if (s->owner == c) {
		s->owner = NULL;
		if (s->running)
			batch_cancel(s->running, "its client left");
	}
}

/* What waits would share the processor with whatever the stuck process does. */
static void
refuse_wedged(Server *s)
{
	while (s->queued) {
		Entry q = s->queue[0];

		drop_entry(s, 0);
		tell_refused(q.owner, &q.job->batch, STATUS_LOST,
			     "wedged: another process does not end");
		job_free(q.job);
	}
}

void
batches_settle(Server *s, uint64_t now)
{
	if (s->running)
		batch_tick(s->running);
	if (now >= wedge_deadline(&s->wedge))
		look_at_wedge(s, now);
	do {
		if (s->running && batch_over(s->running)) {
			batch_free(s->running);
			s->running = NULL;
			s->owner = NULL;
		}
		lease_settle(s, now);
		if (!s->running && s->wedge.pid)
			refuse_wedged(s);
		else if (!s->running)
			start_next(s);
	} while (s->running && batch_over(s->running));
}
