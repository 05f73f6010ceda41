/* Growing text, and whole files in and out. */
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
str_fini(Str *s)
{
	free(s->s);
	*s = (Str){0};
}

void
str_clear(Str *s)
{
	s->n = 0;
	if (s->s)
		s->s[0] = 0;
}

const char *
str_get(const Str *s)
{
	return s->s ? s->s : "";
}

static void
grow(Str *s, size_t more)
{
	size_t want = s->cap ? s->cap : 128;
	char *p;

	while (want < s->n + more + 1)
		want *= 2;
	if (want == s->cap)
		return;
	p = realloc(s->s, want);
	if (!p) {
		fprintf(stderr, "hone: out of memory (%zu bytes of text)\n", want);
		abort();
	}
	s->s = p;
	s->cap = want;
}

void
str_addn(Str *s, const char *text, size_t n)
{
	grow(s, n);
	memcpy(s->s + s->n, text, n);
	s->n += n;
	s->s[s->n] = 0;
}

void
str_add(Str *s, const char *text)
{
	str_addn(s, text, strlen(text));
}

void
str_printf(Str *s, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	grow(s, (size_t)n);
	vsnprintf(s->s + s->n, (size_t)n + 1, fmt, again);
	va_end(again);
	s->n += (size_t)n;
}

int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
str_quoted(Str *s, const char *text)
{
	str_add(s, "'");
	for (; *text; text++)
		if (*text == '\'')
			str_add(s, "'\\''");
		else
			str_addn(s, text, 1);
	str_add(s, "'");
}

void
str_float(Str *s, float v)
{
	char b[48];

	if (isnan(v)) {
		str_add(s, "nan");
		return;
	}
	for (int digits = 1; digits <= 9; digits++) {
		snprintf(b, sizeof b, "%.*g", digits, (double)v);
		if (strtof(b, NULL) == v)
			break;
	}
	str_add(s, b);
}

void
str_double(Str *s, double v)
{
	char b[48];

	if (isnan(v)) {
		str_add(s, "nan");
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(b, sizeof b, "%.*g", digits, v);
		if (strtod(b, NULL) == v)
			break;
	}
	str_add(s, b);
}

static int
read_all(int fd, size_t size_max, char **data, size_t *size)
{
	size_t n = 0, cap = 1 << 16;
	char *p = malloc(cap + 1);

	while (p) {
		ssize_t got = read(fd, p + n, cap - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		if (got == 0) {
			p[n] = 0;
			*data = p;
			*size = n;
			return 0;
		}
		n += (size_t)got;
		if (n > size_max) {
			errno = EFBIG;
			break;
		}
		if (n == cap) {
			char *q = realloc(p, 2 * cap + 1);

			if (!q)
				break;
			p = q;
			cap *= 2;
		}
	}
	free(p);
	return -1;
}

int
file_read(const char *path, size_t size_max, char **data, size_t *size, Err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : read_all(fd, size_max, data, size);
	int why = errno;

	if (fd >= 0)
		close(fd);
	if (rc)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(why));
	return OK;
}

int
text_read(const char *path, size_t size_max, char **text, Err *e)
{
	size_t size;
	int rc = file_read(path, size_max, text, &size, e);

	if (rc || strlen(*text) == size)
		return rc;
	free(*text);
	*text = NULL;
	return err_set(e, ERR_INPUT, "%s: a zero byte, expected text", path);
}

bool
fd_write(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

/* Writes data to an open file and closes it. */
static int
fill_and_close(int fd, const void *data, size_t size)
{
	int rc = fd_write(fd, data, size) ? 0 : -1, why = errno;

	if (close(fd) && !rc)
		return -1;
	errno = why;
	return rc;
}

/* A rename would put a file in the place of a device, a pipe or a link. */
static int
write_in_place(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	return fd < 0 ? -1 : fill_and_close(fd, data, size);
}

static int
write_and_rename(const char *path, const void *data, size_t size)
{
	Str tmp = {0};
	int fd, rc, why;

	str_printf(&tmp, "%s.tmp%ld", path, (long)getpid());
	fd = open(tmp.s, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	rc = fd < 0 ? -1 : fill_and_close(fd, data, size);
	if (!rc)
		rc = rename(tmp.s, path);
	why = errno;
	if (rc && fd >= 0)
		unlink(tmp.s);
	errno = why;
	str_fini(&tmp);
	return rc;
}

int
file_write(const char *path, const void *data, size_t size, Err *e)
{
	struct stat st;
	bool special = lstat(path, &st) == 0 && !S_ISREG(st.st_mode);
	int rc = special ? write_in_place(path, data, size) : write_and_rename(path, data, size);

	return rc ? err_set(e, ERR_IO, "%s: %s", path, strerror(errno)) : OK;
}

int
dir_make(const char *path, Err *e)
{
	Str s = {0};
	int rc = OK;

	str_add(&s, path);
	for (char *p = s.s + 1; rc == OK; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = 0;
		if (mkdir(s.s, 0777) && errno != EEXIST)
			rc = err_set(e, ERR_IO, "%s: %s", s.s, strerror(errno));
		*p = c;
		if (!c)
			break;
	}
	str_fini(&s);
	return rc;
}
