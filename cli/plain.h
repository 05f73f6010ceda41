/* Texts of logs from elsewhere on a terminal. */
#ifndef CLI_PLAIN_H
#define CLI_PLAIN_H

#include "base/arena.h"

/* The text on one line of so many columns, "a; b" for lines a and b, and nothing in it that a
 * terminal obeys (report/svg.h). Lives in a. */
const char *plain_text(Arena *a, const char *text, int columns);

/* That, and a line end, to stdout. */
void plain_line(const char *text);

#endif
