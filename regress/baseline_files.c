/* Baselines on disk: a folder, or one file to carry around. Whatever is read is checked against
 * its digest before anything looks at it. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regress/baseline.h"

#define TEXT_FILE "baseline.txt"
#define BLOBS     "blobs"
#define ARCHIVE   "hone-baseline 1\n"
#define TEXT_HEAD "text "
#define BLOB_HEAD "blob "

enum { HEAD_MAX = 80 };

static const char *
blob_path(Arena *a, const char *folder, const Digest *d)
{
	char hex[DIGEST_TEXT];

	digest_print(d, hex);
	return arena_printf(a, "%s/" BLOBS "/%s", folder, hex);
}

/* --- a folder --- */

/* Blobs that the text names no more. What has another name is nobody's business. */
static void
sweep(const Baseline *b, const char *folder, Arena *a)
{
	const char *path = arena_printf(a, "%s/" BLOBS, folder);
	DIR *dir = opendir(path);
	struct dirent *f;
	Digest d;

	while (dir && (f = readdir(dir)))
		if (digest_parse(f->d_name, &d) && !baseline_blob(b, &d))
			unlink(arena_printf(a, "%s/%s", path, f->d_name));
	if (dir)
		closedir(dir);
}

/* Whole, and not only by its name. */
static bool
is_written(const char *path, const BaselineBlob *x)
{
	Err ignored = {0};
	char *data;
	size_t size;
	bool same;

	if (file_read(path, BASELINE_BLOB_BYTES, &data, &size, &ignored))
		return false;
	same = size == x->size && (!size || !memcmp(data, x->data, size));
	free(data);
	return same;
}

int
baseline_write(const Baseline *b, const char *folder, Err *e)
{
	Arena *a = arena_new();
	Str text = {0};
	int rc = dir_make(arena_printf(a, "%s/" BLOBS, folder), e);

	for (int i = 0; i < b->blob.n && !rc; i++) {
		const char *path = blob_path(a, folder, &b->blob.v[i].digest);

		if (!is_written(path, &b->blob.v[i]))
			rc = file_write(path, b->blob.v[i].data, b->blob.v[i].size, e);
	}
	baseline_print(b, &text);
	if (!rc)
		rc = file_write(arena_printf(a, "%s/" TEXT_FILE, folder), str_get(&text), text.n,
				e);
	if (!rc)
		sweep(b, folder, a);
	str_fini(&text);
	arena_free(a);
	return rc;
}

typedef struct BlobsIn {
	const char *folder;
	Arena *a;
	Baseline *b;
} BlobsIn;

static int
check_blob(const Digest *d, const void *data, size_t size, const char *path, Err *e)
{
	Digest found = digest_of(data, size);
	char hex[DIGEST_TEXT];

	digest_print(&found, hex);
	return digest_equal(&found, d)
		       ? OK
		       : err_set(e, ERR_INPUT, "%s: its contents have the digest %s", path, hex);
}

static int
read_blob(void *self, const Digest *d, const char *what, Err *e)
{
	BlobsIn *in = self;
	const char *path = blob_path(in->a, in->folder, d);
	BaselineBlob x = {*d, NULL, 0};
	char *data;
	int rc;

	if (baseline_blob(in->b, d))
		return OK;
	rc = file_read(path, BASELINE_BLOB_BYTES, &data, &x.size, e);
	if (!rc) {
		rc = check_blob(d, data, x.size, path, e);
		x.data = arena_copy(in->a, data, x.size);
		free(data);
		vec_push(in->a, &in->b->blob, x);
	}
	if (rc)
		err_prefix(e, "%s: ", what);
	return rc;
}

int
baseline_read(const char *folder, Arena *a, Baseline *out, Err *e)
{
	const char *path = arena_printf(a, "%s/" TEXT_FILE, folder);
	BlobsIn in = {folder, a, out};
	char *text;
	int rc = text_read(path, BASELINE_TEXT_BYTES, &text, e);

	if (rc)
		return rc;
	rc = baseline_parse(path, text, a, out, e);
	free(text);
	return rc ? rc : baseline_each_blob(out, read_blob, &in, e);
}

/* --- one file --- */

static void
pack_part(Str *out, const char *head, const char *name, const void *data, size_t size)
{
	str_printf(out, "%s%s%s%zu\n", head, name, *name ? " " : "", size);
	str_addn(out, data, size);
	str_add(out, "\n");
}

