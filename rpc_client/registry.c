/* Devices by name, a file each, so that two programs may add and remove at the same time. */
#include "rpc_client/registry.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folders.h"
#include "base/str.h"

#define HEAD    "hone-device 1\n"
#define ADDRESS "address "

enum { PATH_ROOM = FOLDER_MAX + KEY_NAME_MAX + 2, FILE_ROOM = ADDRESS_MAX + 2 * KEY_TEXT_MAX };

void
known_wipe(KnownDevice *d)
{
	key_wipe(&d->key);
	*d = (KnownDevice){0};
}

static int
path_of(const char *name, char path[PATH_ROOM], Err *e)
{
	char folder[FOLDER_MAX];
	int rc = folder_config("devices", folder, e);

	if (!rc && !key_name_ok(name, strlen(name)))
		rc = err_set(e, ERR_INPUT,
			     "name '%.60s': expected at most %d letters, digits, '.', '_', '-', "
			     "the first one a letter or digit",
			     name, KEY_NAME_MAX);
	if (!rc)
		snprintf(path, PATH_ROOM, "%s/%s", folder, name);
	return rc;
}

static int
parse(const char *text, KnownDevice *d, Err *e)
{
	size_t head = sizeof HEAD - 1, word = sizeof ADDRESS - 1, n;

	if (strncmp(text, HEAD, head) || strncmp(text + head, ADDRESS, word))
		return err_set(e, ERR_INPUT, "expected 'hone-device 1' and an address");
	text += head + word;
	n = strcspn(text, "\n");
	if (!n || n >= sizeof d->address)
		return err_set(e, ERR_INPUT, "address of %zu bytes", n);
	memcpy(d->address, text, n);
	text += n;
	text += strspn(text, "\n");
	d->keyed = *text != 0;
	return d->keyed ? key_parse(text, &d->key, e) : OK;
}

int
registry_find(const char *name, KnownDevice *d, Err *e)
{
	char path[PATH_ROOM], text[FILE_ROOM];
	int rc = path_of(name, path, e);

	*d = (KnownDevice){0};
	if (!rc && access(path, F_OK) && errno == ENOENT)
		return NOT_APPLICABLE;
	if (!rc)
		rc = key_read_private(path, text, sizeof text, e);
	if (rc)
		return rc;
	snprintf(d->name, sizeof d->name, "%s", name);
	rc = parse(text, d, e);
	explicit_bzero(text, sizeof text);
	if (rc) {
		err_prefix(e, "%s: ", path);
		known_wipe(d);
	}
	return rc;
}

static int
make_folder(Err *e)
{
	char folder[FOLDER_MAX];
	int rc = folder_config("devices", folder, e);

	if (rc || !access(folder, F_OK))
		return rc;
	rc = dir_make(folder, e);
	if (!rc && chmod(folder, 0700))
		rc = err_set(e, ERR_IO, "%s: %s", folder, strerror(errno));
	return rc;
}

int
registry_add(const KnownDevice *d, bool replace, Err *e)
{
	char path[PATH_ROOM], text[FILE_ROOM], key[KEY_TEXT_MAX] = "";
	int rc = path_of(d->name, path, e);

	if (!rc)
		rc = make_folder(e);
	if (rc)
		return rc;
	if (d->keyed)
		key_print(&d->key, key);
	snprintf(text, sizeof text, HEAD ADDRESS "%s\n%s", d->address, key);
	rc = key_write_private(path, text, !replace, e);
	explicit_bzero(key, sizeof key);
	explicit_bzero(text, sizeof text);
	return rc;
}

int
registry_remove(const char *name, Err *e)
{
	char path[PATH_ROOM];
	int rc = path_of(name, path, e);

	if (rc || !unlink(path))
		return rc;
	return errno == ENOENT ? NOT_APPLICABLE
			       : err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
}

int
registry_names(char ***name, int *n, Err *e)
{
	char folder[FOLDER_MAX];
	int rc = folder_config("devices", folder, e);
	DIR *d = rc ? NULL : opendir(folder);
	struct dirent *entry;

	*name = NULL;
	*n = 0;
	if (!d)
		return rc                ? rc
		       : errno == ENOENT ? OK
					 : err_set(e, ERR_IO, "%s: %s", folder, strerror(errno));
	while (!rc && (entry = readdir(d))) {
		char **v;

		if (!key_name_ok(entry->d_name, strlen(entry->d_name)))
			continue;
		v = realloc(*name, (size_t)(*n + 1) * sizeof *v);
		if (v)
			*name = v;
		if (!v || !(v[*n] = strdup(entry->d_name)))
			rc = err_set(e, ERR_NOMEM, "devices: out of memory");
		else
			++*n;
	}
	closedir(d);
	if (*n)
		qsort(*name, (size_t)*n, sizeof **name, by_text);
	return rc;
}
