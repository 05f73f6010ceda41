/* The exit status: the most severe of what the entries ask for. */

#include "regress/exit.h"

enum { NOTHING_COMPARED = 4, INCONCLUSIVE = 6 };

/* Most severe first. */
static const int order[] = {7, 1, 4, INCONCLUSIVE, 0};

static int
rank_of(int status)
{
	for (int i = 0; i < (int)(sizeof order / sizeof *order); i++)
		if (order[i] == status)
			return i;
	return 0;
}

int
regress_exit(const RegressResult *r)
{
	int worst = 0;

	if (!r->nkernel)
		return NOTHING_COMPARED;
	for (int i = 0; i < r->nkernel; i++) {
		int status = regress_verdict_fact(r->kernel[i].verdict)->exit_code;

		if (status == INCONCLUSIVE)
			status = r->policy.inconclusive;
		if (rank_of(status) < rank_of(worst))
			worst = status;
	}
	return worst;
}

const char *
regress_exit_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
#define X(number, words) {number, words},
		REGRESS_EXIT_LIST(X)
#undef X
	};

	for (int i = 0; i < (int)(sizeof texts / sizeof *texts); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "";
}
