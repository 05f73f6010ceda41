/* Texts from elsewhere on a terminal: of logs, models, baselines, agents. */
#ifndef CLI_PLAIN_H
#define CLI_PLAIN_H

#include "base/arena.h"

enum { PLAIN_WHOLE = 1 << 20 }; /* columns of a line that is not cut */

/* The text on one line of so many columns, "a; b" for lines a and b, and nothing in it that a
 * terminal obeys (report/text.h). Lives in a. */
const char *plain_text(Arena *a, const char *text, int columns);

/* That, and a line end, to stdout. */
void plain_line(const char *text);
/* The same of a whole line, to stderr. */
void plain_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "hone: TEXT" so; fits the hooks that tell what goes on. */
void plain_tell(void *self, const char *text);

#endif
