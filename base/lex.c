/* Cursor over text forms. */
#include "base/lex.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
lex_init(Lex *l, const char *what, const char *text, Err *e)
{
	*l = (Lex){.what = what, .p = text, .line = 1, .e = e};
}

int
lex_fail(Lex *l, const char *fmt, ...)
{
	char msg[256];
	va_list ap;

	if (l->failed)
		return ERR_INPUT;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	l->failed = true;
	return err_set(l->e, ERR_INPUT, "%s text, line %d: %s, at '%.*s'", l->what, l->line, msg,
		       (int)strcspn(l->p, "\n") > 30 ? 30 : (int)strcspn(l->p, "\n"), l->p);
}

int
lex_done(const Lex *l)
{
	return l->failed ? ERR_INPUT : OK;
}

static void
skip_blanks(Lex *l)
{
	while (*l->p == ' ' || *l->p == '\t')
		l->p++;
}

bool
lex_peek(Lex *l, char c)
{
	skip_blanks(l);
	return !l->failed && *l->p == c;
}

bool
lex_char(Lex *l, char c)
{
	if (!lex_peek(l, c) || !c)
		return false;
	l->p++;
	return true;
}

void
lex_need(Lex *l, char c)
{
	if (!lex_char(l, c))
		lex_fail(l, "expected '%c'", c);
}

bool
lex_newline(Lex *l)
{
	bool any = false;

	while (!l->failed && (skip_blanks(l), *l->p == '\n' || *l->p == '\r')) {
		l->line += *l->p++ == '\n';
		any = true;
	}
	return any;
}

bool
lex_at_end(Lex *l)
{
	lex_newline(l);
	return l->failed || !*l->p;
}

static bool
name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

bool
lex_at_name(Lex *l)
{
	skip_blanks(l);
	return !l->failed && name_char(*l->p) && !isdigit((unsigned char)*l->p);
}

static size_t
name_length(const char *p)
{
	size_t n = 0;

	while (name_char(p[n]))
		n++;
	return n;
}

bool
lex_word(Lex *l, const char *word)
{
	size_t n = strlen(word);

	if (!lex_at_name(l) || name_length(l->p) != n || strncmp(l->p, word, n))
		return false;
	l->p += n;
	return true;
}

void
lex_name(Lex *l, char name[LEX_NAME_MAX])
{
	size_t n;

	name[0] = 0;
	if (!lex_at_name(l)) {
		lex_fail(l, "expected a name");
		return;
	}
	n = name_length(l->p);
	if (n >= LEX_NAME_MAX) {
		lex_fail(l, "name longer than %d", LEX_NAME_MAX - 1);
		return;
	}
	memcpy(name, l->p, n);
	name[n] = 0;
	l->p += n;
}

bool
lex_at_number(Lex *l)
{
	const char *p;

	skip_blanks(l);
	p = l->p + (*l->p == '-');
	return !l->failed && (isdigit((unsigned char)*p) || *p == '.' ||
			      (name_length(p) == 3 &&
			       (!strncmp(p, "inf", 3) || (p == l->p && !strncmp(p, "nan", 3)))));
}

int64_t
lex_int(Lex *l, int64_t lo, int64_t hi)
{
	char *end;
	long long v;

	skip_blanks(l);
	if (l->failed ||
	    !(isdigit((unsigned char)*l->p) || (*l->p == '-' && isdigit((unsigned char)l->p[1])))) {
		lex_fail(l, "expected an integer");
		return lo;
	}
	v = strtoll(l->p, &end, 10);
	if (v < lo || v > hi) {
		lex_fail(l, "%lld is not in [%lld, %lld]", v, (long long)lo, (long long)hi);
		return lo;
	}
	l->p = end;
	return v;
}

double
lex_number(Lex *l)
{
	char *end;
	double v;

	if (!lex_at_number(l)) {
		lex_fail(l, "expected a number");
		return 0;
	}
	v = strtod(l->p, &end);
	if (end == l->p) {
		lex_fail(l, "expected a number");
		return 0;
	}
	l->p = end;
	return v;
}
