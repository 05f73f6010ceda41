/* compiling: what it costs to make code of the candidates in a tuning log, without measuring them:
 * lowered, emitted, and linked in batches as the tuner does it. Times are of this thread's
 * processor, so that what else runs on the machine counts little; the linker's are by the clock.
 * The digest of all object code tells whether two builds make the same.
 *
 * Usage: compiling LOG [--every N]   every N-th row; prints ms a candidate by algorithm
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "bench/support.h"
#include "codegen/lowered.h"
#include "db/log.h"
#include "tuner/parcel.h"

enum { BATCH = 16, ALGORITHMS_MAX = 16 };

typedef struct Sum {
	char name[SCHED_REWRITE_MAX];
	int n, spilling;
	double lower_s, emit_s, bytes;
} Sum;

/* What was compiled of a Task. */
typedef struct Kept {
	const char *task, *form;
	ObjectCache object;
} Kept;

typedef struct Bench {
	Log *log;
	Target target;
	Emit *emit;
	Arena *a; /* of the run */
	VEC(Kept *) kept;
	Sum sum[ALGORITHMS_MAX];
	int nsum, linked, refused;
	double link_s;
	DigestState all;
} Bench;

static double
cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static Sum *
sum_of(Bench *b, const char *algorithm)
{
	for (int i = 0; i < b->nsum; i++)
		if (!strcmp(b->sum[i].name, algorithm))
			return &b->sum[i];
	if (b->nsum < ALGORITHMS_MAX)
		snprintf(b->sum[b->nsum++].name, SCHED_REWRITE_MAX, "%s", algorithm);
	return &b->sum[b->nsum - 1];
}

static int
read_task(Bench *b, Arena *a, const LogKey *k, Task **t, TaskForm *f, Err *e)
{
	const char *task, *form;
	int rc;

	if ((rc = log_get_text(b->log, a, "task", k->task, &task, e)) ||
	    (rc = log_get_text(b->log, a, "form", k->form, &form, e)))
		return rc == NOT_APPLICABLE ? err_set(e, ERR_INPUT, "the log lacks a text") : rc;
	rc = task_parse(task, a, t, e);
	return rc ? rc : task_form_parse(form, *t, a, f, e);
}

static ObjectCache *
kept_of(Bench *b, const LogKey *k)
{
	Kept *x;

	for (int i = 0; i < b->kept.n; i++)
		if (!strcmp(b->kept.v[i]->task, k->task) && !strcmp(b->kept.v[i]->form, k->form))
			return &b->kept.v[i]->object;
	x = ARENA_NEW(b->a, Kept);
	*x = (Kept){k->task, k->form, {.arena = b->a}};
	vec_push(b->a, &b->kept, x);
	return &x->object;
}

/* Object code of a row; nothing when it does not lower. */
static int
compile_row(Bench *b, Arena *a, const LogRow *r, LinkInputs *to, Err *e)
{
	char why[LOWER_WHY_MAX] = "";
	double began, lowered;
	Lowered low;
	TaskForm f;
	Objects code;
	Task *t;
	Sum *s;
	int rc = read_task(b, a, &r->key, &t, &f, e);

	if (rc)
		return rc;
	began = cpu_s();
	rc = lowered_from_text(a, t, &f, r->sched, &b->target, &low, why, e);
	lowered = cpu_s();
	b->refused += rc == NOT_APPLICABLE;
	if (rc)
		return rc == NOT_APPLICABLE ? OK : rc;
	if ((rc = objects_emit(kept_of(b, &r->key), b->emit, low.loop, a, &code, e)))
		return rc;
	s = sum_of(b, low.sched.rewrite);
	s->n++;
	s->spilling += code.spills > 0;
	s->lower_s += lowered - began;
	s->emit_s += cpu_s() - lowered;
	for (int p = 0; p < code.n; p++)
		s->bytes += (double)code.phase[p]->size;
	digest_add(&b->all, &code.digest, sizeof code.digest);
	objects_add(&code, a, to);
	return OK;
}

/* Rows [0..n) of one key. */
static int
compile_batch(Bench *b, const LogRow *const *row, int n, Err *e)
{
	LinkInputs to = {0};
	Arena *a = arena_new();
	const void *bytes;
	size_t size;
	int rc = OK;
	uint64_t began;

	for (int i = 0; i < n && !rc; i++)
		rc = compile_row(b, a, row[i], &to, e);
	began = clock_ns();
	if (!rc && to.n)
		rc = link_objects(to.v, to.n, LINK_IMAGE, a, &bytes, &size, e);
	b->link_s += (double)(clock_ns() - began) * 1e-9;
	b->linked += to.n > 0;
	arena_free(a);
	return rc;
}

static int
compile_rows(Bench *b, const LogRow *row, int n, int every, Err *e)
{
	const LogRow *batch[BATCH];
	int k = 0, rc = OK;

	for (int i = 0; i < n && !rc; i += every) {
		bool other = k && strcmp(batch[0]->key.task, row[i].key.task) != 0;

		if (k == BATCH || other) {
			rc = compile_batch(b, batch, k, e);
			k = 0;
		}
		if (!row[i].race)
			batch[k++] = &row[i];
	}
	return rc ? rc : compile_batch(b, batch, k, e);
}

static void
print(Bench *b)
{
	char text[DIGEST_TEXT];
	Digest d = digest_end(&b->all);

	printf("%-12s %6s %9s %9s %9s %9s\n", "algorithm", "n", "lower ms", "emit ms", "KiB",
	       "spilling");
	for (int i = 0; i < b->nsum; i++) {
		const Sum *s = &b->sum[i];

		printf("%-12s %6d %9.3f %9.3f %9.1f %9d\n", s->name, s->n, s->lower_s / s->n * 1e3,
		       s->emit_s / s->n * 1e3, s->bytes / s->n / 1024, s->spilling);
	}
	digest_print(&d, text);
	printf("%d images, %.2f ms each; %d rows do not lower; code %.16s\n", b->linked,
	       b->link_s / b->linked * 1e3, b->refused, text);
}

int
main(int argc, char **argv)
{
	int every = bench_number(&argc, argv, "--every", 1), n, rc;
	Bench b = {.a = arena_new()};
	LogKey any = {0};
	LogRow *row;
	Err e = {0};

	if (argc != 2 || every < 1) {
		fprintf(stderr, "usage: compiling LOG [--every N]\n");
		return 2;
	}
	digest_init(&b.all);
	if (!(rc = log_open_read(argv[1], &b.log, &e)) && !(rc = target_host(&b.target, &e)) &&
	    !(rc = emit_open("llvm", &b.target, &b.emit, &e)) &&
	    !(rc = log_rows(b.log, b.a, &any, &row, &n, &e)) &&
	    !(rc = compile_rows(&b, row, n, every, &e)))
		print(&b);
	if (rc)
		fprintf(stderr, "compiling: %s\n", e.msg);
	emit_close(b.emit);
	log_close(b.log);
	arena_free(b.a);
	return rc ? err_exit_code(rc) : 0;
}
