/* Which loop of a nest threads will share, and what they gain: as codegen/share.c finds it in the
 * lowered form, from trip counts alone. */
#include <math.h>
#include <string.h>

#include "search_space/cost.h"

/* What a loop further in must gain to be the one that is shared. */
static const double INNER_GAIN = 1.07;

double
cost_shared(double extent, double step, const Target *t)
{
	double whole = floor(extent / step), threads = (double)t->threads;
	double all = extent / step, most = fmax(ceil(whole / threads), all / threads);

	return most > 0 ? all / most : 1;
}

double
cost_split(const StageInfo *s, const StageSched *q, const Target *t, int *axis)
{
	int64_t span[STAGE_AXES_MAX];
	double best = 1;

	*axis = TASK_NONE;
	memcpy(span, s->extent, sizeof span);
	for (int i = 0; t->threads > 1 && i < q->n; i++) {
		const Split *sp = &q->split[i];
		double gain;

		if (sp->axis >= s->stage->nspatial || sp->step >= span[sp->axis])
			continue;
		gain = cost_shared((double)span[sp->axis], (double)sp->step, t);
		if (gain > best * INNER_GAIN) {
			best = gain;
			*axis = sp->axis;
		}
		span[sp->axis] = sp->step;
	}
	return best;
}
