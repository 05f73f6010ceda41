/* Help texts in two columns. */
#ifndef BASE_HELP_H
#define BASE_HELP_H

#include <stdio.h>

/* "  HEAD   TEXT", text broken between words before the 80th character; it begins on the next line
 * when the head is too long. */
void help_entry(const char *head, const char *text, FILE *out);

#endif
