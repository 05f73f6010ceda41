/* The journal's entry as text. What follows the line of the check belongs to a longer entry before
 * it. The number of the one that runs is outside of the check: it is written over and over. */
#include "rpc_server/record.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

static const char head[] = "hone run 1\nat 0000\n";

_Static_assert(sizeof head - 1 == RECORD_AT + RECORD_AT_LEN + 1, "RECORD_AT is where 0000 stands");

void
record_print_at(uint32_t at, char text[RECORD_AT_LEN + 1])
{
	snprintf(text, RECORD_AT_LEN + 1, "%04u", at % 10000);
}

size_t
record_print(const Record *r, char text[RECORD_BYTES])
{
	char check[DIGEST_CHECK];
	int n = sprintf(text, "%s", head);

	record_print_at(r->at, text + RECORD_AT);
	text[RECORD_AT + RECORD_AT_LEN] = '\n';
	n += sprintf(text + n, "boot %s\nagent %lld\nbegan %lld\n", *r->boot ? r->boot : "-",
		     (long long)r->pid, (long long)r->began);
	for (uint32_t i = 0; i < r->n; i++) {
		char hex[DIGEST_TEXT];

		digest_print(&r->run[i], hex);
		n += sprintf(text + n, "run %s\n", hex);
	}
	digest_check(text + sizeof head - 1, (size_t)n - (sizeof head - 1), check);
	n += sprintf(text + n, "check %s\n", check);
	return (size_t)n;
}

/* Reads the lines of `run` that begin at text; where they end. */
static const char *
parse_runs(Record *r, const char *text)
{
	char hex[DIGEST_TEXT];

	while (r->n < CANDIDATES_MAX && !strncmp(text, "run ", 4)) {
		snprintf(hex, sizeof hex, "%s", text + 4);
		if (!digest_parse(hex, &r->run[r->n]) || text[4 + DIGEST_TEXT - 1] != '\n')
			break;
		r->n++;
		text += 4 + DIGEST_TEXT;
	}
	return text;
}

/* It counts when it would be printed just so. */
static bool
is_exact(const Record *r, const char *text, size_t n)
{
	char again[RECORD_BYTES];

	return record_print(r, again) == n && !memcmp(text, again, n);
}

int
record_parse(Record *r, const char *data, size_t size)
{
	char text[RECORD_BYTES + 1] = "";
	const char *check;
	long long pid, began;
	int used = 0;

	*r = (Record){0};
	if (size > RECORD_BYTES)
		return ERR_INPUT;
	memcpy(text, data, size);
	if (sscanf(text, "hone run 1\nat %4u\nboot %39s\nagent %18lld\nbegan %18lld\n%n", &r->at,
		   r->boot, &pid, &began, &used) != 4 ||
	    !used)
		return ERR_INPUT;
	r->pid = pid;
	r->began = began;
	if (!strcmp(r->boot, "-"))
		*r->boot = 0;
	check = parse_runs(r, text + used);
	return is_exact(r, text, (size_t)(check - text) + sizeof "check 01234567\n" - 1)
		       ? OK
		       : ERR_INPUT;
}
