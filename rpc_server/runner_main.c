/* The runner: runs the candidates of one batch for the agent that spawned it, and may die of them.
 *
 * Two processes: the keeper, which the agent spawned and waits for, and the worker, which runs
 * foreign code. A kernel that kills its parent kills the keeper; the worker dies with it, the
 * agent lives. The keeper ends the way the worker ended. Neither holds a secret: no environment,
 * no descriptor but the socket to the agent. Before foreign code runs, the worker is in all layers
 * of the sandbox that it was told to be in and that there are.
 */
#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hardware.h"
#include "base/hone_pool.h"
#include "rpc_server/calibrate.h"
#include "rpc_server/measure.h"
#include "rpc_server/places.h"
#include "rpc_server/runner.h"
#include "rpc_server/runner_main.h"
#include "rpc_server/vary.h"
#include "wire/message.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHADOWED 1 /* sanitizers reserve terabytes */
#else
#define SHADOWED 0
#endif

enum { CALIBRATE_EVERY_NS = 500000000, CPU_SPARE_S = 60 };

/* Runs on changed inputs, at least so many. On a machine that is busy with something else more of
 * them follow, as many again after each pause, until one is nearly as fast as the samples. */
enum { ALONE_RUNS = 8, ALONE_MOST = 64, ALONE_PAUSE_NS = 1000000 };
static const double ALONE_ENOUGH = 1.5;

typedef struct Worker {
	Message message; /* the batch */
	Plan *plan;
	Control *control;
	uint8_t *segment;
	size_t segment_bytes;
	Area buffer[BUFFERS_MAX];
	Places places;
	Work work;
	const Runner *runner;
	void *self;
	uint64_t calibrated; /* when, ns */
	hone_parallel parallel;
	Sandbox sandbox;
	Vary vary;
	uint32_t checked; /* candidate that was prepared last; only a race needs the others */
	bool idle[CANDIDATES_MAX]; /* a timed run wrote nothing */
} Worker;

static void
calibrate(Worker *w, double *gflops)
{
	uint64_t now = clock_ns();

	if (!w->calibrated || now - w->calibrated > CALIBRATE_EVERY_NS) {
		w->control->calibration_after = calibrate_gflops();
		w->calibrated = clock_ns();
	}
	*gflops = w->control->calibration_after;
}

static void
stay_on(int core)
{
	cpu_set_t set;

	if (core < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned)core, &set);
	sched_setaffinity(0, sizeof set, &set);
}

static void
take_part(void *context, int chunk, int chunks)
{
	(void)context;
	(void)chunk;
	(void)chunks;
}

/* The batch's threads, each on a processor of its own. They live until the process ends. All have
 * begun when this returns: how a thread begins is forbidden later. */
static int
start_threads(Worker *w, Err *e)
{
	int threads = (int)w->message.u.batch.threads, core[CPU_SETSIZE];
	int n = hardware_own_cores(w->plan->core, core, CPU_SETSIZE);
	hone_pool *pool;

	stay_on(threads > 1 && n >= threads ? core[0] : w->plan->core);
	if (threads <= 1)
		return OK;
	pool = hone_pool_start(threads, n >= threads ? core + 1 : NULL);
	if (!pool)
		return err_set(e, ERR_NOMEM, "runner: %d threads could not be started", threads);
	w->parallel = hone_pool_parallel(pool);
	w->work.parallel = &w->parallel;
	w->parallel.parallel_for(w->parallel.self, take_part, NULL, threads);
	return OK;
}

