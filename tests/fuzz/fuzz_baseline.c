/* Any text as a baseline, and as an exported one; what is accepted prints and reads back. */
#include "regress/baseline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
text_again(const Baseline *b, Arena *a)
{
	Str first = {0}, second = {0};
	Baseline again;

	baseline_print(b, &first);
	if (baseline_parse("again", str_get(&first), a, &again, NULL))
		__builtin_trap();
	baseline_print(&again, &second);
	if (first.n != second.n)
		__builtin_trap();
	str_fini(&first);
	str_fini(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new();
	Str text = {0}, packed = {0};
	Baseline b;

	str_addn(&text, (const char *)data, size);
	if (!baseline_parse("text", str_get(&text), a, &b, NULL))
		text_again(&b, a);
	if (!baseline_unpack("file", str_get(&text), size, a, &b, NULL)) {
		baseline_pack(&b, &packed);
		if (baseline_unpack("again", str_get(&packed), packed.n, a, &b, NULL))
			__builtin_trap();
	}
	str_fini(&text);
	str_fini(&packed);
	arena_free(a);
	return 0;
}
