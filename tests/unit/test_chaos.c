/* The network breaks at every byte, hangs, and comes back: a tuner's connection to a real agent
 * through a relay that does it. Whatever happens, every candidate has exactly one result, in time,
 * and the agent keeps nothing of the broken connections.
 *
 * HONE_CHAOS=N: so many cuts of every kind, drawn by HONE_SEED, beside those at frame boundaries;
 * "all": every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rpc_client/registry.h"
#include "tests/support/chaos.h"
#include "tests/unit/chaos_case.h"
#include "trust/channel.h"
#include "tuner/device.h"
#include "wire/message.h"

enum {
	CANDIDATES = 3,
	IMAGE_BYTES = 700,
	CUTS = 4,           /* drawn, besides boundaries */
	SILENT_CUTS = 2,    /* each waits for the silence */
	IN_TIME_MS = 20000, /* a broken exchange, on a busy machine */
	TOLD = 500,         /* a line after so many cuts: all of them take minutes */
};

static char folder[32], keys[64];

/* Where the agent wants a key, it is a registered device at the relay's address. */
static void
register_relay(const Bench *b)
{
	KnownDevice d = {.keyed = true};
	char path[128];
	Err e = {0};

	if (!b->keyed)
		return;
	snprintf(path, sizeof path, "%s/%s.key", keys, b->keyed);
	snprintf(d.name, sizeof d.name, "%s", b->keyed);
	snprintf(d.address, sizeof d.address, "127.0.0.1:%u", chaos_port(b->chaos));
	if (key_read(path, &d.key, &e) || registry_add(&d, true, &e))
		fail_msg("%s", e.msg);
}

/* --- an exchange: HELLO, DEVICE, blobs, a batch, its results and end --- */

/* Candidates of the runner that runs nothing. The image is another one each time: it is uploaded.
 */
static Parcel *
make_parcel(Bench *b)
{
	static char *phase[] = {"k"};
	Arena *a = arena_new();
	Parcel *p = ARENA_ARRAY(a, Parcel, 1);
	BufferSpec *buffer = ARENA_ARRAY(a, BufferSpec, 1);
	Candidate *k = ARENA_ARRAY(a, Candidate, CANDIDATES);
	uint8_t *image = ARENA_ARRAY(a, uint8_t, IMAGE_BYTES);

	b->runs++;
	memcpy(image, &b->runs, sizeof b->runs);
	*buffer = (BufferSpec){.role = ROLE_OUT, .type = DT_F32, .bytes = 64};
	*p = (Parcel){.arena = a, .n = CANDIDATES, .item = ARENA_ARRAY(a, ParcelItem, CANDIDATES)};
	for (uint32_t i = 0; i < CANDIDATES; i++) {
		p->item[i] = (ParcelItem){.text = "k"};
		k[i] = (Candidate){.id = i, .phases = {phase, 1}, .deadline_ms = 5000};
	}
	p->batch = (Batch){.runner = (char *)"null", .image = digest_of(image, IMAGE_BYTES)};
	p->batch.buffers.v = buffer;
	p->batch.buffers.n = 1;
	p->batch.candidates.v = k;
	p->batch.candidates.n = CANDIDATES;
	p->batch.measure = (MeasureSpec){.min_runs = 3, .max_runs = 3};
	vec_push(a, &p->blob, ((Blob){p->batch.image, image, IMAGE_BYTES}));
	return p;
}

static void
open_device(Bench *b, Device *d, uint64_t reconnect_ns)
{
	char address[32];
	RpcWay way = {address, NULL, HEARTBEAT_MS, SILENCE_MS};
	Err e = {0};

	snprintf(address, sizeof address, "127.0.0.1:%u", chaos_port(b->chaos));
	if (b->keyed)
		way.address = b->keyed;
	if (device_open(d, &way, reconnect_ns, (DeviceHooks){.wait_s = -1}, &e))
		fail_msg("%s", e.msg);
	d->name = d->reopen.way.address = strdup(way.address);
	d->reopen.backoff.first = 2000000; /* the test is about what, not when */
	d->reopen.backoff.most = 20000000;
}

