/* Follows a pack description. */
#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"

#define INDEX_MAX (1ull << 40) /* how far counters may move an index */

typedef struct Reader {
	const unsigned char *p;
	size_t left;
	int failed;
} Reader;

typedef struct PackLoop {
	int64_t extent, stride;
	int32_t coef[PACK_RANK_MAX];
} PackLoop;

typedef struct PackSegment {
	uint32_t constant, lanes, slots;
	int rank, loops, whole;
	DType type;
	uint64_t offset;
	double otherwise;
	int64_t dim[PACK_RANK_MAX], flat[PACK_RANK_MAX]; /* flat: row-major strides */
	int32_t lane[PACK_RANK_MAX];
	PackLoop loop[PACK_LOOPS_MAX];
	const unsigned char *slot; /* slots x rank x i32 */
	const unsigned char *src;
	unsigned char *dst;
	size_t size; /* of an element */
} PackSegment;

static void
take(Reader *r, void *to, size_t n)
{
	if (r->failed || n > r->left) {
		r->failed = 1;
		memset(to, 0, n);
		return;
	}
	memcpy(to, r->p, n);
	r->p += n;
	r->left -= n;
}

static uint32_t
take_u32(Reader *r)
{
	uint32_t v;

	take(r, &v, sizeof v);
	return v;
}

static int64_t
take_i64(Reader *r)
{
	int64_t v;

	take(r, &v, sizeof v);
	return v;
}

static void
read_segment(Reader *r, PackSegment *s)
{
	uint8_t b[4];

	s->constant = take_u32(r);
	take(r, b, sizeof b);
	s->type = b[0] < DT_COUNT ? (DType)b[0] : DT_F32;
	s->rank = b[1];
	s->loops = b[2];
	s->whole = b[3];
	s->lanes = take_u32(r);
	s->slots = take_u32(r);
	s->offset = (uint64_t)take_i64(r);
	take(r, &s->otherwise, sizeof s->otherwise);
	if (b[0] >= DT_COUNT || s->rank > PACK_RANK_MAX || s->loops > PACK_LOOPS_MAX ||
	    s->lanes < 1 || s->lanes > PACK_LANES_MAX || s->slots > 1u << 20)
		r->failed = 1;
	if (r->failed)
		return;
	s->size = dtype_size(s->type);
	for (int d = 0; d < s->rank; d++)
		s->dim[d] = take_i64(r);
	for (int d = 0; d < s->rank; d++)
		take(r, &s->lane[d], sizeof s->lane[d]);
	for (int k = 0; k < s->loops; k++) {
		s->loop[k].extent = take_i64(r);
		s->loop[k].stride = take_i64(r);
		for (int d = 0; d < s->rank; d++)
			take(r, &s->loop[k].coef[d], sizeof s->loop[k].coef[d]);
	}
	s->slot = r->p;
	if ((size_t)s->slots * (size_t)s->rank * 4 > r->left) {
		r->failed = 1;
		return;
	}
	r->p += (size_t)s->slots * (size_t)s->rank * 4;
	r->left -= (size_t)s->slots * (size_t)s->rank * 4;
}

/* Elements of the constant, or -1 when the extents are not sane. */
static int64_t
count_of(PackSegment *s)
{
	int64_t n = 1;

	for (int d = s->rank - 1; d >= 0; d--) {
		s->flat[d] = n;
		if (s->dim[d] < 1 || s->dim[d] > INT32_MAX || n > INT64_MAX / 16 / s->dim[d])
			return -1;
		n *= s->dim[d];
	}
	return n;
}

/* Whether the loops nest as a packer makes them, each step past all that is inside it: then no byte
 * is written twice and the work is bounded by the pool. Indices stay far from overflow. */
static int
loops_nest(const PackSegment *s, uint64_t room)
{
	uint64_t inside = (uint64_t)s->slots * s->lanes * s->size, reach[PACK_RANK_MAX] = {0};

	if (inside < 1 || inside > room)
		return 0;
	for (int k = s->loops - 1; k >= 0; k--) {
		const PackLoop *l = &s->loop[k];

		if (l->extent < 1 || l->stride < 0 || (uint64_t)l->stride < inside ||
		    (uint64_t)l->stride % s->size ||
		    (uint64_t)l->stride > room / (uint64_t)l->extent)
			return 0;
		inside = (uint64_t)l->stride * (uint64_t)l->extent;
		for (int d = 0; d < s->rank; d++) {
			uint64_t step = (uint64_t)llabs(l->coef[d]);

			if (step && (uint64_t)l->extent > INDEX_MAX / step)
				return 0;
			reach[d] += step * (uint64_t)l->extent;
			if (reach[d] > INDEX_MAX)
				return 0;
		}
	}
	return 1;
}

