/* Asks to stop: what runs looks at this between two steps, so that nothing is cut in the middle. */
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

/* Set by the handler, which has no argument of ours. */
static volatile sig_atomic_t came;

static void
on_signal(int number)
{
	(void)number;
	came = 1;
}

void
interrupt_catch(void)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
}

bool
interrupt_came(void *self)
{
	(void)self;
	return came;
}
