/* hone log verify: is all that a log says whole and possible. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/log_commands.h"
#include "cli/plain.h"
#include "wire/status.h"

enum { DAY_S = 86400 };

typedef struct Listing {
	int64_t told, most; /* lines */
} Listing;

static void
on_fault(void *self, int64_t row, const char *text)
{
	Listing *x = self;

	if (x->told++ >= x->most)
		return;
	if (row)
		printf("row %lld: ", (long long)row);
	plain_line(text);
}

static int
run(const Args *a, Err *e)
{
	const char *status[STATUS_COUNT + 1] = {NULL};
	Listing x = {.most = args_integer(a, "lines", 100)};
	LogVerify v = {
		.status = status, .now = clock_wall_s() + DAY_S, .fault = on_fault, .self = &x};
	LogVerified found = {0};
	Log *l;
	int rc = log_open_read(a->operand.v[0], &l, e);

	for (int i = 0; i < STATUS_COUNT; i++)
		status[i] = status_name((Status)i);
	if (!rc)
		rc = log_verify(l, &v, &found, e);
	log_close(l);
	if (rc)
		return rc;
	if (x.told > x.most)
		printf("and %lld more\n", (long long)(x.told - x.most));
	printf("%s: %lld rows, %lld texts, %lld faults\n", a->operand.v[0], (long long)found.rows,
	       (long long)found.texts, (long long)found.faults);
	return found.faults ? err_set(e, ERR_CHECK, "%lld faults", (long long)found.faults) : OK;
}

static const ArgOption options[] = {
	{.name = "lines",
	 .kind = ARG_INTEGER,
	 .min = 0,
	 .max = 1e12,
	 .value = "N",
	 .help = "faults to list at most; default 100"},
	{0},
};

const Command log_verify_command = {
	.name = "verify",
	.summary = "Check a log: file, texts behind digests, every field of every row",
	.operands = "LOG",
	.min = 1,
	.max = 1,
	.text = "Lists what is wrong, by the number of the row; exit status 1 when there is\n"
		"anything. Nothing is changed.",
	.option = options,
	.run = run,
};
