/* An agent on a port of this machine that hears and is heard quickly, and what must be left of its
 * clients: nothing. */
#ifndef TESTS_UNIT_CHAOS_CASE_H
#define TESTS_UNIT_CHAOS_CASE_H

#include "tests/unit/agent_process.h"

enum {
	SILENCE_MS = 600, /* of both ends */
	HEARTBEAT_MS = 100,
};

typedef struct Bench {
	Agent agent;
	unsigned port, descriptors;
	const char *keyed; /* name of the device, where it wants a key */
	struct Chaos *chaos;
	uint64_t runs;
	double worst_ms;
} Bench;

static inline void
start_agent(Bench *b, unsigned port, const char *const more[])
{
	char listen[32];
	/* Hardly a note: nobody reads them. A relay that is closed takes the end of a lease with
	 * it; whoever comes next waits for the grace. */
	const char *args[ARGS_MAX] = {"--listen",      listen, "--heartbeat-ms",     "100",
				      "--silence-ms",  "600",  "--notes-per-minute", "1",
				      "--lease-grace", "1"};
	int n = 10;

	snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
	while (*more)
		args[n++] = *more++;
	agent_start(&b->agent, args);
	assert_true(agent_says(&b->agent, "listening on 127.0.0.1:"));
	b->port = (unsigned)atoi(strstr(b->agent.said, "listening on ") + 23);
	b->descriptors = process_settled_descriptors(b->agent.pid);
}

static inline void
start(Bench *b)
{
	*b = (Bench){0};
	start_agent(b, 0, ARGS("--insecure-no-auth", "--clients-per-address", "4096"));
}

static inline void
stop(Bench *b)
{
	agent_kill(&b->agent);
	assert_true(process_all_gone());
}

/* The agent is as it was before anybody came. */
static inline void
nothing_is_left(Bench *b)
{
	assert_true(process_await_no_child(b->agent.pid, "hone_runner"));
	if (!process_await_descriptors(b->agent.pid, b->descriptors))
		fail_msg("%u descriptors, were %u", process_descriptors(b->agent.pid),
			 b->descriptors);
}

#endif
