/* Random (Task, Form, Sched) on random Targets of this machine against the oracle: operands lie
 * against unreadable pages on either side; outputs, borders and scratch start as NaN. The same
 * kernel shared among threads, in any number of chunks, gives the same bytes.
 *
 * Usage: test_random [SEED [N]]: runs N kernels (300, or 100 where HONE_TEST_QUICK is set) drawn
 * from the seeds SEED, SEED + 1... (1).
 * What the lowering refuses is drawn again and counted by reason. A failure, a crash included,
 * prints its seed and the three texts; test_random SEED 1 repeats it. It is a failure too when none
 * of at least 300 kernels met one of the rules of the lowering.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "search_space/rewrite.h"
#include "tests/support/draw.h"
#include "tests/support/host.h"
#include "tests/support/kernel_run.h"

enum {
	TARGETS_MAX = 8,
	REASONS_MAX = 100,
	REWRITES_MAX = 16,
	DRAW_SECONDS = 120, /* of processor time; others may take most of the machine's */
	WAIT_SECONDS = 1800,
	THREADS = 4,
	KERNELS = 300, /* that meet every rule */
	KERNELS_QUICK = 100,
};

/* What a kernel can meet; each must be met. */
#define RULE_LIST(X)                                              \
	X(REMAINDER, "a step that leaves a remainder")            \
	X(SPLAT, "a load that is the same for all lanes")         \
	X(VECTOR, "a load of lanes side by side")                 \
	X(APART, "a load of lanes apart")                         \
	X(PARTIAL, "a load or store of some lanes")               \
	X(PACKED, "packed constants")                             \
	X(ACCUMULATOR, "accumulators around a loop")              \
	X(PARTIALS, "several accumulators that take turns (par)") \
	X(REDUCE, "lanes that are reduced")                       \
	X(DOT, "lanes shared with terms (dot)")                   \
	X(INLINE, "an inline stage")                              \
	X(FUSE, "shared loops (fuse)")                            \
	X(STRIPS, "a Task cut into strips, with room for one")    \
	X(OWN, "a temporary of each chunk")                       \
	X(GUARD_LOAD, "a guarded load")                           \
	X(GUARD_STORE, "a conditional store")                     \
	X(PEEL, "peeled loops where loads have guards")           \
	X(BORDER, "a border that is written")                     \
	X(BLOCK, "a blocked Form")                                \
	X(FOREIGN, "slack of others")                             \
	X(PREFETCH, "prefetched constants")                       \
	X(IN_PLACE, "an output in the memory of an input")        \
	X(PHASES, "several phases")                               \
	X(DEALT, "loops dealt to chunks")                         \
	X(IN_PLACE_DEALT, "chunks of an output in the memory of an input")

typedef enum Rule {
#define X(name, text) RULE_##name,
	RULE_LIST(X)
#undef X
		RULES
} Rule;

static const char *const rule_text[] = {
#define X(name, text) text,
	RULE_LIST(X)
#undef X
};

typedef struct Count {
	char what[LOWER_WHY_MAX];
	int n;
} Count;

typedef struct Session {
	Emit *m[TARGETS_MAX], *shared[TARGETS_MAX]; /* shared: for THREADS threads */
	Target target[TARGETS_MAX];
	int ntarget, ran, failed;
	int met[RULES], rewritten[REWRITES_MAX]; /* kernels; rewritten: by number in rewrites() */
	Count refused[REASONS_MAX], family[REASONS_MAX];
} Session;

/* What is being run, for the signal handler. */
static struct {
	unsigned long long seed;
	const char *target;
	Str text;
} now;

static void
say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

static void
report(const char *what, const char *detail)
{
	char head[512];

	snprintf(head, sizeof head, "FAIL test_random %llu 1 on %s: %s %s\n", now.seed, now.target,
		 what, detail);
	say(head);
	say(str_get(&now.text));
}

static void
on_signal(int sig)
{
	report(sig == SIGALRM || sig == SIGPROF ? "hangs" : "dies", "");
	_exit(1);
}

/* One draw that computes for too long hangs, and one that waits for ever. */
static void
begin_draw(void)
{
	const struct itimerval most = {.it_value = {.tv_sec = DRAW_SECONDS}};

	setitimer(ITIMER_PROF, &most, NULL);
	alarm(WAIT_SECONDS);
}

