/* Comparisons and logic with NumPy broadcasting: BOOL out. Any comparison with NaN is false. */
#include "kernels/walk.h"

typedef void FloatRun(int n, const double *x, const double *y, int64_t *z);
typedef void IntRun(int n, const int64_t *x, const int64_t *y, int64_t *z);

/* run may be NULL where only integers can come. Integers are compared by key: one order for signed
 * and unsigned. */
static int
compare(const KCall *k, FloatRun *run, IntRun *int_run)
{
	const KTensor *x = &k->in[0], *y = &k->in[1], *z = k->out;
	int64_t at = 0, i[K_RUN], j[K_RUN];
	double v[K_RUN], w[K_RUN];
	Walk walk;

	walk_init(&walk, z->rank, z->dim);
	walk_broadcast(&walk, 0, x);
	walk_broadcast(&walk, 1, y);
	walk_merge(&walk);
	walk_start(&walk);
	for (; walk_next(&walk); at += walk.n) {
		if (k_is_float(x)) {
			k_load(x, walk.at[0], walk.run[0], walk.n, v);
			k_load(y, walk.at[1], walk.run[1], walk.n, w);
			run(walk.n, v, w, i);
		} else {
			k_load_key(x, walk.at[0], walk.run[0], walk.n, false, i);
			k_load_key(y, walk.at[1], walk.run[1], walk.n, false, j);
			int_run(walk.n, i, j, i);
		}
		k_store_int(z, at, 1, walk.n, i);
	}
	return 0;
}

#define X(name, op, takes_bool)                                                           \
	static void name##_run(int n, const double *x, const double *y, int64_t *z)       \
	{                                                                                 \
		for (int i = 0; i < n; i++)                                               \
			z[i] = x[i] op y[i];                                              \
	}                                                                                 \
	static void name##_int_run(int n, const int64_t *x, const int64_t *y, int64_t *z) \
	{                                                                                 \
		for (int i = 0; i < n; i++)                                               \
			z[i] = x[i] op y[i];                                              \
	}                                                                                 \
	int ref_##name(const KCall *k)                                                    \
	{                                                                                 \
		if (k->in[0].type == DT_BOOL && !takes_bool)                              \
			return -1;                                                        \
		return compare(k, name##_run, name##_int_run);                            \
	}
X(equal, ==, true)
X(greater, >, false)
X(less, <, false)
X(greaterorequal, >=, false)
X(lessorequal, <=, false)
#undef X

/* Loads give 0 or 1, so bitwise operators do. */
#define X(name, op)                                                                       \
	static void name##_int_run(int n, const int64_t *x, const int64_t *y, int64_t *z) \
	{                                                                                 \
		for (int i = 0; i < n; i++)                                               \
			z[i] = x[i] op y[i];                                              \
	}                                                                                 \
	int ref_##name(const KCall *k)                                                    \
	{                                                                                 \
		if (k->in[0].type != DT_BOOL)                                             \
			return -1;                                                        \
		return compare(k, 0, name##_int_run);                                     \
	}
X(and, &)
X(or, |)
X(xor, ^)
#undef X

int
ref_not(const KCall *k)
{
	int64_t count = k_count(k->out), v[K_RUN];

	if (k->in[0].type != DT_BOOL)
		return -1;
	for (int64_t at = 0; at < count; at += K_RUN) {
		int n = (int)k_min(K_RUN, count - at);

		k_load_int(k->in, at, 1, n, v);
		for (int i = 0; i < n; i++)
			v[i] = !v[i];
		k_store_int(k->out, at, 1, n, v);
	}
	return 0;
}
