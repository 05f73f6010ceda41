/* Texts from elsewhere, made harmless for pages and terminals; numbers as text. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "base/str.h"

/* Text of a log as text of a page, in an element or a quoted attribute: markup is escaped, control
 * characters become their pictures, and what is no UTF-8 the replacement character. The result is
 * valid UTF-8 and has no byte below 32 but line ends. */
void text_escape(Str *out, const char *text);
/* The same on one line of a terminal: no markup, but the same care; at most `columns` characters,
 * with "..." at the end where it was longer; returns how many. */
int text_plain(Str *out, const char *text, int columns);

enum { NUMBER_TEXT = 32 };
/* "0.02", "1.5", "20", "3k", "2.5M". Always a text without anything to escape. */
const char *number_text(char out[NUMBER_TEXT], double v);
const char *duration_text(char out[NUMBER_TEXT], double ns); /* "12.3 us"; "-" for 0 */

#endif
