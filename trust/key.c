/* Keys as values, as text, and as files that nobody else may read. Secrets are wiped from every
 * buffer they passed through. */
#include "trust/key.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/str.h"

#define HEAD "hone-key 1"

static const char *const role_word[KEY_ROLE_COUNT] = {
#define X(name, word, text) word,
	KEY_ROLE_LIST(X)
#undef X
};

const char *
key_role_word(KeyRole r)
{
	return r < KEY_ROLE_COUNT ? role_word[r] : "?";
}

int
key_role_parse(const char *word, KeyRole *r, Err *e)
{
	for (int i = 0; i < KEY_ROLE_COUNT; i++)
		if (!strcmp(word, role_word[i])) {
			*r = (KeyRole)i;
			return OK;
		}
	return err_set(e, ERR_INPUT, "role '%.40s': expected tune or read-only", word);
}

bool
key_name_ok(const char *name, size_t n)
{
	if (!n || n > KEY_NAME_MAX || !isalnum((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !memchr("._-", name[i], 3))
			return false;
	return true;
}

static int
check_name(const char *name, Err *e)
{
	return key_name_ok(name, strlen(name))
		       ? OK
		       : err_set(e, ERR_INPUT,
				 "name '%.60s': expected at most %d letters, digits, '.', '_', "
				 "'-', the first one a letter or digit",
				 name, KEY_NAME_MAX);
}

int
key_make(Key *k, const char *name, KeyRole role, Err *e)
{
	int rc = check_name(name, e);

	*k = (Key){.role = role};
	if (rc)
		return rc;
	memcpy(k->name, name, strlen(name) + 1);
	if (getrandom(k->secret, sizeof k->secret, 0) != (ssize_t)sizeof k->secret)
		return err_set(e, ERR_DEVICE, "key: no random bytes: %s", strerror(errno));
	return OK;
}

void
key_wipe(Key *k)
{
	explicit_bzero(k, sizeof *k);
}

void
key_fingerprint(const Key *k, char text[FINGERPRINT_TEXT])
{
	static const char what[] = "hone key fingerprint 1";
	DigestState s;
	Digest d;

	digest_init(&s);
	digest_add(&s, what, sizeof what);
	digest_add(&s, k->name, strlen(k->name) + 1);
	digest_add(&s, k->secret, sizeof k->secret);
	d = digest_end(&s);
	explicit_bzero(&s, sizeof s);
	for (int i = 0; i < 5; i++)
		snprintf(text + 5 * i, 6, "%02x%02x%s", d.b[2 * i], d.b[2 * i + 1],
			 i < 4 ? "-" : "");
}

void
key_print(const Key *k, char text[KEY_TEXT_MAX])
{
	char hex[2 * KEY_BYTES + 1], print[FINGERPRINT_TEXT];

	for (int i = 0; i < KEY_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", k->secret[i]);
	key_fingerprint(k, print);
	snprintf(text, KEY_TEXT_MAX, HEAD "\nname %s\nrole %s\nsecret %s\nfingerprint %s\n",
		 k->name, key_role_word(k->role), hex, print);
	explicit_bzero(hex, sizeof hex);
}

static int
parse_secret(const char *hex, uint8_t secret[KEY_BYTES], Err *e)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bits = 0;

	if (strlen(hex) != 2 * KEY_BYTES || strspn(hex, digits) != 2 * KEY_BYTES)
		return err_set(e, ERR_INPUT, "key: secret: expected %d hexadecimal digits",
			       2 * KEY_BYTES);
	for (int i = 0; i < KEY_BYTES; i++) {
		bits |= secret[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) << 4 |
					      (strchr(digits, hex[2 * i + 1]) - digits));
	}
	return bits ? OK : err_set(e, ERR_INPUT, "key: secret: all zero");
}

/* What a line of a key says, and the bit that it did. */
enum { SAID_NAME = 1, SAID_ROLE = 2, SAID_SECRET = 4, SAID_PRINT = 8, SAID_ALL = 7 };

typedef struct Reading {
	Key *k;
	unsigned said;
	char print[FINGERPRINT_TEXT];
	Err *e;
} Reading;

/* Complaints never repeat what stands there: where a line's end is missing it may be the secret. */
static int
take_word(Reading *r, unsigned what, const char *value)
{
	Key *k = r->k;

	if (r->said & what)
		return err_set(r->e, ERR_INPUT, "key: a line comes twice");
	r->said |= what;
	switch (what) {
	case SAID_NAME:
		if (!key_name_ok(value, strlen(value)))
			return err_set(r->e, ERR_INPUT, "key: name: not one");
		memcpy(k->name, value, strlen(value) + 1);
		return OK;
	case SAID_ROLE:
		return key_role_parse(value, &k->role, NULL)
			       ? err_set(r->e, ERR_INPUT, "key: role: expected tune or read-only")
			       : OK;
	case SAID_SECRET: return parse_secret(value, k->secret, r->e);
	default: snprintf(r->print, sizeof r->print, "%s", value); return OK;
	}
}

static int
take_line(Reading *r, const char *line)
{
	static const struct {
		const char *word;
		unsigned what;
	} list[] = {{"name ", SAID_NAME},
		    {"role ", SAID_ROLE},
		    {"secret ", SAID_SECRET},
		    {"fingerprint ", SAID_PRINT}};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		size_t n = strlen(list[i].word);

		if (!strncmp(line, list[i].word, n))
			return take_word(r, list[i].what, line + n);
	}
	return err_set(r->e, ERR_INPUT, "key: expected lines name, role, secret, fingerprint");
}

