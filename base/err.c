/* Error codes and the carrier of their detail. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int code, exit_code;
	const char *text;
} list[] = {
#define X(name, value, exit_code, text) {name, exit_code, text},
	ERR_LIST(X)
#undef X
};

int
err_set(Err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->code)
		return e ? e->code : code;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	return code;
}

void
err_prefix(Err *e, const char *fmt, ...)
{
	char old[ERR_TEXT_MAX];
	va_list ap;
	int n;

	if (!e || !e->code)
		return;
	memcpy(old, e->msg, sizeof old);
	va_start(ap, fmt);
	n = vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof e->msg)
		snprintf(e->msg + n, sizeof e->msg - (size_t)n, "%s", old);
}

const char *
err_text(int code)
{
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (list[i].code == code)
			return list[i].text;
	return "unknown error";
}

int
err_exit_code(int code)
{
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (list[i].code == code)
			return list[i].exit_code;
	return 5;
}
