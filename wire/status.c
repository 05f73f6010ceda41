/* Names and texts of statuses. */
#include "wire/status.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name, *text;
} list[] = {
#define X(name, value, text) [value] = {#name, text},
	STATUS_LIST(X)
#undef X
};

const char *
status_name(Status s)
{
	return (size_t)s < sizeof list / sizeof *list ? list[s].name : "?";
}

bool
status_named(const char *name, Status *out)
{
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (!strcmp(list[i].name, name)) {
			*out = (Status)i;
			return true;
		}
	return false;
}

const char *
status_text(Status s)
{
	return (size_t)s < sizeof list / sizeof *list ? list[s].text : "?";
}

Status
status_for(unsigned version, Status s)
{
	return version < 2 && s > STATUS_FORBIDDEN ? STATUS_INFEASIBLE : s;
}