void
baseline_pack(const Baseline *b, Str *out)
{
	Str text = {0};
	char hex[DIGEST_TEXT];

	str_add(out, ARCHIVE);
	baseline_print(b, &text);
	pack_part(out, TEXT_HEAD, "", str_get(&text), text.n);
	str_fini(&text);
	for (int i = 0; i < b->blob.n; i++) {
		digest_print(&b->blob.v[i].digest, hex);
		pack_part(out, BLOB_HEAD, hex, b->blob.v[i].data, b->blob.v[i].size);
	}
}

typedef struct Unpack {
	const char *file, *p, *end;
	Err *e;
} Unpack;

static int
broken(Unpack *u, const char *data, const char *what)
{
	return err_set(u->e, ERR_INPUT, "%s: byte %lld: %s", u->file, (long long)(u->p - data),
		       what);
}

/* "HEAD[DIGEST ]SIZE", then so many bytes and a line end. */
static int
unpack_part(Unpack *u, const char *data, const char *head, char hex[DIGEST_TEXT], const char **part,
	    size_t *size)
{
	const char *eol = memchr(u->p, '\n', (size_t)(u->end - u->p)), *s;
	char line[HEAD_MAX] = "", *after;
	unsigned long long n;

	if (!eol || eol - u->p >= HEAD_MAX || (size_t)(eol - u->p) <= strlen(head) ||
	    memcmp(u->p, head, strlen(head)) != 0)
		return broken(u, data, "expected a part of a baseline");
	memcpy(line, u->p + strlen(head), (size_t)(eol - u->p) - strlen(head));
	s = line;
	if (hex) {
		if (strlen(s) < DIGEST_TEXT || s[DIGEST_TEXT - 1] != ' ')
			return broken(u, data, "expected a digest");
		memcpy(hex, s, DIGEST_TEXT - 1);
		hex[DIGEST_TEXT - 1] = 0;
		s += DIGEST_TEXT;
	}
	errno = 0;
	n = *s >= '0' && *s <= '9' ? strtoull(s, &after, 10) : ULLONG_MAX;
	if (n == ULLONG_MAX || errno || *after || n >= (size_t)(u->end - eol - 1) ||
	    eol[1 + n] != '\n')
		return broken(u, data, "expected so many bytes and a line end");
	*part = eol + 1;
	*size = (size_t)n;
	u->p = eol + n + 2;
	return OK;
}

static int
unpack_blobs(Unpack *u, const char *data, Arena *a, Baseline *out)
{
	while (u->p < u->end) {
		const char *part;
		char hex[DIGEST_TEXT];
		BaselineBlob x;
		int rc = unpack_part(u, data, BLOB_HEAD, hex, &part, &x.size);

		if (rc)
			return rc;
		if (!digest_parse(hex, &x.digest))
			return broken(u, data, "expected a digest");
		if ((rc = check_blob(&x.digest, part, x.size, u->file, u->e)))
			return rc;
		x.data = arena_copy(a, part, x.size);
		if (!baseline_blob(out, &x.digest))
			vec_push(a, &out->blob, x);
	}
	return OK;
}

static int
need_blob(void *self, const Digest *d, const char *what, Err *e)
{
	char hex[DIGEST_TEXT];

	digest_print(d, hex);
	return baseline_blob(self, d)
		       ? OK
		       : err_set(e, ERR_INPUT, "%s: the blob %s is missing", what, hex);
}

int
baseline_unpack(const char *file, const char *data, size_t size, Arena *a, Baseline *out, Err *e)
{
	Unpack u = {file, data, data + size, e};
	const char *part;
	size_t n;
	int rc;

	*out = (Baseline){0};
	if (size < strlen(ARCHIVE) || memcmp(data, ARCHIVE, strlen(ARCHIVE)) != 0)
		return err_set(e, ERR_INPUT, "%s: not an exported baseline", file);
	u.p += strlen(ARCHIVE);
	if ((rc = unpack_part(&u, data, TEXT_HEAD, NULL, &part, &n)))
		return rc;
	if (n > BASELINE_TEXT_BYTES || memchr(part, 0, n))
		return broken(&u, data, "expected the text of a baseline");
	part = arena_printf(a, "%.*s", (int)n, part);
	if ((rc = baseline_parse(file, part, a, out, e)) || (rc = unpack_blobs(&u, data, a, out)))
		return rc;
	return baseline_each_blob(out, need_blob, out, e);
}
