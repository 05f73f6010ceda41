/* Reading of cost models. */
#include "cli/cost_model.h"

#include <stdlib.h>

#include "base/str.h"
#include "search_space/features.h"

enum { BYTES_MAX = 1 << 26 };

int
cost_model_read(const Args *a, Trees *t, const Trees **prior, Err *e)
{
	const char *path = args_text(a, "cost-model", NULL);
	char *text;
	size_t size;
	int rc;

	if (!path)
		return OK;
	if ((rc = file_read(path, BYTES_MAX, &text, &size, e)))
		return rc;
	rc = trees_parse(text, feature_name, FEATURES, a->arena, t, e);
	if (rc)
		err_prefix(e, "%s: ", path);
	*prior = t;
	free(text);
	return rc;
}
