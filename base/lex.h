/* Lex: reading the text forms. A cursor over NUL-terminated text with sticky failure: after the
 * first error every call returns an empty answer, and lex_done() reports it with its line. */
#ifndef BASE_LEX_H
#define BASE_LEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { LEX_NAME_MAX = 64 };

typedef struct Lex {
	const char *what; /* "task": names the form in errors */
	const char *p;
	int line;
	bool failed;
	Err *e;
} Lex;

void lex_init(Lex *l, const char *what, const char *text, Err *e);

/* Blanks and tabs are skipped before every token; newlines only by lex_newline. */
bool lex_char(Lex *l, char c);           /* consumes c if it is next */
bool lex_word(Lex *l, const char *word); /* consumes the identifier `word` if it is next */
bool lex_peek(Lex *l, char c);
bool lex_at_name(Lex *l);
bool lex_at_end(Lex *l);  /* only blanks and newlines left, or failed */
bool lex_newline(Lex *l); /* consumes line ends and empty lines; false at text */
void lex_need(Lex *l, char c);
void lex_name(Lex *l, char name[LEX_NAME_MAX]); /* [A-Za-z_][A-Za-z0-9_]*; "" on failure */
int64_t lex_int(Lex *l, int64_t lo, int64_t hi);
double lex_number(Lex *l); /* decimal, inf, -inf, nan */
bool lex_at_number(Lex *l);

int lex_fail(Lex *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int lex_done(const Lex *l); /* OK or ERR_INPUT */

#endif
