/* QuantizeLinear and DequantizeLinear, per tensor or per channel of one axis.
 *
 * The quotient x / scale is rounded to the scale's type before it is rounded to an integer (half to
 * even): that is the precision ONNX divides in, and it decides ties.
 */
#include "kernels/element.h"
#include "kernels/kmath.h"

/* A run of n elements from `at` on that share scale and zero point. */
typedef void Run(const KCall *k, int64_t at, int n, double scale, double zero);

static double
rounded_to(DType type, double v)
{
	double stored;
	KTensor one;

	one.type = type;
	one.data = &stored;
	k_put(&one, 0, v);
	return k_get(&one, 0);
}

static void
quantize_run(const KCall *k, int64_t at, int n, double scale, double zero)
{
	double v[K_RUN];

	k_load(k->in, at, 1, n, v);
	for (int i = 0; i < n; i++)
		v[i] = k_rint(rounded_to((DType)k->in[1].type, v[i] / scale)) + zero;
	k_store(k->out, at, 1, n, v);
}

static void
dequantize_run(const KCall *k, int64_t at, int n, double scale, double zero)
{
	double v[K_RUN];

	k_load(k->in, at, 1, n, v);
	for (int i = 0; i < n; i++)
		v[i] = (v[i] - zero) * scale;
	k_store(k->out, at, 1, n, v);
}

static int
each_channel(const KCall *k, Run *run)
{
	const KTensor *x = k->in, *scale = &k->in[1], *zero = k_input(k, 2);
	int64_t channels = k_count(scale), inner = k_count(x), count = k_count(x);

	if (channels > 1) {
		inner = 1;
		for (int a = (int)k_int(k, ATTR_axis) + 1; a < x->rank; a++)
			inner *= x->dim[a];
	}
	for (int64_t at = 0, c = 0; at < count; at += inner, c = (c + 1) % channels) {
		double s = k_get(scale, c), z = zero ? k_get(zero, c) : 0;

		for (int64_t i = 0; i < inner; i += K_RUN)
			run(k, at + i, (int)k_min(K_RUN, inner - i), s, z);
	}
	return 0;
}

static bool
is_small_int(const KTensor *t)
{
	return t->type >= DT_I8 && t->type <= DT_U16;
}

static bool
is_small_float(const KTensor *t)
{
	return k_is_float(t) && t->type != DT_F64;
}

int
ref_quantizelinear(const KCall *k)
{
	if (!(is_small_float(k->in) || k->in->type == DT_I32) || !is_small_float(&k->in[1]) ||
	    !is_small_int(k->out))
		return -1;
	return each_channel(k, quantize_run);
}

int
ref_dequantizelinear(const KCall *k)
{
	if (!(is_small_int(k->in) || k->in->type == DT_I32) || !is_small_float(k->out))
		return -1;
	return each_channel(k, dequantize_run);
}
