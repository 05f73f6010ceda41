/* The list of poison.
 *
 * Every line that the agent writes carries a check of itself and the last line says that it is the
 * last, so that flipped and missing bytes are noticed; lines that a person takes out are not. */
#include "rpc_server/poison.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] = "hone poison 1: not run again here; delete a line to allow it";
static const char tail[] = "end";

enum { POISON_COUNT_MAX = 999999999 };

static int
print_entry(const PoisonEntry *p, char line[POISON_LINE])
{
	char hex[DIGEST_TEXT], check[DIGEST_CHECK];
	int n;

	digest_print(&p->digest, hex);
	n = snprintf(line, POISON_LINE, "%s resets %u kills %u boot %s last %s", hex, p->resets,
		     p->kills, p->boot, p->when);
	digest_check(line, (size_t)n, check);
	return n + snprintf(line + n, POISON_LINE - (size_t)n, " check %s\n", check);
}

/* One line without its end, n bytes. It counts when it would be printed just so. */
static bool
parse_entry(const char *line, size_t n, PoisonEntry *p)
{
	char hex[DIGEST_TEXT] = "", text[POISON_LINE], again[POISON_LINE];

	if (n >= sizeof text || n < DIGEST_TEXT - 1)
		return false;
	memcpy(text, line, n);
	text[n] = 0;
	memcpy(hex, text, DIGEST_TEXT - 1);
	*p = (PoisonEntry){.resets = POISON_RESETS, .boot = "-", .when = "-"};
	if (!digest_parse(hex, &p->digest))
		return false;
	if (n == DIGEST_TEXT - 1)
		return true;
	if (sscanf(text + DIGEST_TEXT - 1, " resets %9u kills %9u boot %8s last %23s", &p->resets,
		   &p->kills, p->boot, p->when) != 4)
		return false;
	return (size_t)print_entry(p, again) == n + 1 && !memcmp(text, again, n);
}

bool
poison_parse(PoisonList *l, const char *text, size_t size, char why[POISON_LINE])
{
	const char *at = text, *end = text + size;
	bool ended = false;

	l->n = 0;
	*why = 0;
	for (unsigned line = 1; at < end; line++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop ? stop : end) - at);
		bool first = line == 1, known;
		PoisonEntry p;

		known = first ? n == sizeof head - 1 && !memcmp(at, head, n)
			      : n == sizeof tail - 1 && !memcmp(at, tail, n);
		ended |= known && !first && stop && stop + 1 == end;
		if (!known && parse_entry(at, n, &p) && l->n < POISON_MAX &&
		    !poison_find(l, &p.digest))
			l->entry[l->n++] = p;
		else if (!known && !*why)
			snprintf(why, POISON_LINE, "line %u is not understood", line);
		at = stop ? stop + 1 : end;
	}
	if (!ended && !*why)
		snprintf(why, POISON_LINE, "its end is missing");
	return !*why;
}

size_t
poison_print(const PoisonList *l, char text[POISON_TEXT])
{
	int n = sprintf(text, "%s\n", head);

	for (unsigned i = 0; i < l->n; i++)
		n += print_entry(&l->entry[i], text + n);
	return (size_t)(n + sprintf(text + n, "%s\n", tail));
}

const PoisonEntry *
poison_find(const PoisonList *l, const Digest *d)
{
	for (unsigned i = 0; i < l->n; i++)
		if (digest_equal(&l->entry[i].digest, d))
			return &l->entry[i];
	return NULL;
}

bool
poison_fatal(const PoisonEntry *p)
{
	return p && (p->resets >= POISON_RESETS || p->kills >= POISON_KILLS);
}

unsigned
poison_fatal_count(const PoisonList *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->n; i++)
		n += poison_fatal(&l->entry[i]);
	return n;
}

static void
take_out(PoisonList *l, unsigned i)
{
	l->n--;
	memmove(&l->entry[i], &l->entry[i + 1], (l->n - i) * sizeof *l->entry);
}

/* The oldest suspect goes, or the oldest of all. */
static bool
make_room(PoisonList *l)
{
	unsigned i = 0;

	while (i < l->n && poison_fatal(&l->entry[i]))
		i++;
	take_out(l, i < l->n ? i : 0);
	return i < l->n + 1;
}

/* The entry of d, at the end of the list. */
static PoisonEntry *
newest(PoisonList *l, const Digest *d, const char *when, bool *kept)
{
	const PoisonEntry *known = poison_find(l, d);
	PoisonEntry p = known ? *known : (PoisonEntry){.digest = *d, .boot = "-"};

	*kept = true;
	if (known)
		take_out(l, (unsigned)(known - l->entry));
	else if (l->n == POISON_MAX)
		*kept = make_room(l);
	snprintf(p.when, sizeof p.when, "%s", when);
	l->entry[l->n] = p;
	return &l->entry[l->n++];
}

bool
poison_kill(PoisonList *l, const Digest *d, const char *when)
{
	bool kept;
	PoisonEntry *p = newest(l, d, when, &kept);

	p->kills += p->kills < POISON_COUNT_MAX;
	return kept;
}

bool
poison_reset(PoisonList *l, const Digest *d, const char *boot, const char *when)
{
	char life[POISON_BOOT];
	bool kept;
	PoisonEntry *p = newest(l, d, when, &kept);

	snprintf(life, sizeof life, "%s", boot);
	p->resets += strcmp(life, p->boot) != 0 && p->resets < POISON_COUNT_MAX;
	memcpy(p->boot, life, sizeof life);
	return kept;
}

void
poison_remove(PoisonList *l, const Digest *d)
{
	const PoisonEntry *p = poison_find(l, d);

	if (p)
		take_out(l, (unsigned)(p - l->entry));
}