/* Maps the segment: all of it to read, control to write, each buffer between guards. */
static int
map_segment(Worker *w, const Command *c, int fd, Err *e)
{
	void *all = mmap(NULL, c->segment_bytes, PROT_READ, MAP_SHARED, fd, 0);
	void *control = mmap(NULL, c->plan_at, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (all == MAP_FAILED || control == MAP_FAILED)
		return err_set(e, ERR_NOMEM, "runner: segment: %s", strerror(errno));
	w->segment = all;
	w->segment_bytes = c->segment_bytes;
	w->control = control;
	w->plan = malloc(c->plan_bytes);
	if (!w->plan)
		return err_set(e, ERR_NOMEM, "runner: out of memory");
	memcpy(w->plan, w->segment + c->plan_at, c->plan_bytes);
	if (message_decode(w->segment + w->plan->batch_at + FRAME_HEAD,
			   w->plan->batch_bytes - FRAME_HEAD, &scan_later, &w->message, e))
		return e->code;
	for (uint32_t i = 0; i < w->message.u.batch.buffers.n; i++) {
		Area *a = &w->buffer[i];

		if (area_open(a, fd, w->plan->area_at[i], w->message.u.batch.buffers.v[i].bytes, e))
			return e->code;
		a->data += buffer_offset(&w->message.u.batch, i);
		a->data -= area_offset(a->bytes);
		places_add(&w->places, PLACE_BUFFER, i, a->base, a->span, a->data);
	}
	return OK;
}

/* Bounds that no batch which the agent lets go on can reach. */
static SandboxNeeds
needs(const Worker *w)
{
	const Batch *b = &w->message.u.batch;
	uint64_t ms = 0, threads = b->threads > 1 ? b->threads : 1;

	for (uint32_t i = 0; i < b->candidates.n; i++)
		ms += b->candidates.v[i].deadline_ms ? b->candidates.v[i].deadline_ms : DEADLINE_MS;
	return (SandboxNeeds){
		.memory_bytes = SHADOWED ? 0
					 : w->plan->memory_bytes + 2 * w->segment_bytes +
						   ((uint64_t)1 << 30),
		.cpu_s = (ms / 1000 + 1) * (2 + b->measure.race_rounds) * threads + CPU_SPARE_S,
		.threads = (int)threads,
	};
}

static int
load(Worker *w, const Command *c, int fd, Err *e)
{
	const Batch *b = &w->message.u.batch;
	int rc;

	if (w->runner)
		return err_set(e, ERR_INTERNAL, "runner: loaded twice");
	rc = map_segment(w, c, fd, e);
	close(fd);
	if (rc)
		return rc;
	w->work = (Work){b, w->plan, w->segment, w->buffer, &w->places, NULL};
	rc = start_threads(w, e);
	if (rc)
		return rc;
	w->sandbox.needs = needs(w);
	sandbox_enter(&w->sandbox, SANDBOX_LOADING);
	rc = places_watch(&w->places, w->control, e);
	if (rc)
		return rc;
	w->runner = runner_find(b->runner);
	if (!w->runner)
		return err_set(e, ERR_UNSUPPORTED, "runner '%s' is not known", b->runner);
	calibrate(w, &w->control->calibration_before);
	rc = vary_open(&w->vary, &w->work, e);
	if (rc == OK)
		rc = w->runner->open(&w->work, &w->self, e);
	if (rc == OK)
		sandbox_enter(&w->sandbox, SANDBOX_LOADED);
	return rc;
}

static int
run_counted(void *self, uint32_t candidate, uint32_t times, uint64_t *ns)
{
	Worker *w = self;
	int rc;

	atomic_store(&w->control->current, candidate);
	atomic_fetch_add(&w->control->progress, 1);
	if (w->runner->simulated)
		return w->runner->run(w->self, candidate, times, ns);
	vary_next(&w->vary);
	rc = w->runner->run(w->self, candidate, times, ns);
	w->idle[candidate] = !rc && !vary_written(&w->vary);
	return rc || w->idle[candidate];
}

static uint64_t
now(void *self)
{
	Worker *w = self;

	return w->runner->now(w->self);
}

static Status
check(Worker *w, uint32_t candidate, Err *e)
{
	uint64_t began = clock_ns(), ns = 0;
	Status status;
	int rc;

	atomic_store(&w->control->current, candidate);
	if (!w->work.batch->measure.race_rounds)
		w->runner->release(w->self, w->checked);
	w->checked = candidate;
	status = w->runner->prepare(w->self, candidate, e);
	w->control->prepare_ns = clock_ns() - began;
	if (status != STATUS_OK)
		return status;
	rc = w->runner->run(w->self, candidate, 1, &ns);
	w->control->run_ns = ns;
	if (!rc)
		return STATUS_OK;
	err_set(e, ERR_CHECK, "a phase returned %d", rc);
	return STATUS_WRONG;
}

static double
least_sample(const Timing *t)
{
	double least = DBL_MAX;

	for (uint32_t i = 0; i < t->n; i++)
		least = fmin(least, t->samples[i]);
	return least;
}

/* The fastest of some runs whose inputs are new, ns. */
static double
time_alone(Worker *w, uint32_t candidate, Timing *t)
{
	Meter m = {w, now, run_counted};
	double alone = DBL_MAX, enough = ALONE_ENOUGH * least_sample(t);

	for (int i = 0; i < ALONE_MOST && t->status == STATUS_OK; i++) {
		uint64_t ns = 0, began = clock_ns();

		if (i && i % ALONE_RUNS == 0 && alone <= enough)
			break;
		while (i && i % ALONE_RUNS == 0 && clock_ns() - began < ALONE_PAUSE_NS)
			;
		if (m.run(m.self, candidate, 1, &ns))
			t->status = STATUS_WRONG;
		alone = fmin(alone, (double)ns);
	}
	return alone;
}

/* Ends the timing of a candidate. Where a sample is several runs, which see the same inputs, some
 * runs follow whose inputs are new: one that is much slower did not compute in the samples. */
static void
store(Worker *w, uint32_t candidate, Timing *t)
{
	double alone = t->inner > 1 && t->status == STATUS_OK ? time_alone(w, candidate, t) : 0;

	w->control->timed[candidate] =
		(Timed){(uint32_t)t->status, t->inner, t->n, w->idle[candidate], alone};
	vary_settle(&w->vary);
}

static void
time_one(Worker *w, uint32_t candidate)
{
	const MeasureSpec *spec = &w->work.batch->measure;
	Meter m = {w, now, run_counted};
	Timing t = {.samples = w->control->samples,
		    .room = spec->max_runs ? spec->max_runs : SAMPLES_MAX};
	uint64_t ns;
	double after;

	calibrate(w, &w->control->calibration_before);
	measure_search(&m, spec, candidate, &t);
	store(w, candidate, &t);
	if (t.status == STATUS_OK &&
	    w->vary.inputs) /* the outputs that are judged are of the second contents */
		w->runner->run(w->self, candidate, 1, &ns);
	calibrate(w, &after);
}

static Status
again(Worker *w, const Command *c, Err *e)
{
	int rc;

	atomic_store(&w->control->current, c->candidate);
	rc = w->runner->again(w->self, c->candidate, c->times);
	if (!rc)
		return STATUS_OK;
	err_set(e, ERR_CHECK, "a phase returned %d after it was timed", rc);
	return STATUS_WRONG;
}

static int
race(Worker *w, const Command *c, Err *e)
{
	const Batch *b = w->work.batch;
	uint32_t rounds = b->measure.race_rounds, which[CANDIDATES_MAX], n = 0;
	Timing *t = calloc(CANDIDATES_MAX, sizeof *t);
	Meter m = {w, now, run_counted};
	double after;

	if (!t)
		return err_set(e, ERR_NOMEM, "runner: out of memory");
	for (uint32_t i = 0; i < b->candidates.n; i++)
		if (c->racing[i / 64] >> i % 64 & 1) {
			t[n].samples = w->control->samples + (size_t)i * rounds;
			t[n].room = rounds;
			which[n++] = i;
		}
	calibrate(w, &w->control->calibration_before);
	measure_race(&m, &b->measure, b->seed, which, n, t);
	for (uint32_t i = 0; i < n; i++)
		store(w, which[i], &t[i]);
	calibrate(w, &after);
	free(t);
	return OK;
}

/* Carries out one command; what went wrong is in the reply. */
static void
obey(Worker *w, const Command *c, int fd, Reply *r)
{
	Status status = STATUS_OK;
	Err e = {0};

	switch (c->kind) {
	case COMMAND_LOAD: load(w, c, fd, &e); break;
	case COMMAND_CHECK: status = check(w, c->candidate, &e); break;
	case COMMAND_TIME: time_one(w, c->candidate); break;
	case COMMAND_AGAIN: status = again(w, c, &e); break;
	case COMMAND_RACE: race(w, c, &e); break;
	case COMMAND_CALIBRATE:
		calibrate_all(w->plan->cache, w->plan->memory_bytes, &w->control->calibration);
		break;
	default: err_set(&e, ERR_INTERNAL, "runner: command %u", c->kind); break;
	}
	if (e.code && status == STATUS_OK)
		status = e.code == ERR_NOMEM ? STATUS_INFEASIBLE : STATUS_BUILD;
	*r = (Reply){PLAN_WORD, c->kind, c->candidate, (uint32_t)status, w->sandbox.report, ""};
	snprintf(r->text, sizeof r->text, "%.*s", REASON_MAX, e.msg);
}

/* Receives a command and the descriptor that may come with it; false when the agent is gone. */
static bool
receive(Command *c, int *fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} room;
	struct iovec io = {c, sizeof *c};
	struct msghdr m = {.msg_iov = &io,
			   .msg_iovlen = 1,
			   .msg_control = &room,
			   .msg_controllen = sizeof room};
	ssize_t n;

	do
		n = recvmsg(RUNNER_FD, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*fd = -1;
	if (n == sizeof *c && CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof *fd);
	return n == sizeof *c && c->word == PLAN_WORD;
}

/* Does what the agent says until that is gone or does not want this runner any more. */
static _Noreturn void
work(const Sandbox *sandbox, bool probe)
{
	Worker *w = calloc(1, sizeof *w);
	Reply r = {.word = PLAN_WORD, .kind = REPLY_HELLO};
	Command c;
	int fd;

	if (!w)
		_exit(1);
	w->sandbox = *sandbox;
	sandbox_enter(&w->sandbox, SANDBOX_WORKER);
	if (probe) {
		sandbox_enter(&w->sandbox, SANDBOX_LOADING);
		sandbox_enter(&w->sandbox, SANDBOX_LOADED);
	}
	r.sandbox = w->sandbox.report;
	while (send(RUNNER_FD, &r, sizeof r, MSG_NOSIGNAL) == sizeof r && receive(&c, &fd))
		obey(w, &c, fd, &r);
	_exit(0);
}

/* Waits for the worker and ends as it ended. */
static int
keep(pid_t worker)
{
	int status;

	close(RUNNER_FD);
	while (waitpid(worker, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	signal(WTERMSIG(status), SIG_DFL);
	kill(getpid(), WTERMSIG(status));
	return 1;
}

int
runner_main(void)
{
	Sandbox sandbox = {0};
	Orders orders;
	pid_t worker;

	prctl(PR_SET_NAME, RUNNER_NAME);
	if (recv(RUNNER_FD, &orders, sizeof orders, 0) != sizeof orders || orders.word != PLAN_WORD)
		return 1;
	sandbox.wanted = orders.sandbox;
	sandbox_enter(&sandbox, SANDBOX_KEEPER);
	worker = fork();
	if (!worker)
		work(&sandbox, orders.probe);
	_exit(worker < 0 ? 1 : keep(worker));
}
