/* Folders, in an order that does not depend on the file system. */
#include "cli/listing.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/str.h"

Names
names_in(const char *folder, Arena *a)
{
	DIR *dir = opendir(folder);
	struct dirent *f;
	Names out = {0};

	while (dir && (f = readdir(dir)))
		if (*f->d_name != '.')
			vec_push(a, &out, arena_strdup(a, f->d_name));
	if (dir)
		closedir(dir);
	if (out.n)
		qsort(out.v, (size_t)out.n, sizeof *out.v, by_text);
	return out;
}
