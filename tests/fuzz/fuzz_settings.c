/* Configuration files: what is read prints as a file that reads back the same. */
#include <stdlib.h>
#include <string.h>

#include "rpc_server/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything but where the values come from, which is told by comments. */
static char *
printed(const Settings *s)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	settings_print(s, out);
	fclose(out);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *first, *again;
	Settings s, back;
	int rc;

	memcpy(text, data, size);
	text[size] = 0;
	settings_init(&s);
	s.file = "f";
	rc = settings_read(&s, "f", text, size, NULL);
	if (rc == OK) {
		first = printed(&s);
		settings_init(&back);
		back.file = "f";
		again = strdup(first);
		if (settings_read(&back, "f", again, strlen(again), NULL) ||
		    memcmp(&s.config.limits, &back.config.limits, sizeof s.config.limits) ||
		    s.config.sandbox != back.config.sandbox || s.stdio != back.stdio ||
		    s.config.blob_bytes != back.config.blob_bytes ||
		    s.config.core != back.config.core || !s.listen != !back.listen ||
		    (s.listen && strcmp(s.listen, back.listen)))
			abort();
		free(first);
		free(again);
	}
	free(text);
	return 0;
}
