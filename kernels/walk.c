/* Walk over an index space in runs. Invariant between calls: at[o] is the sum of index[a] *
 * step[o][a], plus what the caller added after walk_start. */
#include "kernels/walk.h"

void
walk_init(Walk *w, int axes, const int64_t *dim)
{
	w->axes = axes ? axes : 1;
	w->dim[0] = 1;
	for (int a = 0; a < axes; a++)
		w->dim[a] = dim[a];
	for (int o = 0; o < WALK_OPERANDS; o++) {
		for (int a = 0; a < w->axes; a++)
			w->step[o][a] = 0;
	}
}

void
walk_broadcast(Walk *w, int o, const KTensor *t)
{
	int64_t step = 1;

	for (int a = w->axes - 1, i = t->rank - 1; a >= 0 && i >= 0; a--, i--) {
		w->step[o][a] = t->dim[i] == 1 ? 0 : step;
		step *= t->dim[i];
	}
}

void
walk_contiguous(Walk *w, int o)
{
	int64_t step = 1;

	for (int a = w->axes - 1; a >= 0; a--) {
		w->step[o][a] = step;
		step *= w->dim[a];
	}
}

/* May axis a absorb axis b, which follows it? */
static bool
joins(const Walk *w, int a, int b)
{
	for (int o = 0; o < WALK_OPERANDS; o++)
		if (w->step[o][a] != w->step[o][b] * w->dim[b])
			return false;
	return true;
}

static void
move_axis(Walk *w, int to, int from)
{
	for (int o = 0; o < WALK_OPERANDS; o++)
		w->step[o][to] = w->step[o][from];
}

void
walk_merge(Walk *w)
{
	int last = 0; /* axes 0..last are done */

	for (int a = 1; a < w->axes; a++) {
		if (w->dim[a] == 1)
			continue;
		if (w->dim[last] == 1) {
			w->dim[last] = w->dim[a];
			move_axis(w, last, a);
		} else if (joins(w, last, a)) {
			w->dim[last] *= w->dim[a];
			move_axis(w, last, a);
		} else {
			w->dim[++last] = w->dim[a];
			move_axis(w, last, a);
		}
	}
	w->axes = last + 1;
}

void
walk_start(Walk *w)
{
	w->n = 0;
	w->left = 1;
	for (int a = 0; a < w->axes; a++) {
		w->index[a] = 0;
		w->left *= w->dim[a];
	}
	for (int o = 0; o < WALK_OPERANDS; o++) {
		w->at[o] = 0;
		w->run[o] = w->step[o][w->axes - 1];
	}
}

static void
advance(Walk *w)
{
	int a = w->axes - 1;

	w->left -= w->n;
	w->index[a] += w->n;
	for (int o = 0; o < WALK_OPERANDS; o++)
		w->at[o] += w->run[o] * w->n;
	for (; a > 0 && w->index[a] == w->dim[a]; a--) {
		for (int o = 0; o < WALK_OPERANDS; o++)
			w->at[o] += w->step[o][a - 1] - w->dim[a] * w->step[o][a];
		w->index[a] = 0;
		w->index[a - 1]++;
	}
}

bool
walk_next(Walk *w)
{
	int a = w->axes - 1;

	if (w->n)
		advance(w);
	w->n = w->left ? (int)k_min(K_RUN, w->dim[a] - w->index[a]) : 0;
	return w->n;
}

void
walk_copy(Walk *w, const KTensor *to, int64_t at0, const KTensor *from, int64_t at1)
{
	walk_merge(w);
	walk_start(w);
	w->at[0] += at0;
	w->at[1] += at1;
	while (walk_next(w))
		k_copy(to, w->at[0], w->run[0], from, w->at[1], w->run[1], w->n);
}
