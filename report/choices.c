/* The text of a Sched -> choices in words. Reads the text alone, without the Task: rows of any
 * version give what can be seen in them. The nest that is looked at is the one of the first stage
 * that sums; where none does, the first nest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/parts.h"

enum { WORD_MAX = 64, AXES_MAX = 24 };

typedef struct Nest {
	char vec[WORD_MAX], dot[WORD_MAX], par[WORD_MAX];
	bool prefetch, peel;
	int naxes, nspatial;
	struct {
		char axis[16];
		long step; /* the last one: extent in the register tile */
		bool reduce;
	} split[AXES_MAX];
	char order[WORD_MAX];
} Nest;

const char *
choice_text(ChoiceKind k)
{
	static const char *const text[] = {
#define X(name, choice) choice,
		CHOICE_LIST(X)
#undef X
	};

	return text[k];
}

static void
copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

static void
add_split(Nest *n, const char *word, bool reduce)
{
	const char *colon = strchr(word, ':');
	size_t length = colon ? (size_t)(colon - word) : 0;
	int i = 0;

	if (!length || length >= sizeof n->split[0].axis)
		return;
	while (i < n->naxes &&
	       (strncmp(n->split[i].axis, word, length) || n->split[i].axis[length]))
		i++;
	if (i == AXES_MAX)
		return;
	if (i == n->naxes) {
		memcpy(n->split[i].axis, word, length);
		n->split[i].axis[length] = 0;
		n->split[i].reduce = reduce;
		n->naxes++;
	}
	n->split[i].step = strtol(colon + 1, NULL, 10);
}

/* "k p | c": axes in the order in which their loops stand. */
static void
add_order(Nest *n, const char *word)
{
	size_t used = strlen(n->order), length = strcspn(word, ":");

	if (used + length + 2 < sizeof n->order)
		snprintf(n->order + used, sizeof n->order - used, "%s%.*s", used ? " " : "",
			 (int)length, word);
}

static void
read_word(Nest *n, const char *word, bool *reduce)
{
	if (!strcmp(word, "|"))
		*reduce = true;
	else if (!strcmp(word, "pf"))
		n->prefetch = true;
	else if (!strcmp(word, "peel"))
		n->peel = true;
	else if (!strncmp(word, "vec=", 4))
		copy(n->vec, sizeof n->vec, word + 4);
	else if (!strncmp(word, "dot=", 4))
		copy(n->dot, sizeof n->dot, word + 4);
	else if (!strncmp(word, "par=", 4))
		copy(n->par, sizeof n->par, word + 4);
	else if (strchr(word, ':'))
		add_split(n, word, *reduce);
	if (!strcmp(word, "|") || strchr(word, ':'))
		add_order(n, word);
}

/* One line of the text without "nest". Returns whether it sums. */
static bool
read_nest(const char *line, size_t length, Nest *n)
{
	char word[WORD_MAX];
	bool reduce = false;

	*n = (Nest){.dot = "no", .vec = "none", .par = "1"};
	for (size_t i = 0; i < length;) {
		size_t w = strcspn(line + i, " \n");

		if (i + w > length)
			w = length - i;
		if (w && w < sizeof word) {
			memcpy(word, line + i, w);
			word[w] = 0;
			read_word(n, word, &reduce);
		}
		i += w + 1;
	}
	return reduce;
}

static bool
starts(const char *line, const char *word)
{
	return !strncmp(line, word, strlen(word));
}

static void
see_number(ChoiceSee *see, void *self, ChoiceKind kind, long v)
{
	char text[32];

	snprintf(text, sizeof text, "%ld", v);
	see(self, kind, text);
}

/* "64 x 6": lanes' axis times the others; reduction steps apart. */
static void
see_tile(const Nest *n, ChoiceSee *see, void *self)
{
	long lanes = 1, others = 1, unroll = 1;
	char text[64];

	for (int i = 0; i < n->naxes; i++) {
		long step =
			n->split[i].step > 0 && n->split[i].step < 1 << 16 ? n->split[i].step : 1;
		long *to = n->split[i].reduce                  ? &unroll
			   : !strcmp(n->split[i].axis, n->vec) ? &lanes
							       : &others;

		*to = *to < 1 << 20 ? *to * step : *to;
	}
	snprintf(text, sizeof text, "%ld x %ld", lanes, others);
	see(self, CHOICE_TILE, text);
	see_number(see, self, CHOICE_UNROLLED, unroll);
}

static void
see_nest(const Nest *n, ChoiceSee *see, void *self)
{
	see(self, CHOICE_LANES, n->vec);
	see(self, CHOICE_ORDER, n->order);
	see(self, CHOICE_PREFETCH, n->prefetch ? "yes" : "no");
	see(self, CHOICE_PEEL, n->peel ? "yes" : "no");
	see(self, CHOICE_DOT, n->dot);
	see(self, CHOICE_PARTIAL, n->par);
	see_tile(n, see, self);
}

void
choices_of(const char *sched, ChoiceSee *see, void *self)
{
	Nest nest, first;
	bool any = false, sums = false, shared = false;
	char rewrite[WORD_MAX];

	snprintf(rewrite, sizeof rewrite, "%.*s", (int)strcspn(sched, "\n"), sched);
	see(self, CHOICE_ALGORITHM, rewrite);
	for (const char *line = strchr(sched, '\n'); line && !sums; line = strchr(line, '\n')) {
		line++;
		shared |= starts(line, "fuse ");
		if (!starts(line, "nest"))
			continue;
		sums = read_nest(line + 4, strcspn(line + 4, "\n"), &nest);
		if (sums || !any)
			first = nest;
		any = true;
	}
	see(self, CHOICE_SHARED, shared ? "yes" : "no");
	if (any)
		see_nest(&first, see, self);
}
