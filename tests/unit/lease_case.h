/* Clients that hold and wait, of an agent at a socket in a folder of the test's own. */
#ifndef TESTS_UNIT_LEASE_CASE_H
#define TESTS_UNIT_LEASE_CASE_H

#include <pthread.h>

#include "rpc_client/lease.h"
#include "tests/unit/agent_process.h"

static char folder[] = "/tmp/hone-test-XXXXXX", path[64];
static const RpcWait at_once = {0}, patient = {.name = "board", .seconds = 20};

static inline void
start(Agent *a, const char *const more[])
{
	const char *args[ARGS_MAX] = {"--socket", path};

	for (int n = 2; *more; n++)
		args[n] = *more++;
	agent_start(a, args);
	assert_true(agent_says(a, "listening on"));
}

static inline void
stop(Agent *a)
{
	kill(a->pid, SIGTERM);
	assert_int_equal(agent_exit_code(a), 0);
	assert_true(process_all_gone());
}

static inline void
hold(RpcClient *c, const RpcWait *w)
{
	Err e = {0};

	if (rpc_lease(c, w, &e))
		fail_msg("%s", e.msg);
}

static inline void
expect_busy(RpcClient *c, const char *text)
{
	Err e = {0};

	assert_int_equal(rpc_lease(c, &at_once, &e), ERR_BUSY);
	if (!strstr(e.msg, text))
		fail_msg("'%s', expected '%s'", e.msg, text);
}

/* One that waits in a thread. */
typedef struct Waiter {
	RpcClient *c;
	pthread_t thread;
	char said[1024];
	int rc;
} Waiter;

static inline void
note(void *self, const char *text)
{
	Waiter *w = self;
	size_t n = strlen(w->said);

	snprintf(w->said + n, sizeof w->said - n, "%s\n", text);
}

static inline void *
wait_in_thread(void *self)
{
	Waiter *w = self;
	RpcWait how = {.seconds = 20, .told = note, .self = w};

	w->rc = rpc_lease(w->c, &how, NULL);
	return NULL;
}

static inline DeviceInfo
look(char holder[128])
{
	RpcClient *c = open_or_fail(path);
	DeviceInfo d = *rpc_device(c);

	snprintf(holder, 128, "%s", d.holder);
	rpc_close(c);
	return d;
}

/* Until so many wait. */
static inline void
await_queue(unsigned n)
{
	char holder[128];
	bool is = false;

	for (int i = 0; i < 500 && !is; i++) {
		is = look(holder).lease_queue == n;
		if (!is)
			clock_sleep_ns(10000000);
	}
	assert_true(is);
}

static inline void
wait_start(Waiter *w)
{
	*w = (Waiter){.c = open_or_fail(path)};
	assert_int_equal(pthread_create(&w->thread, NULL, wait_in_thread, w), 0);
}

static inline void
wait_end(Waiter *w, const char *said)
{
	pthread_join(w->thread, NULL);
	assert_int_equal(w->rc, OK);
	if (!strstr(w->said, said))
		fail_msg("'%s', expected '%s'", w->said, said);
}

static inline void
submit_endless(AgentCase *k, RpcClient *c, uint64_t id)
{
	static char *endless[] = {"endless"};
	Err e = {0};

	case_init(k, c, CASE_ENDLESS);
	case_add(k, endless)->deadline_ms = 60000;
	k->batch.id = id;
	if (rpc_submit(c, &k->batch, &e))
		fail_msg("%s", e.msg);
}

static inline RpcEvent
next_event(RpcClient *c, RpcEventKind kind)
{
	RpcEvent event;
	Err e = {0};

	if (rpc_wait(c, 10000, &event, &e))
		fail_msg("no event: %s", e.msg);
	assert_int_equal(event.kind, kind);
	return event;
}

static inline int
make_folder(void **state)
{
	(void)state;
	process_adopt_orphans();
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/agent", folder);
	setenv("TMPDIR", folder, 1);
	return 0;
}

static inline int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

#endif
