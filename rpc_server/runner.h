/* Runner: one kind of device that candidates run on. A new kind = one file run_NAME.c + one line in
 * RUNNER_LIST. All of this runs inside the runner process; run_null.c is the one to copy. */
#ifndef RPC_SERVER_RUNNER_H
#define RPC_SERVER_RUNNER_H

#include "base/err.h"
#include "base/hone_pool.h"
#include "rpc_server/area.h"
#include "rpc_server/plan.h"

/* What a batch is to a runner. Everything lives until close. */
typedef struct Work {
	const Batch *batch;
	const Plan *plan;
	const uint8_t *segment; /* read-only view of plan, batch and blobs, from offset 0 on */
	Area *buffer;           /* one per BufferSpec */
	struct Places *places;  /* to register memory whose faults should have a name */
	const hone_parallel *parallel; /* the batch's threads; NULL: one */
} Work;

/* Bytes of a blob of the plan; NULL when it is not there. */
const uint8_t *work_blob(const Work *w, const Digest *d, size_t *bytes);

typedef struct Runner {
	const char *name;

	/* True: nothing really runs. The agent then checks neither outputs nor times. */
	bool simulated;

	/* Once per batch, first: takes in the image. *self is passed to all others. On an error
	 * nothing else is called. */
	int (*open)(const Work *w, void **self, Err *e);

	/* Once per candidate before it runs: looks up its code, packs its constants. Several
	 * candidates may be prepared at a time. Returns a Status, with a reason in *e unless OK. */
	Status (*prepare)(void *self, uint32_t candidate, Err *e);

	/* The slots of Meter. run is only called for prepared candidates. */
	uint64_t (*now)(void *self);
	int (*run)(void *self, uint32_t candidate, uint32_t times, uint64_t *ns);

	/* Runs it without taking time, in no case on colder memory than run. Non-zero: one failed.
	 */
	int (*again)(void *self, uint32_t candidate, uint32_t times);

	void (*release)(void *self, uint32_t candidate); /* undoes prepare; or never prepared */
	void (*close)(void *self);
} Runner;

#define RUNNER_LIST(X) X(cpu) X(null)

#define X(name) extern const Runner runner_##name;
RUNNER_LIST(X)
#undef X

const Runner *runner_find(const char *name); /* "" = cpu; NULL when there is none */
const Runner *runner_at(unsigned i);         /* in order; NULL after the last */

#endif
