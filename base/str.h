/* Str: growing text on the heap. Zero-initialise, append, str_fini. Never NULL once used. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct Str {
	char *s; /* NUL-terminated; NULL while empty: use str_get */
	size_t n, cap;
} Str;

void str_fini(Str *s);
void str_clear(Str *s); /* keeps the memory */
const char *str_get(const Str *s);
void str_add(Str *s, const char *text);
void str_addn(Str *s, const char *text, size_t n);
void str_printf(Str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Shortest decimal form that reads back as the same value: "0.1", "-inf", "nan", "3". */
void str_float(Str *s, float v);
void str_double(Str *s, double v);

/* For qsort, of texts: in the order of their bytes. */
int by_text(const void *a, const void *b);

/* Adds text as one word of a shell, whatever is in it: 'it'\''s'. */
void str_quoted(Str *s, const char *text);

/* Whole file into freshly allocated memory that the caller frees; a NUL follows the last byte.
 * size_max bounds what is read. Errors: ERR_IO with path and reason. */
int file_read(const char *path, size_t size_max, char **data, size_t *size, Err *e);
/* The same of text. Errors: also ERR_INPUT where a zero byte is in it. */
int text_read(const char *path, size_t size_max, char **text, Err *e);

/* Writes through a temporary file in the same folder and a rename, so a reader never sees half
 * a file; what is no regular file (a device, a pipe, a link) is written in place. Errors: ERR_IO.
 */
int file_write(const char *path, const void *data, size_t size, Err *e);

/* Writes all n bytes to a descriptor. False, and errno says why, when it took fewer. */
bool fd_write(int fd, const void *data, size_t n);

/* mkdir -p. Errors: ERR_IO. */
int dir_make(const char *path, Err *e);

#endif
