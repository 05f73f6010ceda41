/* A bundle as four files in a folder. */
#include "deploy/bundle.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/model.h"
#include "deploy/pool_source.h"

enum { MANIFEST_MAX = 64 << 20, OBJECT_MAX = 1 << 30 };

/* Words that no function of a C or C++ program may be called. */
static bool
is_reserved(const char *name)
{
	static const char *const words[] = {
		"and",      "asm",       "auto",      "bool",     "break",   "case",    "catch",
		"char",     "class",     "const",     "delete",   "do",      "double",  "else",
		"enum",     "export",    "extern",    "false",    "float",   "for",     "friend",
		"goto",     "if",        "inline",    "int",      "long",    "main",    "mutable",
		"new",      "not",       "operator",  "or",       "private", "public",  "register",
		"return",   "short",     "signed",    "static",   "struct",  "switch",  "template",
		"this",     "throw",     "true",      "try",      "typedef", "union",   "unsigned",
		"using",    "virtual",   "void",      "volatile", "while",   "xor",     "default",
		"continue", "namespace", "protected", "restrict", "sizeof",  "typename"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(name, words[i]))
			return true;
	return false;
}

char *
bundle_identifier(Arena *a, const char *text)
{
	char name[BUNDLE_NAME_MAX];
	int n = 0;

	if (!isalpha((unsigned char)*text) && *text != '_')
		name[n++] = 'm';
	for (; *text && n < BUNDLE_NAME_MAX - 1; text++)
		name[n++] = isalnum((unsigned char)*text) ? *text : '_';
	name[n] = 0;
	return is_reserved(name) ? arena_printf(a, "%s_model", name) : arena_strdup(a, name);
}

static int
write_one(const Bundle *b, const char *folder, const char *suffix, const void *data, size_t size,
	  Err *e)
{
	Str path = {0};
	int rc;

	str_printf(&path, "%s/%s%s", folder, b->name, suffix);
	rc = file_write(path.s, data, size, e);
	str_fini(&path);
	return rc;
}

int
bundle_write(const Bundle *b, const char *folder, Err *e)
{
	Str header = {0}, manifest = {0};
	int rc;

	bundle_header(b, &header);
	bundle_manifest(b, &manifest);
	if ((rc = dir_make(folder, e)) ||
	    (rc = write_one(b, folder, ".h", header.s, header.n, e)) ||
	    (rc = write_one(b, folder, ".o", b->object, b->object_bytes, e)) ||
	    (rc = write_one(b, folder, ".weights.bin", b->weights, b->weights_bytes, e)))
		goto out;
	rc = write_one(b, folder, ".json", manifest.s, manifest.n, e);
out:
	str_fini(&header);
	str_fini(&manifest);
	return rc;
}

int
bundle_write_pool(const char *folder, Err *e)
{
	static const struct {
		const char *name;
		const unsigned char *text, *end;
	} file[] = {{"hone_pool.h", pool_source_h, pool_source_h_end},
		    {"hone_pool.c", pool_source_c, pool_source_c_end}};
	int rc = OK;

	for (size_t i = 0; i < sizeof file / sizeof *file && !rc; i++) {
		Str path = {0};

		str_printf(&path, "%s/%s", folder, file[i].name);
		rc = file_write(str_get(&path), file[i].text, (size_t)(file[i].end - file[i].text),
				e);
		str_fini(&path);
	}
	return rc;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && !strcmp(text + n - m, end);
}

/* The only .json of a folder. */
static int
find_manifest(const char *folder, Arena *a, const char **out, Err *e)
{
	DIR *d = opendir(folder);
	const struct dirent *entry;

	if (!d)
		return err_set(e, ERR_IO, "%s: %s", folder, strerror(errno));
	*out = NULL;
	while ((entry = readdir(d))) {
		if (!ends_with(entry->d_name, ".json"))
			continue;
		if (*out) {
			closedir(d);
			return err_set(e, ERR_INPUT,
				       "%s holds several bundles: name the .json of one", folder);
		}
		*out = arena_printf(a, "%s/%s", folder, entry->d_name);
	}
	closedir(d);
	return *out ? OK : err_set(e, ERR_INPUT, "%s holds no bundle (no .json)", folder);
}

static int
read_part(const char *stem, const char *suffix, size_t want, Arena *a, const void **out, Err *e)
{
	const char *path = arena_printf(a, "%s%s", stem, suffix);
	void *copy;
	char *data;
	size_t n;
	int rc = file_read(path, want < OBJECT_MAX ? OBJECT_MAX : want, &data, &n, e);

	if (rc)
		return rc;
	if (n != want) {
		free(data);
		return err_set(e, ERR_INPUT, "%s has %zu bytes, the manifest says %zu", path, n,
			       want);
	}
	copy = arena_alloc64(a, n);
	memcpy(copy, data, n);
	free(data);
	*out = copy;
	return OK;
}

int
bundle_read(const char *path, Arena *a, Bundle *out, Err *e)
{
	char *text = NULL, *stem;
	int rc = OK;

	if (!ends_with(path, ".json"))
		rc = find_manifest(path, a, &path, e);
	if (!rc)
		rc = text_read(path, MANIFEST_MAX, &text, e);
	if (rc)
		return rc;
	rc = bundle_parse(text, a, out, e);
	free(text);
	if (rc) {
		err_prefix(e, "%s: ", path);
		return rc;
	}
	stem = arena_strdup(a, path);
	stem[strlen(stem) - strlen(".json")] = 0;
	if ((rc = read_part(stem, ".o", out->object_bytes, a, &out->object, e)) ||
	    (rc = read_part(stem, ".weights.bin", out->weights_bytes, a, &out->weights, e)))
		return rc;
	if (model_hash(out->weights, out->weights_bytes) != out->weights_hash)
		return err_set(e, ERR_INPUT, "%s.weights.bin is not the one of %s", stem, path);
	return OK;
}