/* Numbers become #, so that equal reasons count together. */
static void
count(Count *list, const char *what)
{
	char key[LOWER_WHY_MAX];
	size_t n = 0;

	for (const char *p = what; *p && n + 1 < sizeof key;) {
		size_t digits = strspn(p, "0123456789");

		key[n++] = digits ? '#' : *p;
		p += digits ? digits : 1;
	}
	key[n] = 0;
	for (int i = 0; i < REASONS_MAX; i++)
		if (!list[i].n || !strcmp(list[i].what, key)) {
			memcpy(list[i].what, key, n + 1);
			list[i].n++;
			return;
		}
}

static void
print_counts(const char *title, const Count *list)
{
	printf("%s\n", title);
	for (int i = 0; i < REASONS_MAX && list[i].n; i++)
		printf("%6d %s\n", list[i].n, list[i].what);
}

/* What was drawn: where it runs and what it is. */
typedef struct Drawn {
	int at; /* target */
	Task *t;
	TaskForm f;
	char *sched;
	GuardSide side;
	Arena *a;
} Drawn;

static bool
has_own(const Loop *l)
{
	for (int i = 0; i < l->root.n; i++)
		if (l->root.v[i].stride)
			return true;
	return false;
}

static void
meet_nodes(bool met[RULES], const Loop *l)
{
	for (int i = 0; i < l->node.n; i++) {
		const LoopNode *n = &l->node.v[i];
		bool memory = n->op == LOOP_LOAD || n->op == LOOP_STORE;
		bool near = n->k2 == (int64_t)dtype_size(n->mem);

		met[RULE_SPLAT] |= n->op == LOOP_SPLAT && l->node.v[n->a].op == LOOP_LOAD;
		met[RULE_VECTOR] |= n->op == LOOP_LOAD && n->lanes > 1 && near;
		met[RULE_APART] |= n->op == LOOP_LOAD && n->lanes > 1 && !near;
		met[RULE_PARTIAL] |= memory && n->valid < n->lanes;
		met[RULE_GUARD_LOAD] |= n->op == LOOP_LOAD && n->c;
		met[RULE_GUARD_STORE] |= n->op == LOOP_STORE && n->c;
		met[RULE_REDUCE] |= n->op == LOOP_REDUCE;
		met[RULE_PREFETCH] |= n->op == LOOP_PREFETCH;
	}
	met[RULE_PACKED] = l->seg.n > 0;
	met[RULE_ACCUMULATOR] = l->acc.n > 0;
	met[RULE_PHASES] = l->phase.n > 1;
}

static bool
has_else(const Task *t, int stage)
{
	for (int i = 0; i < t->expr.n; i++)
		if (t->expr.v[i].op == EXPR_LOAD && t->expr.v[i].has_else &&
		    stage_reads(t, stage, t->expr.v[i].tensor))
			return true;
	return false;
}

static void
meet_stage(bool met[RULES], const Task *t, int stage, const StageSched *q, bool reduces)
{
	const Stage *s = &t->stage.v[stage];

	met[RULE_INLINE] |= q->inlined;
	met[RULE_DOT] |= q->dot != TASK_NONE;
	met[RULE_PARTIALS] |= q->par > 1 && reduces;
	met[RULE_PEEL] |= q->peel && has_else(t, stage);
	for (int i = 0; i < q->n; i++)
		met[RULE_REMAINDER] |= s->axis[q->split[i].axis].extent % q->split[i].step != 0;
}

