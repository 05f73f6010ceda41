/* A pool of threads for models that hone compiled for several. This file and hone_pool.c stand
 * alone: C11 and POSIX threads, no global state.
 *
 * A worker that has nothing to do spins for about 50 microseconds, so that the next kernel of a
 * model finds it awake, and then sleeps.
 */
#ifndef HONE_POOL_H
#define HONE_POOL_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef HONE_PARALLEL
#define HONE_PARALLEL
/* What a model shares its work with. parallel_for calls task(context, chunk, chunks) once for each
 * chunk from 0 to chunks - 1, in any order and on any threads, and returns when all have returned.
 */
typedef struct hone_parallel {
	void (*parallel_for)(void *self, void (*task)(void *context, int chunk, int chunks),
			     void *context, int chunks);
	void *self;
} hone_parallel;
#endif

typedef struct hone_pool hone_pool;

/* Starts threads - 1 workers; the thread that uses the pool is the remaining one. core: a processor
 * for each worker to stay on, threads - 1 of them, none of them the user's; or NULL: anywhere.
 * Where the system puts two threads on one processor, kernels take longer than on one thread, so
 * give them if you can. NULL when there is no memory or no thread to be had. */
hone_pool *hone_pool_start(int threads, const int *core);
void hone_pool_stop(hone_pool *p); /* ends the workers; NULL is fine */

/* The pool as a model takes it. One user at a time; the pool must outlive it. */
hone_parallel hone_pool_parallel(hone_pool *p);

#ifdef __cplusplus
}
#endif

#endif
