/* A file is written beside its name, as NAME.part, and then renamed; so a file under its name was
 * written to its end, and only a machine that lost its power leaves one that is torn. It is not
 * synced for that reason: what it holds is compared with its digest before it is used. The list is
 * in the order of use, oldest first; the time of a file's last use is that of its last change. */
#include "rpc_server/blob_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

enum { SURCHARGE = 4096, NAME_BYTES = DIGEST_TEXT + 8, FILES_MAX = 65536 };

static const char suffix[] = ".blob", unfinished[] = ".part";

typedef struct Entry {
	Digest digest;
	uint64_t size;
	struct timespec used; /* only while the folder is read */
} Entry;

struct BlobFiles {
	int dir;
	uint64_t cap, used;
	Entry *v; /* the one not used for longest first */
	size_t n, room;
	bool failing; /* the last write went wrong */
	BlobNote *note;
	void *self;
};

static void tell(const BlobFiles *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
tell(const BlobFiles *f, const char *fmt, ...)
{
	char line[512];
	va_list args;

	if (!f->note)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	f->note(f->self, line);
}

static void
name_of(const Digest *d, const char *end, char name[NAME_BYTES])
{
	char text[DIGEST_TEXT];

	digest_print(d, text);
	snprintf(name, NAME_BYTES, "%s%s", text, end);
}

/* The digest in a name of ours with that end. */
static bool
name_parse(const char *name, const char *end, Digest *d)
{
	char text[DIGEST_TEXT];

	if (strlen(name) != DIGEST_TEXT - 1 + strlen(end) ||
	    strcmp(name + DIGEST_TEXT - 1, end) != 0)
		return false;
	memcpy(text, name, DIGEST_TEXT - 1);
	text[DIGEST_TEXT - 1] = 0;
	return digest_parse(text, d);
}

/* --- the list --- */

static size_t
find(const BlobFiles *f, const Digest *d)
{
	size_t i = f->n;

	while (i-- > 0)
		if (digest_equal(&f->v[i].digest, d))
			return i;
	return f->n;
}

static bool
append(BlobFiles *f, Entry x)
{
	if (f->n == f->room) {
		size_t room = f->room ? 2 * f->room : 64;
		Entry *v = room <= FILES_MAX ? realloc(f->v, room * sizeof *v) : NULL;

		if (!v)
			return false;
		f->v = v;
		f->room = room;
	}
	f->v[f->n++] = x;
	f->used += x.size + SURCHARGE;
	return true;
}

static Entry
take_out(BlobFiles *f, size_t i)
{
	Entry x = f->v[i];

	f->used -= x.size + SURCHARGE;
	memmove(&f->v[i], &f->v[i + 1], (--f->n - i) * sizeof *f->v);
	return x;
}

static void
remove_file(BlobFiles *f, size_t i)
{
	char name[NAME_BYTES];

	name_of(&f->v[i].digest, suffix, name);
	unlinkat(f->dir, name, 0);
	take_out(f, i);
}

/* --- opening --- */

/* Looks at one name of the folder. False: no memory for the list. */
static bool
look_at(BlobFiles *f, const char *name, unsigned *others)
{
	struct stat st;
	Entry x;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return true;
	if (name_parse(name, unfinished, &x.digest)) {
		tell(f, "blob folder: deleted %s, which was not written to its end", name);
		unlinkat(f->dir, name, 0);
		return true;
	}
	if (!name_parse(name, suffix, &x.digest)) {
		++*others;
		return true;
	}
	if (fstatat(f->dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return true;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > f->cap) {
		tell(f, "blob folder: deleted %s, which is no file or too large", name);
		unlinkat(f->dir, name, 0);
		return true;
	}
	x.size = (uint64_t)st.st_size;
	x.used = st.st_mtim;
	return append(f, x);
}

static int
by_use(const void *a, const void *b)
{
	const struct timespec *x = &((const Entry *)a)->used, *y = &((const Entry *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

static int
look_around(BlobFiles *f, const char *folder, Err *e)
{
	int fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	unsigned others = 0;
	bool enough = true;
	struct dirent *x;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return err_set(e, ERR_IO, "%s: %s", folder, strerror(errno));
	}
	while (enough && (x = readdir(d)))
		enough = look_at(f, x->d_name, &others);
	closedir(d);
	if (!enough)
		return err_set(e, ERR_NOMEM, "%s: too many files", folder);
	if (others)
		tell(f, "blob folder: %u files are not blobs, and left alone", others);
	if (f->n)
		qsort(f->v, f->n, sizeof *f->v, by_use);
	while (f->used > f->cap)
		remove_file(f, 0);
	return OK;
}

int
blob_files_open(BlobFiles **out, const char *folder, uint64_t cap, BlobNote *note, void *self,
		Err *e)
{
	BlobFiles *f = calloc(1, sizeof *f);
	int rc;

	*out = NULL;
	if (!f)
		return err_set(e, ERR_NOMEM, "blob folder: out of memory");
	*f = (BlobFiles){.cap = cap, .note = note, .self = self};
	mkdir(folder, 0700); /* where that fails, opening says why */
	f->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		rc = err_set(e, ERR_IO, "%s: %s", folder, strerror(errno));
	else if (flock(f->dir, LOCK_EX | LOCK_NB))
		rc = err_set(e, ERR_BUSY, "%s: another agent keeps its blobs there", folder);
	else
		rc = look_around(f, folder, e);
	if (rc)
		blob_files_close(f);
	else
		*out = f;
	return rc;
}

void
blob_files_close(BlobFiles *f)
{
	if (!f)
		return;
	if (f->dir >= 0)
		close(f->dir);
	free(f->v);
	free(f);
}

/* --- use --- */

bool
blob_files_size(const BlobFiles *f, const Digest *d, uint64_t *size)
{
	size_t i = f ? find(f, d) : 0;

	if (!f || i == f->n)
		return false;
	*size = f->v[i].size;
	return true;
}

/* Exactly n bytes of the file. */
static bool
read_all(int fd, uint8_t *data, uint64_t n)
{
	uint8_t beyond;

	while (n) {
		ssize_t got = read(fd, data, n < 1 << 30 ? (size_t)n : 1 << 30);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		data += got;
		n -= (uint64_t)got;
	}
	return read(fd, &beyond, 1) == 0;
}

bool
blob_files_read(BlobFiles *f, const Digest *d, void *data)
{
	size_t i = f ? find(f, d) : 0;
	char name[NAME_BYTES];
	Digest found;
	int fd;
	bool whole;

	if (!f || i == f->n)
		return false;
	name_of(d, suffix, name);
	fd = openat(f->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	whole = fd >= 0 && read_all(fd, data, f->v[i].size);
	if (whole) {
		found = digest_of(data, (size_t)f->v[i].size);
		whole = digest_equal(&found, d);
	}
	if (whole) {
		futimens(fd, NULL);
		append(f, take_out(f, i)); /* there is room: it was in the list */
	} else {
		tell(f, "blob folder: deleted %s, which is not what its name says", name);
		remove_file(f, i);
	}
	if (fd >= 0)
		close(fd);
	return whole;
}

/* Writes the file under its name; false, errno: why not, and nothing is left. */
static bool
write_file(BlobFiles *f, const Digest *d, const void *data, uint64_t size)
{
	char part[NAME_BYTES], name[NAME_BYTES];
	bool done;
	int fd, why;

	name_of(d, unfinished, part);
	name_of(d, suffix, name);
	fd = openat(f->dir, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	done = fd_write(fd, data, (size_t)size);
	why = errno;
	if (close(fd) && done) {
		done = false;
		why = errno;
	}
	if (done && renameat(f->dir, part, f->dir, name)) {
		done = false;
		why = errno;
	}
	if (!done)
		unlinkat(f->dir, part, 0);
	errno = why;
	return done;
}

void
blob_files_write(BlobFiles *f, const Digest *d, const void *data, uint64_t size)
{
	bool done;

	if (!f || size > f->cap || size + SURCHARGE > f->cap || find(f, d) < f->n)
		return;
	while (f->n && f->used + size + SURCHARGE > f->cap)
		remove_file(f, 0);
	done = write_file(f, d, data, size);
	if (!done && !f->failing)
		tell(f, "blob folder: nothing more is kept there: %s", strerror(errno));
	if (done && !append(f, (Entry){.digest = *d, .size = size})) {
		char name[NAME_BYTES];

		name_of(d, suffix, name);
		unlinkat(f->dir, name, 0);
	}
	f->failing = !done;
}
