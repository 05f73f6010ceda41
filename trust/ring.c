/* A folder of keys. What lies there is read again whenever names, times, sizes, owners or modes
 * differ from the last reading; the secrets themselves are compared by ring_holds. */
#include "trust/ring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/str.h"

enum { PATH_ROOM = 4096, SUFFIX = 4 };

struct Ring {
	char *folder;
	Key key[RING_MAX];
	int n;
	uint64_t seen; /* what the folder looked like when it was read */
};

/* Length of the key's name in the name of a file; 0: something else lies there. */
static size_t
key_file(const char *name)
{
	size_t n = strlen(name);

	if (n <= SUFFIX || strcmp(name + n - SUFFIX, ".key") || !key_name_ok(name, n - SUFFIX))
		return 0;
	return n - SUFFIX;
}

static void
file_path(const Ring *r, const char *name, char path[PATH_ROOM])
{
	snprintf(path, PATH_ROOM, "%s/%s", r->folder, name);
}

/* Order of files in a folder is arbitrary: the sum does not depend on it. */
static uint64_t
look(const Ring *r)
{
	DIR *d = opendir(r->folder);
	struct dirent *entry;
	uint64_t sum = 1;

	while (d && (entry = readdir(d))) {
		struct stat st;
		uint64_t fact[8] = {0};

		if (!key_file(entry->d_name) ||
		    fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		fact[0] = hash64(entry->d_name, strlen(entry->d_name), 1);
		fact[1] = (uint64_t)st.st_ino;
		fact[2] = (uint64_t)st.st_ctim.tv_sec;
		fact[3] = (uint64_t)st.st_ctim.tv_nsec;
		fact[4] = (uint64_t)st.st_size;
		fact[5] = st.st_mode;
		fact[6] = st.st_uid;
		sum += hash64(fact, sizeof fact, 2);
	}
	if (d)
		closedir(d);
	return d ? sum : 0;
}

static int
check_folder(const Ring *r, Err *e)
{
	struct stat st;

	if (stat(r->folder, &st))
		return err_set(e, ERR_IO, "%s: %s", r->folder, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, "%s: not a folder", r->folder);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(e, ERR_INPUT, "%s: belongs to user %u, expected %u or root",
			       r->folder, (unsigned)st.st_uid, (unsigned)geteuid());
	if (st.st_mode & 022)
		return err_set(e, ERR_INPUT, "%s: mode %04o, expected 0700: others could add keys",
			       r->folder, (unsigned)st.st_mode & 07777);
	return OK;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const Key *)a)->name, ((const Key *)b)->name);
}

static int
read_file(Ring *r, const char *name, size_t length, Err *e)
{
	Key *k = &r->key[r->n];
	char path[PATH_ROOM];
	int rc;

	if (r->n == RING_MAX)
		return err_set(e, ERR_INPUT, "%s: more than %d keys", r->folder, RING_MAX);
	file_path(r, name, path);
	rc = key_read(path, k, e);
	if (!rc && (strlen(k->name) != length || memcmp(k->name, name, length) != 0))
		rc = err_set(e, ERR_INPUT, "%s: the key inside is named '%s'", path, k->name);
	if (rc)
		key_wipe(k);
	else
		r->n++;
	return rc;
}

/* Reads all that is fit; *e holds the first thing that is not. */
static int
read_folder(Ring *r, Err *e)
{
	int rc = check_folder(r, e);
	DIR *d = rc ? NULL : opendir(r->folder);
	struct dirent *entry;

	explicit_bzero(r->key, sizeof r->key);
	r->n = 0;
	if (!d && !rc)
		rc = err_set(e, ERR_IO, "%s: %s", r->folder, strerror(errno));
	while (d && (entry = readdir(d))) {
		size_t length = key_file(entry->d_name);
		int one = length ? read_file(r, entry->d_name, length, e) : OK;

		rc = rc ? rc : one;
	}
	if (d)
		closedir(d);
	qsort(r->key, (size_t)r->n, sizeof *r->key, by_name);
	return rc;
}

/* One that is there already stays as it is: check_folder judges it. */
static int
make_folder(const char *folder, Err *e)
{
	int rc;

	if (!access(folder, F_OK))
		return OK;
	rc = dir_make(folder, e);
	return !rc && chmod(folder, 0700) ? err_set(e, ERR_IO, "%s: %s", folder, strerror(errno))
					  : rc;
}

int
ring_open(const char *folder, Ring **out, Err *e)
{
	Ring *r = calloc(1, sizeof *r);
	int rc;

	*out = NULL;
	if (!r || !(r->folder = strdup(folder))) {
		free(r);
		return err_set(e, ERR_NOMEM, "keys: out of memory");
	}
	rc = make_folder(folder, e);
	if (!rc) {
		r->seen = look(r);
		rc = read_folder(r, e);
	}
	if (rc)
		ring_close(r);
	else
		*out = r;
	return rc;
}

void
ring_close(Ring *r)
{
	if (!r)
		return;
	explicit_bzero(r->key, sizeof r->key);
	free(r->folder);
	free(r);
}

/* Without descriptors nothing could be read, and that must not look as if all keys were gone. */
static bool
can_open_files(void)
{
	int one = open("/dev/null", O_RDONLY | O_CLOEXEC), two = dup(one);

	close(one);
	close(two);
	return two >= 0;
}

bool
ring_refresh(Ring *r, Err *problem)
{
	uint64_t now;

	if (!can_open_files())
		return false;
	now = look(r);
	if (now == r->seen)
		return false;
	r->seen = now;
	read_folder(r, problem);
	return true;
}

int
ring_count(const Ring *r)
{
	return r->n;
}

const Key *
ring_at(const Ring *r, int i)
{
	return &r->key[i];
}

/* 0xff when the bytes agree, 0 when not, without a branch that depends on them. */
static uint8_t
same(const uint8_t *a, const uint8_t *b, size_t n)
{
	volatile uint8_t differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= a[i] ^ b[i];
	return (uint8_t)(((unsigned)differ - 1) >> 8);
}

const Key *
ring_find(const Ring *r, const void *name, size_t n)
{
	uint8_t padded[KEY_NAME_MAX + 1] = {0};
	size_t found = RING_MAX;

	if (n && n <= KEY_NAME_MAX && !memchr(name, 0, n))
		memcpy(padded, name, n);
	for (size_t i = 0; i < RING_MAX; i++) { /* all places, used or not */
		size_t mask =
			0 -
			(size_t)(same((const uint8_t *)r->key[i].name, padded, sizeof padded) & 1);

		found = (found & ~mask) | (i & mask);
	}
	return found < (size_t)r->n ? &r->key[found] : NULL;
}

bool
ring_holds(const Ring *r, const Key *k)
{
	const Key *mine = ring_find(r, k->name, strlen(k->name));

	return mine && mine->role == k->role && same(mine->secret, k->secret, KEY_BYTES);
}

int
ring_add(Ring *r, const char *name, KeyRole role, Err *e)
{
	char path[PATH_ROOM];
	Key k;
	int rc;

	if (r->n == RING_MAX)
		return err_set(e, ERR_INPUT, "%s: %d keys already", r->folder, RING_MAX);
	rc = key_make(&k, name, role, e);
	if (!rc) {
		snprintf(path, sizeof path, "%s/%s.key", r->folder, name);
		rc = key_write(path, &k, e);
	}
	key_wipe(&k);
	if (!rc)
		rc = read_folder(r, e);
	r->seen = look(r);
	return rc;
}
