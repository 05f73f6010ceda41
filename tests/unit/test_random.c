/* Random (Task, Form, Sched) on random Targets of this machine against the oracle: operands lie
 * against unreadable pages on either side; outputs, borders and scratch start as NaN. The same
 * kernel shared among threads, in any number of chunks, gives the same bytes.
 *
 * Usage: test_random [SEED [N]]: runs N kernels (500, or 100 where HONE_TEST_QUICK is set) drawn
 * from the seeds SEED, SEED + 1... (1).
 * What the lowering refuses is drawn again and counted by reason. A failure, a crash included,
 * prints its seed and the three texts; test_random SEED 1 repeats it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/draw.h"
#include "tests/support/host.h"
#include "tests/support/kernel_run.h"

enum { TARGETS_MAX = 8, REASONS_MAX = 100, DRAW_SECONDS = 120, THREADS = 4 };

typedef struct Count {
	char what[LOWER_WHY_MAX];
	int n;
} Count;

typedef struct Session {
	Emit *m[TARGETS_MAX], *shared[TARGETS_MAX]; /* shared: for THREADS threads */
	Target target[TARGETS_MAX];
	int ntarget, ran, failed, in_place, dealt;
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
	report(sig == SIGALRM ? "hangs" : "dies", "");
	_exit(1);
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

/* Once more with an output in the memory of an input, where that is allowed. */
static void
run_in_place(Session *s, KernelRun *k, const Task *t, const TaskForm *f)
{
	for (int in = 0; in < t->tensor.n; in++)
		for (int out = 0; out < t->tensor.n; out++) {
			if (!task_may_overwrite(t, f, in, out))
				continue;
			s->in_place++;
			if (!kernel_run_overwrite(k, in, out)) {
				report("wrong in place", t->tensor.v[in].name);
				s->failed++;
			}
			return;
		}
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

static void
run_shared(Session *s, const Drawn *d, Rng *r, const void *want)
{
	int chunks = (int)draw_int(r, 1, THREADS), rc;
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
		rc = kernel_run_chunks(&k, chunks, draw_chance(r, 50));
		s->dealt++;
		got = kernel_run_outputs(&k, &n);
		snprintf(detail, sizeof detail, "%d, answer %d", chunks, rc);
		if (rc || memcmp(got, want, n)) {
			report("other bytes from chunks:", detail);
			s->failed++;
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
		run_in_place(s, k, d->t, &d->f);
		return;
	}
	snprintf(detail, sizeof detail, "%.3g times the error allowed: %s", c.worst, c.where);
	report(rc ? "returns an error" : "wrong:", detail);
	s->failed++;
}

/* Draws the three texts into now.text; false when a text is not even legal. */
static bool
draw(Rng *r, Drawn *d, const char **family, Err *e)
{
	Arena *a = d->a;
	Str text = {0};
	int rc;

	*family = draw_task(r, &now.text);
	rc = task_parse(str_get(&now.text), a, &d->t, e);
	if (!rc) {
		draw_form(r, d->t, &text);
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
	alarm(DRAW_SECONDS);
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
		kernel_run_close(&k);
		count(s->family, family);
		s->ran++;
	}
	arena_free(d.a);
}

int
main(int argc, char **argv)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM};
	unsigned long long first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, seed = first;
	int wanted = argc > 2 ? atoi(argv[2]) : getenv("HONE_TEST_QUICK") ? 100 : 500;
	static Session s;
	Err e = {0};

	for (const char *const *name = host_targets(); *name; name++, s.ntarget++)
		if (target_named(*name, &s.target[s.ntarget], &e) ||
		    emit_open("llvm", &s.target[s.ntarget], &s.m[s.ntarget], &e)) {
			printf("FAIL %s\n", e.msg);
			return 1;
		}
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
	printf("%d kernels ran from %llu draws, %d of them in place too, %d shared, %d failed\n",
	       s.ran, seed - first, s.in_place, s.dealt, s.failed);
	return s.failed || s.ran < wanted;
}