static void
close_device(Device *d)
{
	char *address = (char *)d->reopen.way.address;

	device_close(d);
	free(address);
}

static void
take_all(Device *d, Parcel *sent)
{
	Parcel *p = NULL;
	Err e = {0};
	int rc;

	do
		rc = device_take(d, 100, &p, &e);
	while (rc == NOT_APPLICABLE);
	if (rc)
		fail_msg("take: %s", e.msg);
	assert_ptr_equal(p, sent);
	for (int i = 0; i < p->n; i++) {
		assert_true(p->item[i].back);
		if (p->item[i].result.status != STATUS_OK)
			fail_msg("candidate %d: %s", i, p->item[i].result.reason);
		assert_int_equal(p->item[i].result.samples.n, 3);
	}
	parcel_free(p);
}

static void
exchange(Bench *b, const ChaosRule *rule, unsigned rules)
{
	uint64_t began = clock_ns();
	Parcel *p = make_parcel(b);
	double ms;
	Device d;
	Err e = {0};

	b->chaos = chaos_open(b->port, rule, rules);
	assert_non_null(b->chaos);
	register_relay(b);
	open_device(b, &d, 0);
	if (device_send(&d, p, &e))
		fail_msg("send: %s", e.msg);
	take_all(&d, p);
	close_device(&d);
	ms = (double)(clock_ns() - began) * 1e-6;
	b->worst_ms = ms > b->worst_ms ? ms : b->worst_ms;
	assert_true(ms < IN_TIME_MS);
}

static void
broken_exchange(Bench *b, ChaosRule rule)
{
	exchange(b, &rule, 1);
	nothing_is_left(b);
	chaos_close(b->chaos);
	b->chaos = NULL;
}

/* --- cuts --- */

/* Where the frames of a side begin. */
static unsigned
boundaries(const uint8_t *bytes, size_t n, size_t at[], unsigned max)
{
	unsigned count = 0;
	size_t where = 0;

	while (count < max && where + FRAME_HEAD <= n) {
		const uint8_t *h = bytes + where;

		at[count++] = where;
		where += FRAME_HEAD + ((size_t)h[0] | (size_t)h[1] << 8 | (size_t)h[2] << 16 |
				       (size_t)h[3] << 24);
	}
	return count;
}

/* How much passes in an exchange that nobody disturbs. */
static void
measure(Bench *b, size_t passed[2], size_t at[2][64], unsigned n[2])
{
	exchange(b, NULL, 0);
	nothing_is_left(b);
	for (int side = 0; side < 2; side++) {
		const uint8_t *bytes;

		passed[side] = chaos_passed(b->chaos, (ChaosSide)side, &bytes);
		n[side] = b->keyed ? 0 : boundaries(bytes, passed[side], at[side], 64);
		assert_true(passed[side] > 500 && (b->keyed || n[side] > 5));
	}
	chaos_close(b->chaos);
	b->chaos = NULL;
}

typedef struct Cuts {
	Bench *bench;
	ChaosSide side;
	unsigned n;
} Cuts;

/* In turn closed and reset. */
static void
cut(Cuts *c, size_t i, size_t after)
{
	ChaosRule rule = {
		.end = i % 2 ? CHAOS_RESET : CHAOS_CLOSE, .side = c->side, .after = after};

	broken_exchange(c->bench, rule);
	if (++c->n % TOLD == 0)
		print_message("  %u cuts, worst exchange %.0f ms\n", c->n, c->bench->worst_ms);
}

static void
cut_everywhere(Bench *b)
{
	const char *wanted = getenv("HONE_CHAOS"), *seed = getenv("HONE_SEED");
	bool all = wanted && !strcmp(wanted, "all");
	unsigned draws = wanted ? (unsigned)atoi(wanted) : CUTS, n[2];
	size_t passed[2], at[2][64];
	Cuts c = {.bench = b};
	Rng r;

	rng_init(&r, seed ? strtoull(seed, NULL, 10) : 1);
	measure(b, passed, at, n);
	for (int side = 0; side < 2; side++) {
		c.side = (ChaosSide)side;
		for (unsigned i = 0; i < n[side] && !all; i++)
			cut(&c, i, at[side][i]);
		for (unsigned i = 0; i < draws && !all; i++)
			cut(&c, i, rng_below(&r, passed[side]));
		for (size_t i = 0; i < 2 * passed[side] && all; i++)
			cut(&c, i, i / 2);
	}
	print_message("%s: %zu + %zu bytes, %u cuts, worst exchange %.0f ms\n",
		      b->keyed ? "encrypted" : "plain", passed[0], passed[1], c.n, b->worst_ms);
}

