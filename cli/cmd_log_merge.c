/* hone log merge: the rows of logs into one. */
#include <stdio.h>

#include "cli/log_commands.h"
#include "cli/plain.h"

int
log_merge_told(Log *into, Log *from, const char *name, int64_t *refused, Err *e)
{
	LogMerge m;
	int rc = log_merge(into, from, &m, e);

	if (rc)
		return rc;
	printf("%s: %lld added, %lld known, %lld skipped, %lld texts, %lld plans\n", name,
	       (long long)m.added, (long long)m.known, (long long)m.refused, (long long)m.texts,
	       (long long)m.plans);
	for (int i = 0; i < m.nrefusal; i++) {
		printf("%s: %lld skipped, row %lld the first: ", name, (long long)m.refusal[i].rows,
		       (long long)m.refusal[i].first);
		plain_line(m.refusal[i].text);
	}
	*refused += m.refused;
	return OK;
}

static int
merge_file(Log *into, const char *path, int64_t *refused, Err *e)
{
	Log *from;
	int rc = log_open_read(path, &from, e);

	if (!rc)
		rc = log_merge_told(into, from, path, refused, e);
	log_close(from);
	return rc;
}

static int
run(const Args *a, Err *e)
{
	int64_t refused = 0;
	Log *into;
	int rc = log_open(a->operand.v[0], &into, e);

	for (int i = 1; i < a->operand.n && !rc; i++)
		rc = merge_file(into, a->operand.v[i], &refused, e);
	log_close(into);
	if (!rc && refused)
		rc = err_set(e, ERR_INPUT, "%lld rows skipped, reasons above", (long long)refused);
	return rc;
}

const Command log_merge_command = {
	.name = "merge",
	.summary = "Add the rows of logs to the first, which is made when there is none",
	.operands = "INTO FROM...",
	.min = 2,
	.max = 1 << 20,
	.text = "A row that is there already is not added again: same task, form, target, device\n"
		"and mode, same schedule, session, time and samples. Texts and plans come along; "
		"what\n"
		"INTO has already stays. Each FROM is one transaction, of any format up to this\n"
		"program's. Rows that are not right are skipped by reason; the exit status is then "
		"2.",
	.run = run,
};
