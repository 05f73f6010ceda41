/* chain: the convolutions of ResNet-50 one after the other, each with weights of its own, so that
 * weights are cold as in the network. What lies between them is left out: pooling, and the residual
 * additions, which the network's own Tasks have in their epilogues.
 *
 *   direct    each layer has the best direct kernel of a search of its own. The time of the chain
 *             against the multiply-add bound of the same moment, and against the sum of the times
 *             that the agent measured for each layer alone with cold constants.
 *   winograd  the layers that a Winograd rewrite takes: the sum of their cold times with the best
 *             of those kernels against the sum with the best direct ones.
 *
 * Both use the kernels of one search. Weights are of order sqrt(2 / terms), so that values neither
 * vanish nor overflow on their way.
 *
 * Usage: chain [--json] [--trials N] [--kept FILE] [direct] [winograd]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/image.h"
#include "base/median.h"
#include "bench/layers.h"
#include "bench/support.h"
#include "codegen/link.h"
#include "graph/memory.h"

enum { OPERANDS_MAX = 8, ROUNDS = 15, RUNS = 9, TASKS_MAX = 128, STEPS_MAX = 128, SLACK = 64 };

static const double BOUND_GATE = 92, SUM_GATE = 2, WINOGRAD_GATE = 45;

typedef int Phase(const void *const *in, void *const *out, void *scratch, int chunk, int chunks);

/* One layer of the chain: a step of the Plan. */
typedef struct Link {
	int task, nphase;
	Phase *phase[8];
	Image *image;
	const void *in[OPERANDS_MAX];
	void *out[OPERANDS_MAX], *scratch;
	double ns[ROUNDS]; /* in the chain, when every layer is timed */
} Link;

typedef struct Chain {
	Layers l;
	int nlink;
	Link link[STEPS_MAX];
	unsigned char **buffer; /* of the Plan */
	double weights;         /* bytes */
	bool taken[TASKS_MAX];
	LayerTime direct[TASKS_MAX], winograd[TASKS_MAX];
	double alone[TASKS_MAX][ROUNDS], peak_alone[ROUNDS]; /* ns; mean over the layers */
	double run[ROUNDS], peak[ROUNDS];
} Chain;

static bool
is_convolution(const Layers *l, int task)
{
	return layers_node(l, task)->op == OP_Conv && layers_flops(l, task) > 0;
}

/* --- the graph --- */

/* Another output of the graph: the mean of v over its plane. */
static int
add_mean(Graph *g, int v, Err *e)
{
	const int64_t axes[] = {2, 3}, keep = 1;
	const KAttr attr[] = {attr_ints(ATTR_axes, axes, 2), attr_int(ATTR_keepdims, &keep)};
	NodeSpec mean = {.op = OP_ReduceMean, .nin = 1, .in = &v, .nattr = 2, .attr = attr};
	int out = graph_add(g, &mean, e);

	if (out >= 0)
		vec_push(g->arena, &g->output, out);
	return out < 0 ? out : OK;
}

/* Residual additions are glue: what they add to goes on in their place. A projection, which nothing
 * reads then, gets a mean over its plane as a reader: as an output it would lose its layout. */
static int
without_additions(Graph *g, Err *e)
{
	int most = g->value.n + g->node.n, rc = OK; /* a mean for a node at most */
	int *to = ARENA_ARRAY(g->arena, int, most);

	for (int i = 0; i < most; i++)
		to[i] = i;
	for (int i = 0, n = g->node.n; i < n && !rc; i++) {
		const Node *add = &g->node.v[i];
		int other = add->op == OP_Add ? add->in[1] : NO_VALUE;
		int from = other == NO_VALUE ? NO_NODE : g->value.v[other].producer;

		if (other == NO_VALUE || from == NO_NODE)
			continue;
		to[add->out[0]] = add->in[0];
		if (g->node.v[from].op == OP_Conv)
			rc = add_mean(g, other, e);
	}
	graph_remap(g, to);
	return rc;
}

