/* Softmax and LogSoftmax along one axis, shifted by the maximum so that nothing overflows. */
#include "kernels/element.h"
#include "kernels/kmath.h"

/* Line: count elements from at, step apart. */
typedef struct Line {
	const KTensor *x, *y;
	int64_t at, step, count;
} Line;

static double
line_max(const Line *l)
{
	double v[K_RUN], max = -K_INFINITY;

	for (int64_t i = 0; i < l->count; i += K_RUN) {
		int n = (int)k_min(K_RUN, l->count - i);

		k_load(l->x, l->at + i * l->step, l->step, n, v);
		for (int j = 0; j < n; j++)
			max = v[j] > max || v[j] != v[j] ? v[j] : max;
	}
	return max;
}

static double
line_sum(const Line *l, double max)
{
	double v[K_RUN], sum = 0;

	for (int64_t i = 0; i < l->count; i += K_RUN) {
		int n = (int)k_min(K_RUN, l->count - i);

		k_load(l->x, l->at + i * l->step, l->step, n, v);
		for (int j = 0; j < n; j++)
			sum += k_exp(v[j] - max);
	}
	return sum;
}

static void
line_softmax(const Line *l, bool logarithm)
{
	double v[K_RUN], max = line_max(l), sum = line_sum(l, max), log_sum = k_log(sum);

	for (int64_t i = 0; i < l->count; i += K_RUN) {
		int n = (int)k_min(K_RUN, l->count - i);

		k_load(l->x, l->at + i * l->step, l->step, n, v);
		for (int j = 0; j < n; j++)
			v[j] = logarithm ? v[j] - max - log_sum : k_exp(v[j] - max) / sum;
		k_store(l->y, l->at + i * l->step, l->step, n, v);
	}
}

static int
softmax(const KCall *k, bool logarithm)
{
	int axis = (int)k_int(k, ATTR_axis);
	Line l = {k->in, k->out, 0, 1, k->in->dim[axis]};
	int64_t outer = 1;

	if (!k_is_float(k->in))
		return -1;
	for (int a = 0; a < axis; a++)
		outer *= k->in->dim[a];
	for (int a = axis + 1; a < k->in->rank; a++)
		l.step *= k->in->dim[a];
	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < l.step; i++) {
			l.at = o * l.count * l.step + i;
			line_softmax(&l, logarithm);
		}
	return 0;
}

int
ref_softmax(const KCall *k)
{
	return softmax(k, false);
}

int
ref_logsoftmax(const KCall *k)
{
	return softmax(k, true);
}
