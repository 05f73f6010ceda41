/* Vary: what changes around timed runs, in the runner. No two samples in a row see the same inputs,
 * and a run that does not write its outputs is noticed. All of it happens between the times that
 * are taken, and touches a small part of every buffer: caches stay as they are.
 */
#ifndef RPC_SERVER_VARY_H
#define RPC_SERVER_VARY_H

#include "base/rng.h"
#include "rpc_server/runner.h"

enum { MARKS_MAX = 8 };

/* An input that has two contents; some of its bytes are the first ones. */
typedef struct VariedInput {
	uint8_t *data, *saved; /* saved: what the changed bytes held */
	const uint8_t *first;
	size_t bytes, grain, span,
		at; /* span bytes are changed, from `at` on, a multiple of grain */
	bool changed;
} VariedInput;

/* Bytes of an output element that hold what no kernel wrote. */
typedef struct Mark {
	uint8_t *at;
	size_t bytes;
} Mark;

typedef struct Vary {
	const Work *work;
	Rng rng;
	VariedInput input[BUFFERS_MAX];
	uint32_t inputs;
	uint64_t mark_value;
	Mark mark[MARKS_MAX];
	uint32_t marks;
} Vary;

/* Errors: ERR_NOMEM. */
int vary_open(Vary *v, const Work *w, Err *e);
void vary_close(Vary *v);

void vary_next(Vary *v);          /* other inputs than before, and new marks */
bool vary_written(const Vary *v); /* false: all marks are still there */
void vary_settle(Vary *v);        /* inputs as they were before the first vary_next */

#endif
