/* Where the time of tuning went, as the runs themselves recorded it. */
#include <stdlib.h>
#include <string.h>

#include "report/parts.h"
#include "tuner/tune.h"

/* "trials=1480 seconds=38.200 build=...": the number behind a name, 0 where it is not. */
static double
number_of(const char *text, const char *name)
{
	size_t n = strlen(name);
	const char *at = text;

	while (at && (strncmp(at, name, n) || at[n] != '=')) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	if (at) {
		double v = strtod(at + n + 1, NULL);

		return v > 0 && v < 1e9 ? v : 0;
	}
	return 0;
}

void
report_costs(ReportSection *s, const ReportRuns *runs, Log *l, Arena *a)
{
	static const struct {
		const char *name, *text;
	} list[] = {
#define X(name, text) {#name, text},
		TUNE_COST_LIST(X)
#undef X
	};
	Err ignored = {0};
	const char *text;

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		vec_push(a, &s->cost, ((ReportCost){list[i].text, 0}));
	for (int i = 0; i < runs->n; i++) {
		if (log_get_text(l, a, LOG_TEXT_STATS, runs->v[i].run, &text, &ignored))
			continue;
		s->costed++;
		if (runs->v[i].again)
			continue;
		s->cost_seconds += number_of(text, "seconds");
		for (int k = 0; k < s->cost.n; k++)
			s->cost.v[k].seconds += number_of(text, list[k].name);
	}
}