/* Counts what the kernel met. */
static void
meet(Session *s, const KernelRun *k, const char *sched, Arena *a)
{
	bool met[RULES] = {0};
	Err e = {0};
	Sched q;

	if (sched_parse(sched, k->t, a, &q, &e))
		return;
	meet_nodes(met, k->loop);
	for (int i = 0; i < k->t->stage.n; i++)
		if (!stage_is_const(k->t, i))
			meet_stage(met, k->t, i, &q.stage[i], k->loop->acc.n > 0);
	met[RULE_FUSE] = q.nfuse > 0;
	met[RULE_STRIPS] = k->f.room > 0;
	for (int i = 0; i < k->t->tensor.n; i++) {
		const Form *f = &k->f.v[i];

		met[RULE_BLOCK] |= f->block_dim != TASK_NONE;
		met[RULE_FOREIGN] |= f->foreign != 0;
		met[RULE_BORDER] |= k->t->tensor.v[i].kind == TENSOR_OUT && form_has_border(f);
	}
	for (int i = 0; i < RULES; i++)
		s->met[i] += met[i];
	for (int i = 0; rewrites()[i]; i++)
		s->rewritten[i] += !strcmp(rewrites()[i]->name, q.rewrite);
}

/* How many kernels met each rule and rewrite; false where there should be one and is none. */
static bool
print_met(const Session *s, bool wanted)
{
	bool all = true;

	printf("met:\n");
	for (int i = 0; i < RULES; i++) {
		printf("%6d %s\n", s->met[i], rule_text[i]);
		all &= s->met[i] > 0;
	}
	for (int i = 0; rewrites()[i]; i++) {
		printf("%6d rewritten: %s\n", s->rewritten[i], rewrites()[i]->name);
		all &= s->rewritten[i] > 0;
	}
	if (wanted && !all)
		printf("FAIL one of these was never met\n");
	return all || !wanted;
}

/* Once more with an output in the memory of an input, where that is allowed. */
static void
run_in_place(Session *s, KernelRun *k, const Drawn *d, int chunks, bool together)
{
	const Task *t = d->t;

	for (int in = 0; in < t->tensor.n; in++)
		for (int out = 0; out < t->tensor.n; out++) {
			if (!task_may_overwrite(t, &d->f, in, out))
				continue;
			s->met[chunks > 1 ? RULE_IN_PLACE_DEALT : RULE_IN_PLACE]++;
			if (!kernel_run_overwrite(k, in, out, chunks, together)) {
				report("wrong in place", t->tensor.v[in].name);
				s->failed++;
			}
			return;
		}
}

static void
run_shared(Session *s, const Drawn *d, Rng *r, const void *want)
{
	int chunks = (int)draw_int(r, 1, THREADS), rc;
	bool together = draw_chance(r, 50);
	char why[LOWER_WHY_MAX] = "", detail[192] = "";
	const void *got;
	KernelRun k;
	Err e = {0};
	size_t n;

	rc = kernel_run_open(&k, d->a, s->shared[d->at], d->t, &d->f, d->sched, d->side, now.seed,
			     why, &e);
	if (rc) {
		report("shared:", e.code ? e.msg : why);
		s->failed++;
		return;
	}
	if (k.loop->threads > 1) {
		kernel_run_poison(&k);
		rc = kernel_run_chunks(&k, chunks, together);
		s->met[RULE_DEALT]++;
		s->met[RULE_OWN] += has_own(k.loop);
		got = kernel_run_outputs(&k, &n);
		snprintf(detail, sizeof detail, "%d, answer %d", chunks, rc);
		if (rc || memcmp(got, want, n)) {
			report("other bytes from chunks:", detail);
			s->failed++;
		} else if (chunks > 1) {
			run_in_place(s, &k, d, chunks, together);
		}
	}
	kernel_run_close(&k);
}

static void
run_kernel(Session *s, KernelRun *k, const Drawn *d, Rng *r)
{
	size_t n;

	char detail[192];
	KernelCheck c;
	int rc;

	kernel_run_poison(k);
	rc = kernel_run_call(k);
	c = kernel_run_check(k, 300, now.seed);
	if (!rc && c.worst <= 1) {
		run_shared(s, d, r, kernel_run_outputs(k, &n));
		run_in_place(s, k, d, 1, false);
		return;
	}
	snprintf(detail, sizeof detail, "%.3g times the error allowed: %s", c.worst, c.where);
	report(rc ? "returns an error" : "wrong:", detail);
	s->failed++;
}

/* Cuts the Task into strips where that can be; the room that one strip needs, else 0. */
static size_t
draw_strips(Rng *r, Drawn *d)
{
	Task *cut = task_copy(d->a, d->t);
	size_t room;

	if (!draw_chance(r, 50) || task_cut(cut, draw_int(r, 1, 5), &room))
		return 0;
	d->t = cut;
	str_clear(&now.text);
	task_print(cut, &now.text);
	return room;
}

