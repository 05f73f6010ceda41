/* Reading of cost models. */
#include "cli/cost_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "search_space/features.h"
#include "search_space/shipped.h"

enum { BYTES_MAX = 1 << 26 };

static int
parse(const Args *a, const char *text, const char *name, Trees *t, Err *e)
{
	int rc = trees_parse(text, feature_name, FEATURES, a->arena, t, e);

	if (rc)
		err_prefix(e, "%s: ", name);
	return rc;
}

int
cost_model_read(const Args *a, Trees *t, const Trees **prior, const char **for_triple, Err *e)
{
	const char *path = args_text(a, "cost-model", NULL);
	bool ships = path && !strcmp(path, COST_MODEL_SHIPPED);
	char *text;
	int rc;

	if (for_triple)
		*for_triple = ships ? SHIPPED_X86_64 : NULL;
	if (!path)
		return OK;
	*prior = t;
	if (ships)
		return parse(a, shipped_model(SHIPPED_X86_64), path, t, e);
	if ((rc = text_read(path, BYTES_MAX, &text, e)))
		return rc;
	rc = parse(a, text, path, t, e);
	free(text);
	return rc;
}