/* --- building --- */

/* Memory of a buffer of the Plan: another's when it is a view. */
static int
root_of(const Plan *p, int buffer)
{
	while (p->buffer.v[buffer].view_of >= 0)
		buffer = p->buffer.v[buffer].view_of;
	return buffer;
}

static void
live_at(const Chain *c, MemoryItem *item, int buffer, int step, bool written)
{
	MemoryItem *m = buffer < 0 ? NULL : &item[root_of(c->l.plan, buffer)];

	if (!m)
		return;
	if (!m->bytes)
		*m = (MemoryItem){c->l.plan->buffer.v[root_of(c->l.plan, buffer)].bytes + SLACK,
				  written ? step : 0, written ? step : c->l.plan->step.n, 0};
	m->last = step > m->last ? step : m->last;
}

/* Where the buffers lie: as in the network, so that a layer finds its inputs in the caches as
 * there. What no layer of the chain writes is live all the time. */
static void
place_buffers(Chain *c)
{
	const Plan *p = c->l.plan;
	MemoryItem *item = ARENA_ARRAY(c->l.arena, MemoryItem, p->buffer.n);
	MemoryPlan plan;
	unsigned char *base;

	for (int i = 0; i < p->step.n; i++) {
		const Step *s = &p->step.v[i];

		if (s->kind != STEP_TASK || !c->taken[s->task])
			continue;
		for (int k = 0; k < s->in.n; k++)
			live_at(c, item, s->in.v[k], i, false);
		for (int k = 0; k < s->out.n; k++)
			live_at(c, item, s->out.v[k], i, true);
	}
	plan = memory_plan(item, p->buffer.n, c->l.arena);
	base = arena_alloc(c->l.arena, plan.bytes + MEMORY_ALIGN);
	base += (MEMORY_ALIGN - (uintptr_t)base % MEMORY_ALIGN) % MEMORY_ALIGN;
	rng_fill(DT_F32, base, plan.bytes / 4, 1, -1, 1);
	c->buffer = ARENA_ARRAY(c->l.arena, unsigned char *, p->buffer.n);
	for (int i = 0; i < p->buffer.n; i++)
		c->buffer[i] = base + item[root_of(p, i)].offset;
}

/* Contents of the constants: weights of rank above 1 keep the variance of what passes. */
static const void **
make_constants(Chain *c, const Task *t, uint64_t seed)
{
	const void **given = ARENA_ARRAY(c->l.arena, const void *, t->tensor.n);
	int n = 0;

	for (int i = 0; i < t->tensor.n; i++) {
		const TaskTensor *x = &t->tensor.v[i];
		double terms = 1, range = 0.1;
		int64_t count = tensor_count(x);
		void *v;

		if (x->kind != TENSOR_CONST || tensor_is_made(t, i))
			continue;
		for (int d = 1; d < x->rank; d++)
			terms *= (double)x->dim[d];
		if (x->rank > 1)
			range = sqrt(6 / terms);
		v = arena_alloc(c->l.arena, (size_t)count * dtype_size(x->type));
		rng_fill(x->type, v, (size_t)count, seed + (uint64_t)i, -range, range);
		given[n++] = v;
	}
	return given;
}

static int
load_code(Chain *c, Link *k, const Loop *loop, Err *e)
{
	Arena *a = c->l.arena;
	LinkInput obj;
	const void *bytes;
	size_t size;
	Code code;
	int rc;

	if ((rc = emit(c->l.emit, loop, "k", a, &code, e)))
		return rc;
	obj = (LinkInput){code.bytes, code.size};
	if ((rc = link_objects(&obj, 1, LINK_IMAGE, a, &bytes, &size, e)) ||
	    (rc = image_open(bytes, size, &k->image, e)))
		return rc;
	if (code.nsymbol > (int)(sizeof k->phase / sizeof *k->phase))
		return err_set(e, ERR_INTERNAL, "a kernel of %d phases", code.nsymbol);
	for (k->nphase = 0; k->nphase < code.nsymbol; k->nphase++) {
		void *p = image_symbol(k->image, code.symbol[k->nphase]);

		memcpy(&k->phase[k->nphase], &p, sizeof p);
	}
	return OK;
}

