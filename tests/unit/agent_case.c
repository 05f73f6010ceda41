/* The small problem, its expectations, and how a batch is run to its end. */
#include "tests/unit/agent_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pack.h"
#include "tests/unit/cc.h"

enum { WAIT_MS = 60000 };

static const char head[] =
	"enum { N = 1000, NW = 16 };\n"
	"#define KERNEL(name) __attribute__((visibility(\"default\"))) int name(\\\n"
	"const void *const *in, void *const *out, void *scratch, int chunk, int chunks)\n"
	"#define X ((const float *)in[0])\n"
	"#define W ((const float *)in[1])\n"
	"#define Y ((float *)out[0])\n"
	"KERNEL(twice)\n"
	"{ const float *w = in[0]; float *d = out[0];\n"
	"  for (int i = 0; i < NW; i++) d[i] = 2 * w[i];\n"
	"  return 0; }\n"
	"KERNEL(good)\n"
	"{ for (int i = 0; i < N; i++) Y[i] = X[i] * W[i % NW];\n"
	"  return 0; }\n";

void
case_image(const char *more, void **image, size_t *size)
{
	Str source = {0};
	char *bytes;

	str_printf(&source, "%s%s", head, more);
	assert_true(cc_image(source.s, "-O2 -Wl,-Bsymbolic", &bytes, size));
	str_fini(&source);
	*image = bytes;
}

/* A description that copies derived constant 1 (after CONST buffer 0) to a pool of its size. */
static void
describe_pack(AgentCase *a, Pool *pool)
{
	uint64_t bytes = CASE_W * sizeof(float), offset = 0;
	uint32_t first[2] = {PACK_MAGIC, 1}, constant = 1, lanes[2] = {1, 0};
	uint8_t kind[4] = {DT_F32, 1, 0, 1}; /* rank 1, no loops, whole */
	double otherwise = 0;
	int64_t dim = CASE_W;
	int32_t lane = 1;
	uint8_t *p = a->pack;

#define PUT(value) (memcpy(p, &(value), sizeof(value)), p += sizeof(value))
	PUT(first);
	PUT(bytes);
	PUT(constant);
	PUT(kind);
	PUT(lanes);
	PUT(offset);
	PUT(otherwise);
	PUT(dim);
	PUT(lane);
#undef PUT
	*pool = (Pool){.kind = POOL_PACK, .bytes = bytes};
	pool->inline_.v = a->pack;
	pool->inline_.n = (uint32_t)(p - a->pack);
}

static void
put(RpcClient *c, const void *data, size_t size, Digest *d)
{
	Err e = {0};

	if (rpc_put_blob(c, data, size, d, &e))
		fail_msg("%s", e.msg);
}

static void
expect_other_values(AgentCase *a, RpcClient *c, const float *w)
{
	Fill fill = a->buffer[CASE_X].fill;
	float x[CASE_N];

	fill.seed = a->buffer[CASE_X].other_seed;
	assert_int_equal(fill_buffer(DT_F32, x, sizeof x, &fill, NULL, 0, NULL), OK);
	for (uint32_t i = 0; i < CASE_N; i++)
		a->other[i] =
			(CheckRecord){CASE_Y, 0, i, (double)(x[i] * (2 * w[i % CASE_W])), 1e-6};
	a->check[2] = (CheckSpec){.kind = CHECK_SAMPLES, .other = true};
	put(c, a->other, sizeof a->other, &a->check[2].blob);
}

static void
expect_right_values(AgentCase *a, RpcClient *c)
{
	float x[CASE_N], w[CASE_W];

	assert_int_equal(fill_buffer(DT_F32, x, sizeof x, &a->buffer[CASE_X].fill, NULL, 0, NULL),
			 OK);
	assert_int_equal(
		fill_buffer(DT_F32, w, sizeof w, &a->buffer[CASE_CONST].fill, NULL, 0, NULL), OK);
	for (uint32_t i = 0; i < CASE_N; i++)
		a->y[i] = x[i] * (2 * w[i % CASE_W]);
	for (uint32_t i = 0; i < CASE_RECORDS; i++) {
		uint32_t at = i % CASE_N;

		a->record[i] = (CheckRecord){CASE_Y, 0, at, (double)a->y[at], 1e-6};
	}
	a->check[0] = (CheckSpec){.kind = CHECK_SAMPLES};
	put(c, a->record, sizeof a->record, &a->check[0].blob);
	a->all = (Nest){.rank = 1, .count = {CASE_N}, .stride = {1}};
	a->check[1] = (CheckSpec){.kind = CHECK_WRITTEN, .buffer = CASE_Y, .nests = {&a->all, 1}};
	expect_other_values(a, c, w);
}

