/* Peers of other versions. tests/golden/protocol-N.txt is what a client and an agent of protocol N
 * said to each other, a frame a line: its side, its method, its bytes. Played back, that client
 * must be served by the agent of today, and that agent must do for the client of today. What was
 * said once is never recorded again.
 *
 *   build/release/tests/test_protocol --record FILE     what today's say, for a new version
 */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/support/chaos.h"
#include "tests/unit/agent_process.h"
#include "tests/unit/frames.h"
#include "wire/hello.h"

enum {
	CANDIDATES = 3,
	IMAGE_BYTES = 300,
	FRAMES_MAX = 64,
	IDLE_MS = 3500, /* until a client of protocol 1 says PING */
};

typedef struct Script {
	Frame frame[FRAMES_MAX];
	unsigned n;
} Script;

/* --- what is said: every message there is --- */

static void
fill_batch(Batch *b, Candidate k[CANDIDATES], BufferSpec *buffer, const uint8_t *image)
{
	static char *phase[] = {"k"};

	*b = (Batch){.id = 7, .runner = (char *)"null", .image = digest_of(image, IMAGE_BYTES)};
	*buffer = (BufferSpec){.role = ROLE_OUT, .type = DT_F32, .bytes = 64};
	b->buffers.v = buffer;
	b->buffers.n = 1;
	b->candidates.v = k;
	b->candidates.n = CANDIDATES;
	b->measure = (MeasureSpec){.min_runs = 3, .max_runs = 3};
	for (uint32_t i = 0; i < CANDIDATES; i++)
		k[i] = (Candidate){.id = i + 1, .phases = {phase, 1}, .deadline_ms = 5000};
}

static void
take_results(RpcClient *c)
{
	unsigned results = 0;
	RpcEvent ev;
	Err e = {0};

	for (;;) {
		if (rpc_wait(c, 20000, &ev, &e))
			fail_msg("wait: %s", e.msg);
		assert_int_equal(ev.kind == RPC_RESULT ? ev.result.batch : ev.done.batch, 7);
		if (ev.kind == RPC_BATCH_DONE)
			break;
		assert_int_equal(ev.result.status, STATUS_OK);
		assert_int_equal(ev.result.samples.n, 3);
		result_fini(&ev.result);
		results++;
	}
	assert_int_equal(results, CANDIDATES);
	assert_int_equal(ev.done.results, CANDIDATES);
}

static void
converse(const char *address, int idle_ms)
{
	Candidate k[CANDIDATES];
	uint8_t image[IMAGE_BYTES];
	BufferSpec buffer;
	RpcEvent none;
	void *back;
	size_t size;
	RpcClient *c;
	Err e = {0};
	Digest d;
	Batch b;

	for (int i = 0; i < IMAGE_BYTES; i++)
		image[i] = (uint8_t)(i * 7);
	fill_batch(&b, k, &buffer, image);
	c = open_or_fail(address);
	assert_true(rpc_device(c)->cores > 0 && *rpc_device(c)->name);
	b.candidates.n = 0;
	assert_int_equal(rpc_submit(c, &b, &e), ERR_INPUT); /* a failure */
	b.candidates.n = CANDIDATES;
	for (int twice = 0; twice < 2; twice++)
		assert_int_equal(rpc_put_blob(c, image, IMAGE_BYTES, &d, &e), OK);
	assert_int_equal(rpc_get_blob(c, &d, &back, &size, &e), OK);
	assert_int_equal(size, IMAGE_BYTES);
	free(back);
	e = (Err){0};
	if (rpc_submit(c, &b, &e))
		fail_msg("submit: %s", e.msg);
	take_results(c);
	assert_int_equal(rpc_cancel(c, 7, &e), OK); /* it is over already */
	assert_int_equal(rpc_wait(c, idle_ms, &none, &e), NOT_APPLICABLE);
	assert_int_equal(rpc_cancel(c, 7, &e), OK);
	rpc_close(c);
}

static unsigned
start_agent(Agent *a)
{
	agent_start(a, ARGS("--listen", "127.0.0.1:0", "--insecure-no-auth"));
	assert_true(agent_says(a, "listening on 127.0.0.1:"));
	return (unsigned)atoi(strstr(a->said, "listening on ") + 23);
}

/* --- frames and their text --- */

static const char *const kinds[] = {"request", "response", "failure", "event"};