static void
connect(Chain *c, Link *k, const Step *s, const Lowered *low, void *pool)
{
	for (int i = 0; i < s->in.n; i++)
		k->in[i] = c->buffer[s->in.v[i]];
	for (int i = 0; i < s->out.n; i++)
		k->out[i] = c->buffer[s->out.v[i]];
	k->in[s->in.n] = pool;
	k->scratch = arena_alloc(c->l.arena, (size_t)low->loop->scratch_bytes + MEMORY_ALIGN);
	k->scratch = (unsigned char *)k->scratch +
		     (MEMORY_ALIGN - (uintptr_t)k->scratch % MEMORY_ALIGN) % MEMORY_ALIGN;
}

static int
add_link(Chain *c, const Step *s, Err *e)
{
	const PlanTask *p = &c->l.plan->task.v[s->task];
	Link *k = &c->link[c->nlink];
	char why[LOWER_WHY_MAX];
	Lowered low;
	void *pool;
	int rc;

	if (c->nlink == STEPS_MAX || s->in.n >= OPERANDS_MAX || s->out.n > OPERANDS_MAX)
		return err_set(e, ERR_INTERNAL, "too many layers or operands");
	*k = (Link){.task = s->task};
	if ((rc = lowered_from_text(c->l.arena, p->task, &p->form, c->direct[s->task].text,
				    &c->l.target, &low, why, e)) ||
	    (rc = load_code(c, k, low.loop, e)) ||
	    (rc = lowered_pool(c->l.arena, &low, c->l.emit,
			       make_constants(c, low.task, (uint64_t)c->nlink * 100), &pool, e)))
		return rc;
	c->weights += (double)low.loop->pool_bytes;
	connect(c, k, s, &low, pool);
	c->nlink++;
	return OK;
}

static int
build_chain(Chain *c, Err *e)
{
	int rc = OK;

	place_buffers(c);
	for (int i = 0; i < c->l.plan->step.n && !rc; i++) {
		const Step *s = &c->l.plan->step.v[i];

		if (s->kind == STEP_TASK && c->taken[s->task])
			rc = add_link(c, s, e);
	}
	return rc;
}

/* --- measuring --- */

static int
search(Chain *c, int trials, bool winograd, Err *e)
{
	int rc = OK;

	for (int i = 0; i < c->l.plan->task.n && i < TASKS_MAX && !rc; i++) {
		LayerTime untuned;

		c->taken[i] = is_convolution(&c->l, i);
		if (!c->taken[i])
			continue;
		rc = layer_search(&c->l, i, "direct", MEASURE_COLD, trials, &c->direct[i], &untuned,
				  e);
		if (!rc && winograd)
			rc = layer_search(&c->l, i, "winograd", MEASURE_COLD, trials,
					  &c->winograd[i], &untuned, e);
		if (!rc && !c->direct[i].text)
			rc = err_set(e, ERR_CHECK, "%s: no kernel", layers_label(&c->l, i));
	}
	return rc;
}

static void
run_once(Chain *c, int round) /* round < 0: the layers are not timed */
{
	for (int i = 0; i < c->nlink; i++) {
		Link *k = &c->link[i];
		uint64_t began = round < 0 ? 0 : clock_ns();

		for (int p = 0; p < k->nphase; p++)
			k->phase[p](k->in, k->out, k->scratch, 0, 1);
		if (round >= 0)
			k->ns[round] = (double)(clock_ns() - began);
	}
}