static void
a_cut_at_any_byte_costs_nothing(void **state)
{
	Bench b;

	(void)state;
	start(&b);
	cut_everywhere(&b);
	stop(&b);
}

static void
start_with_keys(Bench *b)
{
	*b = (Bench){.keyed = "default"};
	start_agent(b, 0, ARGS("--keys", keys, "--clients-per-address", "4096"));
}

static void
a_cut_at_any_encrypted_byte_costs_nothing(void **state)
{
	Bench b;

	(void)state;
	if (!channel_supported())
		skip();
	start_with_keys(&b);
	cut_everywhere(&b);
	stop(&b);
}

/* Nothing is said any more and nothing closed: both ends find out by themselves. */
static void
silence_is_found_by_both_ends(void **state)
{
	size_t passed[2], at[2][64];
	unsigned n[2];
	Bench b;
	Rng r;

	(void)state;
	rng_init(&r, 3);
	start(&b);
	measure(&b, passed, at, n);
	for (unsigned i = 0; i < (getenv("HONE_CHAOS") ? 20 : SILENT_CUTS); i++) {
		ChaosSide side = (ChaosSide)(i % 2);
		size_t hello = at[side][1];

		/* Behind HELLO: before it, it is the handshake's deadline that counts. */
		broken_exchange(&b,
				(ChaosRule){.end = CHAOS_SILENT,
					    .side = side,
					    .after = hello + rng_below(&r, passed[side] - hello)});
	}
	print_message("silent: worst exchange %.0f ms\n", b.worst_ms);
	stop(&b);
}

/* Rules that cut n connections before a first result comes. */
static void
cut_before_results(Bench *b, ChaosRule rule[], unsigned count)
{
	size_t passed[2], at[2][64];
	unsigned n[2];

	measure(b, passed, at, n);
	for (unsigned i = 0; i < count; i++)
		rule[i] = (ChaosRule){.end = CHAOS_CLOSE,
				      .side = CHAOS_TO_CLIENT,
				      .after = at[CHAOS_TO_CLIENT][n[CHAOS_TO_CLIENT] - 4]};
}

/* More losses in a row than a candidate has attempts: none of them is the candidate's fault. */
static void
many_cuts_in_a_row_lose_nothing(void **state)
{
	ChaosRule rule[4 * ATTEMPTS];
	Bench b;

	(void)state;
	start(&b);
	cut_before_results(&b, rule, 4 * ATTEMPTS);
	exchange(&b, rule, 4 * ATTEMPTS);
	assert_int_equal(chaos_connections(b.chaos), 4 * ATTEMPTS + 1);
	chaos_close(b.chaos);
	nothing_is_left(&b);
	stop(&b);
}

/* A byte at a time, and with pauses: slower, and nothing else. */
static void
slow_networks_are_only_slow(void **state)
{
	const ChaosRule crawling = {.piece = 1}, late = {.piece = 64, .pause_ms = 5};
	Bench b;

	(void)state;
	start(&b);
	exchange(&b, &crawling, 1);
	assert_int_equal(chaos_connections(b.chaos), 1);
	chaos_close(b.chaos);
	exchange(&b, &late, 1);
	assert_int_equal(chaos_connections(b.chaos), 1);
	chaos_close(b.chaos);
	nothing_is_left(&b);
	stop(&b);
}

