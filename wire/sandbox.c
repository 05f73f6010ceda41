/* Words for the layers of a sandbox. */
#include "wire/sandbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *word, *text;
} list[] = {
#define X(name, bit, word, text) [bit] = {word, text},
	SANDBOX_LIST(X)
#undef X
};

_Static_assert(sizeof list / sizeof *list == SANDBOX_LAYERS, "the last layer has the largest bit");

const char *
sandbox_word(unsigned layer)
{
	return layer < SANDBOX_LAYERS ? list[layer].word : "?";
}

const char *
sandbox_text(unsigned layer)
{
	return layer < SANDBOX_LAYERS ? list[layer].text : "?";
}

/* The layers that a word of n bytes means; 0: none has that name. */
static uint64_t
layers_of(const char *word, size_t n)
{
	if (n == 3 && !strncmp(word, "all", n))
		return SANDBOX_ALL;
	for (unsigned i = 0; i < SANDBOX_LAYERS; i++)
		if (strlen(list[i].word) == n && !strncmp(word, list[i].word, n))
			return (uint64_t)1 << i;
	return 0;
}

int
sandbox_parse(const char *text, uint64_t *layers, Err *e)
{
	*layers = 0;
	if (!strcmp(text, "none"))
		return OK;
	for (const char *at = text;; at++) {
		bool without = *at == '-';
		const char *word = at + without;
		size_t n = strcspn(word, ",");
		uint64_t meant = layers_of(word, n);

		if (!meant)
			return err_set(e, ERR_INPUT, "'%.*s': no layer of the sandbox",
				       (int)(n < 100 ? n : 100), word);
		*layers = without ? *layers & ~meant : *layers | meant;
		at = word + n;
		if (!*at)
			return OK;
	}
}

void
sandbox_words(uint64_t layers, char text[SANDBOX_WORDS_BYTES])
{
	size_t n = 0;

	snprintf(text, SANDBOX_WORDS_BYTES, "none");
	for (unsigned i = 0; i < SANDBOX_LAYERS; i++)
		if (layers >> i & 1)
			n += (size_t)snprintf(text + n, SANDBOX_WORDS_BYTES - n, "%s%s",
					      n ? "," : "", list[i].word);
}
