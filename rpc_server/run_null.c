/* Null runner: runs nothing, needs no device, has its own clock. Searches and schedulers are tested
 * with it. To make a runner of another kind, copy this file and
 *   1. name it in RUNNER_LIST and in CMakeLists.txt;
 *   2. clear `simulated`;
 *   3. open: take in the image, keep what all candidates share;
 *   4. prepare: find the candidate's code, pack its constants, or say why that cannot be;
 *   5. run: run it `times` times over changing copies of its constants, and say how long it took;
 *   6. again: run it, on the constants that the caches have;
 *   7. release and close what prepare and open made.
 */
#include "rpc_server/run_null.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "rpc_server/runner.h"

typedef struct Null {
	const Batch *batch;
	uint32_t slow; /* percent */
	uint64_t now;  /* ns that runs have taken so far */
} Null;

/* Once the batch is loaded, the sandbox lets nobody wait. Before that it lets threads wait for each
 * other: nobody wakes this one. */
static void
hold(uint64_t ms)
{
	uint64_t end = clock_ns() + ms * MS_NS;
	struct timespec until = {(time_t)(end / SECOND_NS), (long)(end % SECOND_NS)};
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_condattr_t attr;
	pthread_cond_t never;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&never, &attr);
	pthread_mutex_lock(&lock);
	while (clock_ns() < end)
		pthread_cond_timedwait(&never, &lock, &until);
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&never);
	pthread_condattr_destroy(&attr);
}

static int
null_open(const Work *w, void **self, Err *e)
{
	Null *n = calloc(1, sizeof *n);

	if (!n)
		return err_set(e, ERR_NOMEM, "null: out of memory");
	n->batch = w->batch;
	n->slow = w->plan->null_slow;
	if (w->plan->null_hold_ms)
		hold((uint64_t)w->plan->null_hold_ms * w->batch->candidates.n);
	*self = n;
	return OK;
}

static Status
null_prepare(void *self, uint32_t candidate, Err *e)
{
	(void)self;
	(void)candidate;
	(void)e;
	return STATUS_OK;
}

static uint64_t
null_now(void *self)
{
	return ++((Null *)self)->now;
}

static int
null_run(void *self, uint32_t candidate, uint32_t times, uint64_t *ns)
{
	Null *n = self;

	*ns = null_time_ns(n->batch->candidates.v[candidate].id) * (100 + n->slow) / 100 * times;
	n->now += *ns;
	return 0;
}

static int
null_again(void *self, uint32_t candidate, uint32_t times)
{
	(void)self;
	(void)candidate;
	(void)times;
	return 0;
}

static void
null_release(void *self, uint32_t candidate)
{
	(void)self;
	(void)candidate;
}

static void
null_close(void *self)
{
	free(self);
}

const Runner runner_null = {
	.name = "null",
	.simulated = true,
	.open = null_open,
	.prepare = null_prepare,
	.now = null_now,
	.run = null_run,
	.again = null_again,
	.release = null_release,
	.close = null_close,
};
