/* Fork and join. A fork writes the task and then a new turn; workers that see the turn run their
 * chunks and count themselves off; the join waits until nobody is left.
 *
 * Whoever sleeps says so first and then looks again, and whoever has news writes them first and
 * then looks for sleepers, all of it sequentially consistent: no wake-up is lost.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "hone_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

enum {
	SPIN_NS = 50000,
	YIELD_NS = 10000,
	SPINS = 64,
	LINE = 64,
	THREADS_MAX = 256,
	STACK_BYTES = 1 << 20
};

typedef struct Worker {
	hone_pool *pool;
	int number; /* from 1 on; 0 is the user's thread */
	pthread_t thread;
} Worker;

struct hone_pool {
	/* of the turn; written before it begins */
	void (*task)(void *context, int chunk, int chunks);
	void *context;
	int chunks, threads;
	bool stopping;
	pthread_mutex_t lock; /* with changed: where there is no futex */
	pthread_cond_t changed;
	_Alignas(LINE) _Atomic uint32_t turn;
	_Alignas(LINE) _Atomic uint32_t left; /* workers that have not ended their turn */
	_Alignas(LINE) _Atomic uint32_t asleep;
	_Atomic uint32_t joiner_asleep;
	_Alignas(LINE) Worker worker[];
};

static void
relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
	__asm__ volatile("yield");
#endif
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Waits a while for the word to differ; whether it does. The one waited for may need this
 * processor.
 */
static bool
spin(_Atomic uint32_t *word, uint32_t seen)
{
	int64_t began = now_ns(), spent = 0;

	for (; spent < SPIN_NS; spent = now_ns() - began) {
		for (int i = 0; i < SPINS; i++) {
			if (atomic_load_explicit(word, memory_order_acquire) != seen)
				return true;
			relax();
		}
		if (spent > YIELD_NS)
			sched_yield();
	}
	return false;
}

#ifdef __linux__

/* Sleeps unless the word differs; may wake for no reason. */
static void
doze(hone_pool *p, _Atomic uint32_t *word, uint32_t seen)
{
	(void)p;
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void
wake(hone_pool *p, _Atomic uint32_t *word)
{
	(void)p;
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, THREADS_MAX, NULL, NULL, 0);
}

#else

static void
doze(hone_pool *p, _Atomic uint32_t *word, uint32_t seen)
{
	pthread_mutex_lock(&p->lock);
	while (atomic_load(word) == seen)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

static void
wake(hone_pool *p, _Atomic uint32_t *word)
{
	(void)word;
	pthread_mutex_lock(&p->lock);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

#endif

static void
run_chunks(const hone_pool *p, int number)
{
	for (int c = number; c < p->chunks; c += p->threads)
		p->task(p->context, c, p->chunks);
}

static void *
work(void *self)
{
	Worker *w = self;
	hone_pool *p = w->pool;

	for (uint32_t seen = 0;; seen++) {
		if (!spin(&p->turn, seen)) {
			atomic_fetch_add(&p->asleep, 1);
			while (atomic_load(&p->turn) == seen)
				doze(p, &p->turn, seen);
			atomic_fetch_sub(&p->asleep, 1);
		}
		if (p->stopping)
			return NULL;
		run_chunks(p, w->number);
		if (atomic_fetch_sub(&p->left, 1) == 1 && atomic_load(&p->joiner_asleep))
			wake(p, &p->left);
	}
}

static void
begin_turn(hone_pool *p)
{
	atomic_store_explicit(&p->left, (uint32_t)p->threads - 1, memory_order_relaxed);
	atomic_fetch_add(&p->turn, 1);
	if (atomic_load(&p->asleep))
		wake(p, &p->turn);
}

static void
join(hone_pool *p)
{
	uint32_t left;

	while ((left = atomic_load(&p->left))) {
		if (spin(&p->left, left))
			continue;
		atomic_store(&p->joiner_asleep, 1);
		if (atomic_load(&p->left) == left)
			doze(p, &p->left, left);
		atomic_store(&p->joiner_asleep, 0);
	}
}

static void
parallel_for(void *self, void (*task)(void *context, int chunk, int chunks), void *context,
	     int chunks)
{
	hone_pool *p = self;

	if (p->threads == 1 || chunks <= 1) {
		for (int c = 0; c < chunks; c++)
			task(context, c, chunks);
		return;
	}
	p->task = task;
	p->context = context;
	p->chunks = chunks;
	begin_turn(p);
	run_chunks(p, 0);
	join(p);
}

static void
stay_on(pthread_t thread, int core)
{
#ifdef __linux__
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)core, &set);
	pthread_setaffinity_np(thread, sizeof set, &set);
#else
	(void)thread;
	(void)core;
#endif
}

static bool
start_worker(hone_pool *p, int number, const int *core)
{
	Worker *w = &p->worker[number - 1];
	pthread_attr_t attr;
	bool ok;

	*w = (Worker){.pool = p, .number = number};
	if (pthread_attr_init(&attr))
		return false;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	ok = pthread_create(&w->thread, &attr, work, w) == 0;
	pthread_attr_destroy(&attr);
	if (ok && core)
		stay_on(w->thread, core[number - 1]);
	return ok;
}

static void
end(hone_pool *p)
{
	p->stopping = true;
	begin_turn(p);
	for (int i = 1; i < p->threads; i++)
		pthread_join(p->worker[i - 1].thread, NULL);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

hone_pool *
hone_pool_start(int threads, const int *core)
{
	size_t bytes = sizeof(hone_pool);
	hone_pool *p;

	if (threads < 1 || threads > THREADS_MAX)
		return NULL;
	bytes += (size_t)threads * sizeof(Worker);
	p = aligned_alloc(LINE, (bytes + LINE - 1) / LINE * LINE);
	if (!p)
		return NULL;
	*p = (hone_pool){.threads = 1};
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	for (; p->threads < threads; p->threads++)
		if (!start_worker(p, p->threads, core)) {
			end(p);
			return NULL;
		}
	return p;
}

void
hone_pool_stop(hone_pool *p)
{
	if (p)
		end(p);
}

hone_parallel
hone_pool_parallel(hone_pool *p)
{
	return (hone_parallel){parallel_for, p};
}