static void
time_chain(Chain *c, int round)
{
	double ns[RUNS], peak = 0;

	run_once(c, -1);
	for (int i = 0; i < RUNS; i++) {
		uint64_t began;

		peak += bench_peak_gflops();
		began = clock_ns();
		run_once(c, -1);
		ns[i] = (double)(clock_ns() - began);
	}
	c->peak[round] = (peak + bench_peak_gflops()) / (RUNS + 1);
	c->run[round] = median_sorting(ns, RUNS);
	run_once(c, round);
}

static int
time_alone(Chain *c, int round, Err *e)
{
	double peak = 0;
	int rc = OK, n = 0;

	for (int i = 0; i < c->l.plan->task.n && !rc; i++) {
		LayerTime t;

		if (!c->taken[i])
			continue;
		if ((rc = layer_time(&c->l, i, c->direct[i].text, MEASURE_COLD, &t, e)))
			return rc;
		c->alone[i][round] = t.ns;
		peak += t.peak;
		n++;
	}
	c->peak_alone[round] = peak / n;
	return rc;
}

/* --- figures --- */

static void
print_figure(const char *name, double figure, double gate, bool ok, bool json, const char *text)
{
	if (json)
		printf("{\"rung\":\"chain\",\"name\":\"%s\",\"figure\":%.4f,\"gate\":%.2f,"
		       "\"ok\":%s%s}\n",
		       name, figure / 100, gate / 100, ok ? "true" : "false", text);
	else
		printf("%-28s %6.1f %%  gate %2.0f %%  %-5s %s\n", name, figure, gate,
		       ok ? "ok" : "below", text);
}

static void
print_layer(Chain *c, int task, bool json)
{
	int uses = 0;
	double ns = 0, flops = layers_flops(&c->l, task), alone, peak;
	double v[ROUNDS];
	char sched[160];

	for (int i = 0; i < c->nlink; i++)
		if (c->link[i].task == task) {
			ns += median_sorting(c->link[i].ns, ROUNDS);
			uses++;
		}
	ns /= uses;
	memcpy(v, c->peak_alone, sizeof v);
	peak = median_sorting(v, ROUNDS);
	memcpy(v, c->alone[task], sizeof v);
	alone = median_sorting(v, ROUNDS);
	bench_one_line(c->direct[task].text, sched, sizeof sched);
	if (json)
		printf("{\"rung\":\"chain\",\"name\":\"layer\",\"layer\":\"%s\",\"uses\":%d,"
		       "\"chain_us\":%.2f,\"alone_us\":%.2f,\"alone_share\":%.4f,\"sched\":\"%s\"}"
		       "\n",
		       layers_label(&c->l, task), uses, ns / 1e3, alone / 1e3, flops / alone / peak,
		       sched);
	else
		printf("%-30s x%d  in chain %7.1f us  alone %7.1f us  %5.1f %%  [%s]\n",
		       layers_label(&c->l, task), uses, ns / 1e3, alone / 1e3,
		       100 * flops / alone / peak, sched);
}

static void
report_direct(Chain *c, bool json)
{
	double bound[ROUNDS], sum[ROUNDS], run[ROUNDS], flops = 0, a, b;
	char text[160];

	for (int i = 0; i < c->nlink; i++)
		flops += layers_flops(&c->l, c->link[i].task);
	for (int r = 0; r < ROUNDS; r++) {
		double alone = 0;

		for (int i = 0; i < c->nlink; i++)
			alone += c->alone[c->link[i].task][r];
		bound[r] = 100 * flops / c->peak[r] / c->run[r];
		/* Both in cycles: the clock moves between the two. */
		sum[r] = 100 * (c->run[r] * c->peak[r] / (alone * c->peak_alone[r]) - 1);
		run[r] = c->run[r];
	}
	for (int i = 0; i < c->l.plan->task.n; i++)
		if (c->taken[i])
			print_layer(c, i, json);
	snprintf(text, sizeof text,
		 json ? ",\"layers\":%d,\"weights\":%.0f,\"ms\":%.3f,\"peak\":%.1f"
		      : "(%d layers, %.0f bytes of weights, %.2f ms, peak %.1f)",
		 c->nlink, c->weights, median_sorting(run, ROUNDS) / 1e6, c->peak[0]);
	a = median_sorting(bound, ROUNDS);
	b = median_sorting(sum, ROUNDS);
	print_figure("chain of the bound", a, BOUND_GATE, a >= BOUND_GATE, json, text);
	print_figure("chain beyond its layers", b, SUM_GATE, fabs(b) <= SUM_GATE, json, "");
}