/* Whether the constant is as large as described and everything written lies in the pool. */
static int
fits(PackSegment *s, size_t const_bytes, size_t pool_bytes)
{
	int64_t n = count_of(s);

	if (n < 0 || (uint64_t)n * s->size != const_bytes || s->offset > pool_bytes ||
	    s->offset % s->size)
		return 0;
	if (s->whole)
		return pool_bytes - s->offset >= const_bytes;
	return loops_nest(s, pool_bytes - s->offset);
}

static void
copy_elements(unsigned char *to, const unsigned char *from, int64_t step, size_t size, int64_t n)
{
	if (size == 4) {
		for (int64_t i = 0; i < n; i++)
			memcpy(to + 4 * i, from + 4 * i * step, 4);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		memcpy(to + (int64_t)size * i, from + (int64_t)size * i * step, size);
}

static int
inside(int64_t i, int64_t extent)
{
	return i >= 0 && i < extent;
}

/* One slot: its lanes that lie inside the tensor form one run, since indices are affine. */
static void
put_slot(const PackSegment *s, const int64_t *base, uint32_t slot, unsigned char *to)
{
	int64_t first = 0, last = s->lanes, flat = 0, step = 0, at[PACK_RANK_MAX];

	for (int d = 0; d < s->rank; d++) {
		int32_t own;
		int64_t c = s->lane[d];

		memcpy(&own, s->slot + ((size_t)slot * (size_t)s->rank + (size_t)d) * 4, 4);
		at[d] = base[d] + own;
		while (first < last && !inside(at[d] + c * first, s->dim[d]))
			first++;
		while (first < last && !inside(at[d] + c * (last - 1), s->dim[d]))
			last--;
	}
	for (int64_t k = 0; k < s->lanes; k++)
		if (k < first || k >= last)
			dtype_put(s->type, to, (size_t)k, s->otherwise);
	if (first == last)
		return;
	for (int d = 0; d < s->rank; d++) {
		flat += (at[d] + s->lane[d] * first) * s->flat[d];
		step += last - first > 1 ? s->lane[d] * s->flat[d] : 0;
	}
	copy_elements(to + first * (int64_t)s->size, s->src + flat * (int64_t)s->size, step,
		      s->size, last - first);
}

static void
run_loops(const PackSegment *s, int k, int64_t *base, unsigned char *to)
{
	if (k == s->loops) {
		for (uint32_t i = 0; i < s->slots; i++)
			put_slot(s, base, i, to + (size_t)i * s->lanes * s->size);
		return;
	}
	for (int64_t i = 0; i < s->loop[k].extent; i++) {
		run_loops(s, k + 1, base, to + i * s->loop[k].stride);
		for (int d = 0; d < s->rank; d++)
			base[d] += s->loop[k].coef[d];
	}
	for (int d = 0; d < s->rank; d++)
		base[d] -= s->loop[k].coef[d] * s->loop[k].extent;
}

int
pack_run(const void *desc, size_t desc_bytes, int nconst, const void *const *consts,
	 const size_t *const_bytes, void *pool, size_t pool_bytes)
{
	Reader r = {.p = desc, .left = desc_bytes};
	uint32_t magic = take_u32(&r), n = take_u32(&r);

	if (r.failed || magic != PACK_MAGIC || (uint64_t)take_i64(&r) != pool_bytes)
		return -1;
	if (pool_bytes)
		memset(pool, 0, pool_bytes);
	for (uint32_t i = 0; i < n; i++) {
		PackSegment s = {0};
		int64_t base[PACK_RANK_MAX] = {0};

		read_segment(&r, &s);
		if (r.failed || s.constant >= (uint32_t)nconst ||
		    !fits(&s, const_bytes[s.constant], pool_bytes))
			return -1;
		s.src = consts[s.constant];
		s.dst = (unsigned char *)pool + s.offset;
		if (s.whole)
			memcpy(s.dst, s.src, const_bytes[s.constant]);
		else
			run_loops(&s, 0, base, s.dst);
	}
	return r.left ? -1 : 0;
}
