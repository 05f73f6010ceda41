/* Threads beside the program's own. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

#include "base/err.h"

/* Runs run(self) in a thread that no signal goes to: handlers run in the program's own threads, and
 * a broken pipe is an error there and nothing else. To be joined. Errors: ERR_NOMEM names what. */
int thread_start(pthread_t *out, void *(*run)(void *self), void *self, const char *what, Err *e);

#endif
