/* SIGINT and SIGTERM as a question that long work asks. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on either signal asks to stop; the same one again ends the process. */
void interrupt_catch(void);

/* Whether one came since. self is not used: it fits the hooks named `stop`. Any thread. */
bool interrupt_came(void *self);

#endif
