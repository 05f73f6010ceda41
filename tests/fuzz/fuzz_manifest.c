/* Any text as the manifest of a bundle; what is accepted prints and reads back. */
#include "deploy/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new();
	Str text = {0}, header = {0};
	Err e = {0};
	Bundle b;

	str_addn(&text, (const char *)data, size);
	if (bundle_parse(str_get(&text), a, &b, &e) == OK) {
		bundle_header(&b, &header);
		str_clear(&text);
		bundle_manifest(&b, &text);
		if (bundle_parse(str_get(&text), a, &b, &e))
			__builtin_trap();
	}
	str_fini(&text);
	str_fini(&header);
	arena_free(a);
	return 0;
}