void
case_init(AgentCase *a, RpcClient *c, const char *more)
{
	Fill x = {.kind = FILL_RANDOM, .seed = 5, .lo = -1, .hi = 1};
	Fill w = {.kind = FILL_RANDOM, .seed = 6, .lo = 0.5, .hi = 2};
	Fill y = {.kind = FILL_POISON};
	void *image;
	size_t size;

	*a = (AgentCase){
		.buffer = {{ROLE_IN, DT_F32, CASE_N * sizeof(float), x, .other_seed = 7},
			   {ROLE_CONST, DT_F32, CASE_W * sizeof(float), w},
			   {ROLE_OUT, DT_F32, CASE_N * sizeof(float), y}},
		.twice = {"twice"},
		.derived = {CASE_W * sizeof(float)},
	};
	a->batch.id = 1;
	a->batch.buffers.v = a->buffer;
	a->batch.buffers.n = 3;
	a->batch.checks.v = a->check;
	a->batch.checks.n = 3;
	a->batch.candidates.v = a->candidate;
	a->batch.measure = (MeasureSpec){.warmup = 1, .min_runs = 10, .max_runs = 10};
	expect_right_values(a, c);
	case_image(more, &image, &size);
	put(c, image, size, &a->batch.image);
	free(image);
}

Candidate *
case_add(AgentCase *a, char **symbol)
{
	Candidate *k = &a->candidate[a->batch.candidates.n++];

	*k = (Candidate){.id = a->batch.candidates.n, .deadline_ms = 1000};
	k->phases.v = symbol;
	k->phases.n = 1;
	k->prepare.v = a->twice;
	k->prepare.n = 1;
	k->derived.v = a->derived;
	k->derived.n = 1;
	describe_pack(a, &k->pool);
	return k;
}

void
case_collect(const AgentCase *a, RpcClient *c, Outcomes *o)
{
	Err e = {0};

	*o = (Outcomes){0};
	for (;;) {
		RpcEvent event;
		int rc = rpc_wait(c, WAIT_MS, &event, &e);
		Result *r;

		if (rc)
			fail_msg("wait: %d %s", rc, e.msg);
		if (event.kind == RPC_BATCH_DONE) {
			o->done = event.done;
			break;
		}
		assert_int_equal(event.result.batch, a->batch.id);
		assert_in_range(event.result.candidate, 1, a->batch.candidates.n);
		r = &o->result[event.result.candidate - 1];
		assert_int_equal(r->batch, 0); /* only one for each */
		*r = event.result;
	}
	assert_int_equal(o->done.batch, a->batch.id);
	assert_int_equal(o->done.results, a->batch.candidates.n);
	for (uint32_t i = 0; i < a->batch.candidates.n; i++)
		assert_int_equal(o->result[i].batch, a->batch.id);
}

void
case_run(AgentCase *a, RpcClient *c, Outcomes *o)
{
	Err e = {0};

	if (rpc_submit(c, &a->batch, &e))
		fail_msg("submit: %s", e.msg);
	case_collect(a, c, o);
}

void
outcomes_fini(Outcomes *o)
{
	for (uint32_t i = 0; i < CANDIDATES_MAX; i++)
		result_fini(&o->result[i]);
}

void
case_expect(const Outcomes *o, uint32_t i, Status status, const char *text)
{
	const Result *r = &o->result[i];

	if (r->status != status || !strstr(r->reason, text))
		fail_msg("candidate %u: %s \"%s\", expected %s \"...%s...\"", i,
			 status_name(r->status), r->reason, status_name(status), text);
}

RpcClient *
case_agent(void)
{
	RpcClient *c;
	Err e = {0};

	if (rpc_start_local(AGENT, &c, &e))
		fail_msg("%s", e.msg);
	return c;
}

void
case_works(RpcClient *c)
{
	static char *good[] = {"good"};
	AgentCase a;
	Outcomes o;

	case_init(&a, c, "");
	case_add(&a, good);
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	outcomes_fini(&o);
}
