/* Attempts in a row. What is waited for is said when it begins, when the reason changes, and now
 * and then. */
#include "rpc_client/reopen.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "wire/pulse.h"

#define SLICE_NS (SECOND_NS / 10) /* between two questions whether to stop */
#define AGAIN_NS (30 * SECOND_NS) /* between two lines that say the same */

bool
reopen_may_pass(int rc)
{
	return rc == ERR_DEVICE || rc == ERR_BUSY || rc == ERR_NOMEM;
}

static bool
wants_no_more(const Reopen *r)
{
	return r->stop && r->stop(r->self);
}

/* False when stop wanted no more of it. */
static bool
pause_for(const Reopen *r, uint64_t ns)
{
	uint64_t end = clock_ns() + ns, now;

	while ((now = clock_ns()) < end) {
		if (wants_no_more(r))
			return false;
		clock_sleep_ns(end - now < SLICE_NS ? end - now : SLICE_NS);
	}
	return !wants_no_more(r);
}

typedef struct Telling {
	char why[ERR_TEXT_MAX];
	uint64_t told;
} Telling;

static void
tell(const Reopen *r, Telling *t, const Err *why)
{
	char text[ERR_TEXT_MAX + 64];
	uint64_t now = clock_ns();

	if (!r->waiting || (t->told && now - t->told < AGAIN_NS && !strcmp(t->why, why->msg)))
		return;
	t->told = now;
	snprintf(t->why, sizeof t->why, "%s", why->msg);
	snprintf(text, sizeof text, "waiting for the agent (%s), for another %llu s at most",
		 why->msg, (unsigned long long)(backoff_left(&r->backoff, now) / SECOND_NS));
	r->waiting(r->self, text);
}

int
rpc_reopen(Reopen *r, RpcClient **c, Err *e)
{
	Telling told = {0};
	Err last = {0};
	uint64_t wait;
	int rc = ERR_DEVICE;

	rpc_close(*c);
	*c = NULL;
	backoff_begin(&r->backoff, clock_ns());
	while (backoff_next(&r->backoff, clock_ns(), &wait)) {
		if (!pause_for(r, wait)) {
			rc = err_set(e, ERR_CANCELLED, "stopped while connecting again%s%s",
				     last.code ? ": " : "", last.msg);
			break;
		}
		last = (Err){0};
		rc = rpc_open_way(&r->way, c, &last);
		if (!reopen_may_pass(rc))
			break;
		tell(r, &told, &last);
	}
	if (!rc)
		backoff_end(&r->backoff, clock_ns());
	else if (reopen_may_pass(rc))
		err_set(e, rc, "no connection for %llu s in all: %s",
			(unsigned long long)(r->backoff.total / SECOND_NS),
			last.code ? last.msg : "lost again each time before a result came");
	else
		err_set(e, rc, "%s", last.msg);
	return rc;
}