static int
read_lines(Reading *r, const char *text)
{
	char line[KEY_TEXT_MAX];
	bool first = true;
	int rc = OK;

	while (*text && !rc) {
		size_t n = strcspn(text, "\n"), end = n;

		if (n >= sizeof line)
			return err_set(r->e, ERR_INPUT, "key: a line of %zu bytes", n);
		memcpy(line, text, n);
		while (end && strchr(" \t\r", line[end - 1]))
			end--;
		line[end] = 0;
		text += n + (text[n] == '\n');
		if (!end)
			continue;
		if (first)
			rc = strcmp(line, HEAD)
				     ? err_set(r->e, ERR_INPUT, "key: expected '" HEAD "' first")
				     : OK;
		else
			rc = take_line(r, line);
		first = false;
	}
	explicit_bzero(line, sizeof line);
	return rc;
}

int
key_parse(const char *text, Key *k, Err *e)
{
	char print[FINGERPRINT_TEXT];
	Reading r = {.k = k, .e = e};
	int rc;

	*k = (Key){0};
	rc = read_lines(&r, text);
	if (!rc && (r.said & SAID_ALL) != SAID_ALL)
		rc = err_set(e, ERR_INPUT, "key: name, role or secret is missing");
	key_fingerprint(k, print);
	if (!rc && r.said & SAID_PRINT && strcmp(print, r.print) != 0)
		rc = err_set(e, ERR_INPUT,
			     "key: its fingerprint is %s, the text says %s: not a faithful copy",
			     print, r.print);
	if (rc)
		key_wipe(k);
	return rc;
}

/* --- files --- */

static int
check_private(int fd, const char *path, Err *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "%s: not a regular file", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(e, ERR_INPUT, "%s: belongs to user %u, expected %u or root", path,
			       (unsigned)st.st_uid, (unsigned)geteuid());
	if (st.st_mode & 077)
		return err_set(e, ERR_INPUT,
			       "%s: mode %04o, expected 0600: others may read or change it; chmod "
			       "600 it, and make a new key if somebody may have",
			       path, (unsigned)st.st_mode & 07777);
	return OK;
}

int
key_read_private(const char *path, char *text, size_t size, Err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return err_set(e, ERR_IO, "%s: %s", path,
			       errno == ELOOP ? "a link" : strerror(errno));
	rc = check_private(fd, path, e);
	while (!rc && n < size && (got = read(fd, text + n, size - n)) != 0) {
		if (got < 0 && errno != EINTR)
			rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
		n += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	if (!rc && n == size)
		rc = err_set(e, ERR_INPUT, "%s: longer than %zu bytes", path, size - 1);
	if (rc)
		explicit_bzero(text, n);
	else
		text[n] = 0;
	return rc;
}

int
key_write_private(const char *path, const char *text, bool exclusive, Err *e)
{
	char name[4096];
	int fd, failed, why;

	if (snprintf(name, sizeof name, "%s~%ld", path, (long)getpid()) >= (int)sizeof name)
		return err_set(e, ERR_INPUT, "%s: too long", path);
	unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
	failed = fchmod(fd, 0600) || !fd_write(fd, text, strlen(text)) || fsync(fd);
	failed |= close(fd);
	if (!failed) /* a link is never replaced; a rename replaces */
		failed = exclusive ? link(name, path) : rename(name, path);
	why = errno;
	unlink(name);
	if (failed && why == EEXIST)
		return err_set(e, ERR_INPUT, "%s: exists already", path);
	return failed ? err_set(e, ERR_IO, "%s: %s", path, strerror(why)) : OK;
}

int
key_read(const char *path, Key *k, Err *e)
{
	char text[2 * KEY_TEXT_MAX];
	int rc;

	*k = (Key){0};
	rc = key_read_private(path, text, sizeof text, e);
	if (rc)
		return rc;
	rc = key_parse(text, k, e);
	explicit_bzero(text, sizeof text);
	if (rc)
		err_prefix(e, "%s: ", path);
	return rc;
}

int
key_write(const char *path, const Key *k, Err *e)
{
	char text[KEY_TEXT_MAX];
	int rc;

	key_print(k, text);
	rc = key_write_private(path, text, true, e);
	explicit_bzero(text, sizeof text);
	return rc;
}