static unsigned
write_side(FILE *out, char side, const uint8_t *p, size_t left)
{
	unsigned n = 0;
	size_t end;

	while (left > FRAME_HEAD) {
		Frame f = {.n = FRAME_HEAD + ((size_t)p[0] | (size_t)p[1] << 8)};

		assert_true(f.n <= left && f.n <= FRAME_BYTES);
		memcpy(f.bytes, p, f.n);
		read_head(&f, &end);
		fprintf(out, "%c %s %s ", side, method_name(f.method), kinds[f.kind]);
		for (size_t i = 0; i < f.n; i++)
			fprintf(out, "%02x", p[i]);
		fputc('\n', out);
		p += f.n;
		left -= f.n;
		n++;
	}
	return n;
}

static void
record(void **state)
{
	FILE *out = fopen(*state, "w");
	const uint8_t *bytes;
	char address[32];
	Chaos *relay;
	Agent a;

	assert_non_null(out);
	relay = chaos_open(start_agent(&a), NULL, 0);
	assert_non_null(relay);
	snprintf(address, sizeof address, "127.0.0.1:%u", chaos_port(relay));
	converse(address, IDLE_MS);
	clock_sleep_ns(100000000); /* for BYE */
	fprintf(out, "# protocol %d\n", PROTOCOL_VERSION);
	write_side(out, 'C', bytes, chaos_passed(relay, CHAOS_TO_AGENT, &bytes));
	write_side(out, 'A', bytes, chaos_passed(relay, CHAOS_TO_CLIENT, &bytes));
	chaos_close(relay);
	agent_kill(&a);
	assert_int_equal(fclose(out), 0);
}

static void
load(Script *s, const char *path)
{
	char *text, *line, *rest;
	size_t size, end;
	Err e = {0};

	s->n = 0;
	if (file_read(path, 1 << 20, &text, &size, &e))
		fail_msg("%s", e.msg);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		Frame *f = &s->frame[s->n];
		const char *hex = strrchr(line, ' ') + 1;
		unsigned byte;

		if (*line == '#')
			continue;
		assert_true(s->n < FRAMES_MAX && strlen(hex) <= 2 * FRAME_BYTES);
		*f = (Frame){.from_agent = *line == 'A'};
		for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
			f->bytes[f->n++] = (uint8_t)byte;
		read_head(f, &end);
		s->n++;
	}
	free(text);
	assert_true(s->n > 20);
}

/* --- an old client --- */

static int
dial(unsigned port)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

typedef struct Seen {
	unsigned results, done;
} Seen;

/* Reads until the answer to a request; counts what comes before it. A client of any version answers
 * PING. */
static void
await_answer(int fd, const Frame *request, Frame *f, Seen *seen)
{
	for (;;) {
		if (!read_frame(fd, f))
			fail_msg("%s: no answer", method_name(request->method));
		if (f->kind == MESSAGE_REQUEST && f->method == METHOD_PING)
			send_message(fd, MESSAGE_RESPONSE, f->id, METHOD_PING, NULL);
		seen->results += f->kind == MESSAGE_EVENT && f->method == METHOD_RESULT;
		seen->done += f->kind == MESSAGE_EVENT && f->method == METHOD_BATCH_DONE;
		if (f->kind == MESSAGE_RESPONSE || f->kind == MESSAGE_FAILURE)
			break;
	}
	assert_int_equal(f->id, request->id);
	assert_int_equal(f->method, request->method);
}

static const Frame *
recorded_answer(const Script *s, const Frame *request)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->frame[i].from_agent && s->frame[i].id == request->id &&
		    s->frame[i].method == request->method && s->frame[i].kind != MESSAGE_EVENT)
			return &s->frame[i];
	fail_msg("nobody answered %s", method_name(request->method));
	return NULL;
}

static void
play_client(const Script *s)
{
	Seen seen = {0};
	unsigned port;
	Agent a;
	int fd;

	port = start_agent(&a);
	fd = dial(port);
	for (unsigned i = 0; i < s->n; i++) {
		const Frame *f = &s->frame[i];
		Frame answer;

		if (f->from_agent)
			continue;
		if (f->method == METHOD_BATCH_CANCEL) /* it waited for the end of its batch */
			while (!seen.done) {
				assert_true(read_frame(fd, &answer));
				seen.results += answer.method == METHOD_RESULT;
				seen.done += answer.method == METHOD_BATCH_DONE;
			}
		send_bytes(fd, f->bytes, f->n);
		if (f->kind != MESSAGE_REQUEST)
			continue;
		await_answer(fd, f, &answer, &seen);
		assert_int_equal(answer.kind, recorded_answer(s, f)->kind);
	}
	assert_int_equal(seen.results, CANDIDATES);
	assert_int_equal(seen.done, 1);
	close(fd);
	fd = dial(port); /* it left in peace: the agent serves others */
	close(fd);
	kill(a.pid, SIGTERM);
	assert_int_equal(agent_exit_code(&a), 0);
}