static int
direct(Chain *c, bool json, Err *e)
{
	int rc = build_chain(c, e);

	for (int r = 0; r < ROUNDS && !rc; r++) {
		rc = time_alone(c, r, e);
		time_chain(c, r);
	}
	if (!rc)
		report_direct(c, json);
	return rc;
}

/* Ratio of cold times, layer by layer in turns and each against its own calibration. */
static int
winograd(Chain *c, bool json, Err *e)
{
	double with = 0, without = 0, share;
	int layers = 0, rc = OK;

	for (int i = 0; i < c->l.plan->task.n && !rc; i++) {
		const char *label = layers_label(&c->l, i);
		double a[ROUNDS], b[ROUNDS];
		LayerTime t = {0};
		int uses = c->l.plan->task.v[i].uses;

		if (!c->taken[i] || !c->winograd[i].text)
			continue;
		for (int r = 0; r < ROUNDS && !rc; r++) {
			rc = layer_time(&c->l, i, c->direct[i].text, MEASURE_COLD, &t, e);
			a[r] = t.ns * t.peak;
			if (!rc)
				rc = layer_time(&c->l, i, c->winograd[i].text, MEASURE_COLD, &t, e);
			b[r] = t.ns * t.peak;
		}
		if (rc)
			break;
		without += uses * median_sorting(a, ROUNDS);
		with += uses * median_sorting(b, ROUNDS);
		layers += uses;
		printf(json ? "{\"rung\":\"chain\",\"name\":\"winograd layer\",\"layer\":\"%s\","
			      "\"uses\":%d,\"figure\":%.4f,\"winograd_us\":%.1f,\"rewrite\":\"%.*"
			      "s\"}\n"
			    : "%-30s x%d  %.3f of direct: %.1f us by %.*s\n",
		       label, uses, median_sorting(b, ROUNDS) / median_sorting(a, ROUNDS),
		       t.ns / 1e3, (int)strcspn(c->winograd[i].text, "\n"), c->winograd[i].text);
	}
	share = layers ? 100 * with / without : 0;
	if (!rc)
		print_figure("winograd of direct", share, WINOGRAD_GATE,
			     layers && share <= WINOGRAD_GATE, json, "");
	return rc;
}

/* Denormals are zero, as the product sets it. */
static void
flush_denormals(void)
{
#if defined(__x86_64__)
	__builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#endif
}

static void
close_chain(Chain *c)
{
	for (int i = 0; i < c->nlink; i++)
		image_close(c->link[i].image);
	layers_close(&c->l);
}

int
main(int argc, char **argv)
{
	bool json = bench_flag(&argc, argv, "--json");
	int trials = bench_number(&argc, argv, "--trials", 64), rc;
	const char *kept = bench_text(&argc, argv, "--kept");
	bool wino = bench_wanted("winograd", argc - 1, argv + 1);
	Chain c = {0};
	Err e = {0};

	flush_denormals();
	if (!(rc = layers_open(&c.l, NULL, &e)))
		rc = layers_of_model(&c.l, "resnet50", without_additions, &e);
	c.l.kept = kept;
	if (!rc)
		rc = search(&c, trials, wino, &e);
	if (!rc && bench_wanted("direct", argc - 1, argv + 1))
		rc = direct(&c, json, &e);
	if (!rc && wino)
		rc = winograd(&c, json, &e);
	if (rc)
		fprintf(stderr, "chain: %s\n", e.msg);
	close_chain(&c);
	return rc ? err_exit_code(rc) : 0;
}