/* Results come twice, and those of a batch before the loss once more. */
static void
results_that_come_again_are_counted_once(void **state)
{
	const uint8_t *bytes;
	size_t passed;
	Bench b;

	(void)state;
	start(&b);
	exchange(&b, NULL, 0);
	passed = chaos_passed(b.chaos, CHAOS_TO_CLIENT, &bytes);
	chaos_close(b.chaos);
	for (size_t before = 1; before < passed; before += passed / 8) {
		const ChaosRule rule[] = {{.end = CHAOS_CLOSE,
					   .side = CHAOS_TO_CLIENT,
					   .after = passed - before,
					   .repeat = before % 2},
					  {.repeat = true}};

		exchange(&b, rule, 2);
		chaos_close(b.chaos);
	}
	stop(&b);
}

/* --- whole ends --- */

/* Another agent at the same address: what it lacks is uploaded again. */
static void
a_restarted_agent_is_given_everything_again(void **state)
{
	Bench b;

	(void)state;
	start(&b);
	for (int i = 0; i < 2; i++) {
		unsigned port = b.port;
		Parcel *p = make_parcel(&b), *second = make_parcel(&b);
		Device d;
		Err e = {0};

		p->batch.calibrate = true; /* so that nothing is back when it dies */
		b.chaos = chaos_open(b.port, NULL, 0);
		open_device(&b, &d, 0);
		assert_int_equal(device_send(&d, p, &e), OK);
		assert_int_equal(device_send(&d, second, &e), OK);
		agent_kill(&b.agent);
		start_agent(&b, port, ARGS("--insecure-no-auth"));
		take_all(&d, p);
		take_all(&d, second);
		assert_int_equal(d.lost, 1);
		close_device(&d);
		chaos_close(b.chaos);
	}
	stop(&b);
}

static bool
stop_at_third(void *self)
{
	return ++*(int *)self >= 3;
}

static void
count_texts(void *self, const char *text)
{
	if (strstr(text, "waiting for the agent (127.0.0.1:"))
		++*(int *)self;
}

static void
giving_up_takes_as_long_as_was_said(void **state)
{
	Parcel *p, *none;
	int told = 0, asked = 0;
	ChaosRule rule[256];
	uint64_t began;
	Device d;
	Bench b;
	Err e = {0};

	(void)state;
	for (int stopped = 0; stopped < 2; stopped++) {
		start(&b); /* whoever gave up may come back: the agent keeps its lease for a while
			    */
		cut_before_results(&b, rule, 256);
		p = make_parcel(&b);
		e = (Err){0};
		b.chaos = chaos_open(b.port, rule, 256);
		open_device(&b, &d, 600000000);
		assert_int_equal(device_send(&d, p, &e), OK);
		chaos_close(b.chaos);
		d.hooks = stopped ? (DeviceHooks){&asked, stop_at_third, NULL, -1}
				  : (DeviceHooks){&told, NULL, count_texts, -1};
		began = clock_ns();
		while (device_take(&d, 100, &none, &e) == NOT_APPLICABLE)
			;
		assert_int_equal(e.code, stopped ? ERR_CANCELLED : ERR_DEVICE);
		assert_non_null(strstr(e.msg, stopped ? "stopped while connecting again"
						      : "no connection for 0 s in all: "));
		assert_true(clock_ns() - began < 10000000000u);
		device_cancel(&d);
		close_device(&d);
		nothing_is_left(&b);
		stop(&b);
	}
	assert_int_equal(told, 1);
}

static int
make_folder(void **state)
{
	(void)state;
	process_adopt_orphans();
	strcpy(folder, "/tmp/hone-chaos-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(keys, sizeof keys, "%s/keys", folder);
	setenv("XDG_CONFIG_HOME", folder, 1);
	return 0;
}

static int
remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_at_any_byte_costs_nothing),
		cmocka_unit_test(a_cut_at_any_encrypted_byte_costs_nothing),
		cmocka_unit_test(silence_is_found_by_both_ends),
		cmocka_unit_test(many_cuts_in_a_row_lose_nothing),
		cmocka_unit_test(slow_networks_are_only_slow),
		cmocka_unit_test(results_that_come_again_are_counted_once),
		cmocka_unit_test(a_restarted_agent_is_given_everything_again),
		cmocka_unit_test(giving_up_takes_as_long_as_was_said),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
