/* A thread inherits the mask of the one that starts it, so that is changed for a moment: a signal
 * between the start and a mask set by the thread itself would meet the wrong one. */
#include "base/thread.h"

#include <signal.h>
#include <string.h>

int
thread_start(pthread_t *out, void *(*run)(void *self), void *self, const char *what, Err *e)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = pthread_create(out, NULL, run, self);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc ? err_set(e, ERR_NOMEM, "%s: no thread: %s", what, strerror(rc)) : OK;
}