/* --- an old agent --- */

typedef struct OldAgent {
	const Script *script;
	int listener;
	unsigned next; /* frame of the script */
} OldAgent;

/* Its next answer to such a request, and behind it the events up to its next answer. */
static void
answer(OldAgent *o, int fd, const Frame *request)
{
	const Script *s = o->script;
	Failure unknown = {-ERR_UNSUPPORTED, (char *)"this method is not known"};

	for (unsigned i = o->next; i < s->n; i++) {
		const Frame *f = &s->frame[i];

		if (!f->from_agent || f->method != request->method || f->kind == MESSAGE_EVENT)
			continue;
		send_as(fd, f, request->id);
		o->next = i + 1;
		while (o->next < s->n && s->frame[o->next].kind == MESSAGE_EVENT)
			send_bytes(fd, s->frame[o->next].bytes, s->frame[o->next].n), o->next++;
		return;
	}
	if (request->method == METHOD_PING)
		send_message(fd, MESSAGE_RESPONSE, request->id, METHOD_PING, NULL);
	else
		send_message(fd, MESSAGE_FAILURE, request->id, request->method, &unknown);
}

static void *
run_old_agent(void *self)
{
	OldAgent *o = self;
	int fd = accept(o->listener, NULL, NULL);
	Frame f;

	while (read_frame(fd, &f))
		if (f.kind == MESSAGE_REQUEST && f.method != METHOD_PING)
			answer(o, fd, &f);
		else if (f.kind == MESSAGE_REQUEST)
			send_message(fd, MESSAGE_RESPONSE, f.id, METHOD_PING, NULL);
	close(fd);
	return NULL;
}

static char folder[32];

static int
listen_at(char path[64])
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(path, 64, "%s/old", folder);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void
play_agent(const Script *s)
{
	OldAgent o = {.script = s};
	pthread_t thread;
	char path[64];

	o.listener = listen_at(path);
	assert_int_equal(pthread_create(&thread, NULL, run_old_agent, &o), 0);
	converse(path, 20);
	pthread_join(thread, NULL);
	close(o.listener);
	unlink(path);
}

/* --- tests --- */

/* What two sides agree on, for all ranges of versions they may speak. */
static void
versions_meet_or_refuse(void **state)
{
	for (uint32_t oldest = 1; oldest < 5; oldest++)
		for (uint32_t newest = oldest; newest < 5; newest++)
			for (uint32_t from = 1; from < 6; from++)
				for (uint32_t to = from - 1; to < 6; to++) {
					/* to < from: a peer that names one version */
					Hello h = {.version = from, .newest = to < from ? 0 : to};
					uint32_t last = to < from ? from : to, want;

					want = last < newest ? last : newest;
					want = want >= from && want >= oldest ? want : 0;
					assert_int_equal(
						hello_agree(&h, (Versions){oldest, newest}), want);
					h.version = want;
					assert_int_equal(hello_accepted(&h, (Versions){from, last}),
							 want != 0);
				}
	(void)state;
}

/* A status that came later would end the session of a peer that does not know it. */
static void
older_peers_are_told_what_they_know(void **state)
{
	(void)state;
	for (int s = 0; s < 100; s++) {
		assert_int_equal(status_for(1, (Status)s),
				 s <= STATUS_FORBIDDEN ? s : STATUS_INFEASIBLE);
		assert_int_equal(status_for(PROTOCOL_VERSION, (Status)s), s);
	}
}

static void
peers_of_older_versions_are_served(void **state)
{
	static Script s;
	char path[64];

	(void)state;
	for (int version = PROTOCOL_OLDEST; version <= PROTOCOL_VERSION; version++) {
		snprintf(path, sizeof path, "tests/golden/protocol-%d.txt", version);
		load(&s, path);
		play_client(&s);
		play_agent(&s);
	}
}

