/* hone regress --self-test: what comparisons on this board are worth. */
#include <stdio.h>

#include "cli/interrupt.h"
#include "cli/regress_commands.h"
#include "cli/regress_session.h"
#include "regress/selftest.h"

#define SLOWER_BY 0.05

static void
print_counts(const char *what, const int count[REGRESS_VERDICTS])
{
	int n = 0;

	for (int i = 0; i < REGRESS_VERDICTS; i++)
		n += count[i];
	printf("%-24s %5d comparisons:", what, n);
	for (int i = 0; i < REGRESS_VERDICTS; i++)
		if (count[i])
			printf(" %d %s", count[i], regress_verdict_fact((RegressVerdict)i)->word);
	printf("\n");
}

static int
test(RegressSession *s, const Args *a, const CompareOptions *compare, Err *e)
{
	int n = (int)args_integer(a, "self-test", 0), rc;
	SelftestOptions opt = {.compare = *compare, .equal = n, .slow = n / 2, .by = SLOWER_BY};
	Selftest found;

	opt.compare.device = s->device;
	opt.compare.device_name = s->device_name;
	opt.compare.ndevice = s->ndevice;
	if ((rc = selftest_run(&s->suite, &opt, a->arena, &found, e)))
		return rc;
	print_counts("equal sides", found.equal);
	print_counts("one side 5 % slower", found.slow);
	printf("median ratio of the slower sides: %.4f; %.0f s in all\n", found.ratio,
	       found.seconds);
	return found.equal[REGRESS_REGRESSED]
		       ? err_set(e, ERR_CHECK, "false alarms: this board cannot gate")
		       : OK;
}

int
regress_selftest(const Args *a, Err *e)
{
	RegressSession s = {0};
	RegressPolicy policy;
	CompareOptions opt;
	int rc;

	interrupt_catch();
	if (!(rc = regress_options(a, &policy, &opt, e)) &&
	    !(rc = regress_session_model(&s, a, e)) && !(rc = regress_session_boards(&s, a, e)) &&
	    !(rc = regress_session_suite(&s, e)))
		rc = test(&s, a, &opt, e);
	regress_session_close(&s);
	return rc;
}