/* Draws the three texts into now.text; false when a text is not even legal. */
static bool
draw(Rng *r, Drawn *d, const char **family, Err *e)
{
	Arena *a = d->a;
	Str text = {0};
	size_t room;
	int rc;

	*family = draw_task(r, &now.text);
	rc = task_parse(str_get(&now.text), a, &d->t, e);
	if (!rc) {
		room = draw_strips(r, d);
		draw_form(r, room, d->t, &text);
		str_add(&now.text, str_get(&text));
		rc = task_form_parse(str_get(&text), d->t, a, &d->f, e);
	}
	str_clear(&text);
	if (!rc) {
		draw_sched(r, a, d->t, &d->f, &text);
		str_printf(&now.text, "sched\n%s", str_get(&text));
		d->sched = arena_copy(a, str_get(&text), text.n + 1);
	}
	str_fini(&text);
	return !rc;
}

static void
run_seed(Session *s, unsigned long long seed)
{
	Drawn d = {.a = arena_new()};
	const char *family;
	char why[LOWER_WHY_MAX] = "";
	KernelRun k;
	Err e = {0};
	Rng r;
	int rc = ERR_INPUT;

	rng_init(&r, seed);
	d.at = (int)draw_int(&r, 0, s->ntarget - 1);
	now.seed = seed;
	now.target = s->target[d.at].name;
	str_clear(&now.text);
	begin_draw();
	if (draw(&r, &d, &family, &e)) {
		d.side = draw_chance(&r, 50) ? GUARD_BEFORE : GUARD_AFTER;
		rc = kernel_run_open(&k, d.a, s->m[d.at], d.t, &d.f, d.sched, d.side, seed, why,
				     &e);
	}
	if (rc == NOT_APPLICABLE || rc == ERR_UNSUPPORTED) {
		count(s->refused, rc == NOT_APPLICABLE ? why : e.msg);
	} else if (rc) {
		report("error:", e.msg);
		s->failed++;
	} else {
		run_kernel(s, &k, &d, &r);
		meet(s, &k, d.sched, d.a);
		kernel_run_close(&k);
		count(s->family, family);
		s->ran++;
	}
	arena_free(d.a);
}

static bool
add_targets(Session *s, const char *const *name)
{
	Err e = {0};

	for (; *name; name++, s->ntarget++)
		if (target_named(*name, &s->target[s->ntarget], &e) ||
		    emit_open("llvm", &s->target[s->ntarget], &s->m[s->ntarget], &e)) {
			printf("FAIL %s\n", e.msg);
			return false;
		}
	return true;
}

int
main(int argc, char **argv)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM, SIGPROF};
	unsigned long long first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, seed = first;
	int wanted = argc > 2 ? atoi(argv[2]) : getenv("HONE_TEST_QUICK") ? KERNELS_QUICK : KERNELS;
	static Session s;
	Err e = {0};
	bool met;

	if (!add_targets(&s, host_targets()) || !add_targets(&s, host_dot_targets()))
		return 1;
	for (int i = 0; i < s.ntarget; i++) {
		Target shared = s.target[i];

		shared.threads = THREADS;
		shared.fork_ns = 0;
		if (emit_open("llvm", &shared, &s.shared[i], &e))
			return 1;
	}
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		signal(signals[i], on_signal);
	while (s.ran + s.failed < wanted && seed < first + 20 * (unsigned)wanted)
		run_seed(&s, seed++);
	for (int i = 0; i < s.ntarget; i++) {
		emit_close(s.m[i]);
		emit_close(s.shared[i]);
	}
	str_fini(&now.text);
	print_counts("ran:", s.family);
	print_counts("refused:", s.refused);
	met = print_met(&s, wanted >= KERNELS);
	printf("%d kernels ran from %llu draws, %d of them in place too, %d shared, %d failed\n",
	       s.ran, seed - first, s.met[RULE_IN_PLACE], s.met[RULE_DEALT], s.failed);
	return s.failed || s.ran < wanted || !met;
}
