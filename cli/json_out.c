/* A command's answer is printed at once and whole. */
#include "cli/json_out.h"

#include <stdio.h>

void
json_out(Json *top)
{
	Str s = {0};

	json_print(top, &s);
	json_free(top);
	fputs(str_get(&s), stdout);
	str_fini(&s);
}