/* One round trip: an answer, then the end. */
static void
peers_of_newer_versions_are_told(void **state)
{
	const Hello hello[] = {{.version = PROTOCOL_VERSION + 1},
			       {.version = 9, .newest = 12},
			       {.version = 0},
			       {.version = UINT32_MAX, .newest = UINT32_MAX}};
	Agent a;
	unsigned port = start_agent(&a);

	(void)state;
	for (size_t i = 0; i < sizeof hello / sizeof *hello; i++) {
		int fd = dial(port);
		Message m;
		Frame f;

		send_message(fd, MESSAGE_REQUEST, 1, METHOD_HELLO, &hello[i]);
		assert_true(read_frame(fd, &f));
		assert_int_equal(message_decode(f.bytes + FRAME_HEAD, f.n - FRAME_HEAD, &scan_later,
						&m, NULL),
				 OK);
		assert_int_equal(m.kind, MESSAGE_FAILURE);
		assert_int_equal(m.u.failure.code, -ERR_UNSUPPORTED);
		assert_non_null(strstr(m.u.failure.text, hello[i].version
								 ? "the agent is too old"
								 : "the client is too old"));
		message_fini(&m);
		assert_false(read_frame(fd, &f));
		close(fd);
	}
	agent_kill(&a);
}

/* An agent of a later version that does not speak ours: refused once, by name, and not again. */
static void *
run_future_agent(void *self)
{
	const Failure refusal = {-ERR_UNSUPPORTED, (char *)"this agent speaks 8 to 9"};
	const Hello answer_hello = {.version = 8};
	int listener = *(int *)self;

	for (int i = 0; i < 2; i++) {
		int fd = accept(listener, NULL, NULL);
		Frame f;

		assert_true(read_frame(fd, &f));
		if (i == 0)
			send_message(fd, MESSAGE_FAILURE, f.id, METHOD_HELLO, &refusal);
		else
			send_message(fd, MESSAGE_RESPONSE, f.id, METHOD_HELLO, &answer_hello);
		close(fd);
	}
	return NULL;
}

static void
agents_of_newer_versions_are_not_tried_again(void **state)
{
	pthread_t thread;
	char path[64];
	int listener = listen_at(path);

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, run_future_agent, &listener), 0);
	for (int i = 0; i < 2; i++) {
		RpcClient *c = NULL;
		Err e = {0};

		assert_int_equal(reopen(&c, (RpcWay){.address = path}, 60000, &e), ERR_UNSUPPORTED);
		assert_non_null(strstr(e.msg, i ? "speaks protocol version 8, this program 1 to"
						: "agent refused: this agent speaks 8 to 9"));
	}
	pthread_join(thread, NULL);
	close(listener);
	unlink(path);
}

/* Requests and events of a later version: the former are refused, the latter skipped. */
static void
unknown_methods_and_keys_are_tolerated(void **state)
{
	/* [0, 5, 99, {1: [2, {}]}], [3, 0, 98, {}], and [0, 6, 1 (DEVICE), {77: "x"}] */
	static const uint8_t later[] = {9,    0, 0,    0, 0x94, 0,    5,    99, 0x81, 1,    0x92, 2,
					0x80, 5, 0,    0, 0,    0x94, 3,    0,  98,   0x80, 8,    0,
					0,    0, 0x94, 0, 6,    1,    0x81, 77, 0xa1, 'x'};
	const Hello hello = {.version = 1, .newest = PROTOCOL_VERSION};
	const Frame asked[] = {{.id = 1, .method = METHOD_HELLO},
			       {.id = 5, .method = (Method)99},
			       {.id = 6, .method = METHOD_DEVICE}};
	Seen seen = {0};
	Agent a;
	int fd = dial(start_agent(&a));
	Frame f;

	(void)state;
	send_message(fd, MESSAGE_REQUEST, 1, METHOD_HELLO, &hello);
	send_bytes(fd, later, sizeof later);
	for (int i = 0; i < 3; i++) {
		await_answer(fd, &asked[i], &f, &seen);
		assert_int_equal(f.kind, i == 1 ? MESSAGE_FAILURE : MESSAGE_RESPONSE);
	}
	close(fd);
	agent_kill(&a);
}

static int
make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/hone-proto-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_meet_or_refuse),
		cmocka_unit_test(older_peers_are_told_what_they_know),
		cmocka_unit_test(peers_of_older_versions_are_served),
		cmocka_unit_test(peers_of_newer_versions_are_told),
		cmocka_unit_test(agents_of_newer_versions_are_not_tried_again),
		cmocka_unit_test(unknown_methods_and_keys_are_tolerated),
	};

	const struct CMUnitTest recording[] = {
		cmocka_unit_test_prestate(record, argc == 3 ? argv[2] : NULL),
	};

	if (argc == 3 && !strcmp(argv[1], "--record"))
		return cmocka_run_group_tests(recording, NULL, NULL);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
