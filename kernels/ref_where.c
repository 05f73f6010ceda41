/* Where: takes X where the condition holds, else Y; all three broadcast. Moves bits. */
#include "kernels/walk.h"

int
ref_where(const KCall *k)
{
	const KTensor *x = &k->in[1], *y = &k->in[2], *z = k->out;
	int64_t at = 0, cond[K_RUN];
	Walk w;

	if (k->in[0].type != DT_BOOL)
		return -1;
	walk_init(&w, z->rank, z->dim);
	for (int o = 0; o < 3; o++)
		walk_broadcast(&w, o, &k->in[o]);
	walk_merge(&w);
	walk_start(&w);
	for (; walk_next(&w); at += w.n) {
		k_load_int(&k->in[0], w.at[0], w.run[0], w.n, cond);
		for (int i = 0; i < w.n; i++) {
			const KTensor *from = cond[i] ? x : y;
			int o = cond[i] ? 1 : 2;

			k_copy(z, at + i, 1, from, w.at[o] + i * w.run[o], 1, 1);
		}
	}
	return 0;
}
