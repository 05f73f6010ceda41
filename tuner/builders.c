/* Compiling, in the tuner's thread or in others.
 *
 * Invariant: from builders_put until its parcel, or the reason why there is none, is given back by
 * boards_take, a Work belongs to the builder and the boards; the tuner looks at its row only. */
#include "tuner/builders.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"

enum {
	DEADLINE_MIN_MS = 5000,
	DEADLINE_MAX_MS = 60000,
	PACK_BYTES_PER_MS = 20000, /* of constants, on a slow and busy device */
};

static const double DEADLINE_TIMES = 50; /* the time expected */

typedef struct Waiting {
	struct Waiting *next;
	BuildJob job;
} Waiting;

typedef struct Builder {
	Builders *all;
	pthread_t thread;
	bool runs;
	Emit *emit;
} Builder;

struct Builders {
	Boards *boards;
	pthread_mutex_t lock;
	pthread_cond_t work;
	Arena *arena; /* of what waits; under the lock */
	Waiting *first, *last;
	bool quit;
	int n;
	Builder builder[];
};

static uint32_t
deadline_ms(const Problem *p, double expected_ns)
{
	double ms =
		fmin(fmax(DEADLINE_TIMES * expected_ns * 1e-6, DEADLINE_MIN_MS), DEADLINE_MAX_MS);

	for (int i = 0; i < p->buffer.n; i++)
		if (p->buffer.v[i].role == ROLE_CONST)
			ms += (double)p->buffer.v[i].bytes / PACK_BYTES_PER_MS;
	return (uint32_t)ms;
}

int
build_job(const BuildJob *j, Emit *emit, Parcel **out, Err *e)
{
	uint64_t began = clock_ns();
	ParcelSpec spec = j->spec;
	int rc = work_problem(j->work, e);
	double open_s;

	if (rc)
		return rc;
	if (j->race)
		problem_extend(j->work->problem);
	open_s = (double)(clock_ns() - began) * 1e-9;
	spec.emit = emit;
	spec.problem = j->work->problem;
	spec.object = &j->work->object;
	spec.text = j->text;
	spec.n = j->n;
	spec.final = j->race;
	spec.deadline_ms = deadline_ms(j->work->problem, j->expected_ns);
	rc = parcel_build(&spec, out, e);
	if (!rc) {
		(*out)->owner = j->work;
		(*out)->open_s = open_s;
	}
	return rc;
}

/* False: that was all. */
static bool
await_job(Builders *b, BuildJob *out)
{
	pthread_mutex_lock(&b->lock);
	while (!b->first && !b->quit)
		pthread_cond_wait(&b->work, &b->lock);
	if (!b->quit) {
		*out = b->first->job;
		b->first = b->first->next;
		if (!b->first)
			arena_reset(b->arena);
	}
	pthread_mutex_unlock(&b->lock);
	return !b->quit;
}

static void *
run_builder(void *builder)
{
	Builder *b = builder;
	BuildJob j;

	while (await_job(b->all, &j)) {
		Parcel *p = NULL;
		Err e = {0};

		if (boards_cancelled(b->all->boards))
			err_set(&e, ERR_CANCELLED, "cancelled");
		else
			build_job(&j, b->emit, &p, &e);
		boards_built(b->all->boards, j.work, p, &e);
	}
	return NULL;
}

static int
start(Builder *b, const Target *t, Err *e)
{
	int rc = emit_open("llvm", t, &b->emit, e);

	if (!rc)
		rc = thread_start(&b->thread, run_builder, b, "builders", e);
	b->runs = !rc;
	return rc;
}

int
builders_open(const Target *t, int n, Boards *boards, Builders **out, Err *e)
{
	Builders *b = calloc(1, sizeof *b + (size_t)n * sizeof *b->builder);
	int rc = OK;

	if (!b)
		return err_set(e, ERR_NOMEM, "builders: out of memory");
	b->boards = boards;
	b->arena = arena_new();
	b->n = n;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->work, NULL);
	for (int i = 0; i < n && !rc; i++) {
		b->builder[i].all = b;
		rc = start(&b->builder[i], t, e);
	}
	if (rc)
		builders_close(b);
	else
		*out = b;
	return rc;
}

void
builders_close(Builders *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->quit = true;
	pthread_cond_broadcast(&b->work);
	pthread_mutex_unlock(&b->lock);
	for (int i = 0; i < b->n; i++) {
		if (b->builder[i].runs)
			pthread_join(b->builder[i].thread, NULL);
		emit_close(b->builder[i].emit);
	}
	pthread_cond_destroy(&b->work);
	pthread_mutex_destroy(&b->lock);
	arena_free(b->arena);
	free(b);
}

void
builders_put(Builders *b, const BuildJob *j)
{
	Waiting *w;

	pthread_mutex_lock(&b->lock);
	w = ARENA_NEW(b->arena, Waiting);
	*w = (Waiting){.job = *j};
	*(b->first ? &b->last->next : &b->first) = w;
	b->last = w;
	pthread_cond_signal(&b->work);
	pthread_mutex_unlock(&b->lock);
}
