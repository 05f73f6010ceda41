/* What a buffer holds before a kernel runs, as data. The host that computes expectations and the
 * agent that runs the kernel call the same function with equal arguments and get equal bytes.
 *
 * Nest: a strided region of a buffer, in elements of its type; the last axis runs fastest.
 */
#ifndef BASE_FILL_H
#define BASE_FILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/list.h"

/* POISON_BYTE fills with NaN for every float type. A second poison differs in every byte, so an
 * element that no run wrote differs between a run over the one and a run over the other. */
enum { NEST_RANK_MAX = 8, POISON_BYTE = 0xff, POISON_OTHER = 0x5a };

typedef struct Nest {
	int64_t offset;
	uint32_t rank; /* 0: the single element at offset */
	int64_t count[NEST_RANK_MAX], stride[NEST_RANK_MAX];
} Nest;

/* name, text */
#define FILL_LIST(X)        \
	X(POISON, "poison") \
	X(ZERO, "zero")     \
	X(RANDOM, "random") \
	X(BLOB, "blob")

typedef enum FillKind {
#define X(name, text) FILL_##name,
	FILL_LIST(X)
#undef X
		FILL_COUNT
} FillKind;

typedef struct Patch {
	Nest nest;
	double value;
} Patch;

typedef struct Fill {
	uint32_t kind; /* FillKind */
	uint64_t seed; /* RANDOM: arguments of rng_fill */
	double lo, hi;
	Digest blob;         /* BLOB */
	LIST(Patch) patches; /* written after the fill, in order: tensor borders */
} Fill;

/* True when no count is negative, every element lies in [0, elements), and there are no more of
 * them than that, so that a walk always ends. */
bool nest_inside(const Nest *n, uint64_t elements);
uint64_t nest_volume(const Nest *n); /* of a nest that is inside something */

/* for (NestWalk w = nest_walk(&n); w.left; nest_next(&w)) ... element w.at ... */
typedef struct NestWalk {
	const Nest *nest;
	int64_t at;
	uint64_t left;
	int64_t index[NEST_RANK_MAX];
} NestWalk;

NestWalk nest_walk(const Nest *n);
void nest_next(NestWalk *w);

/* Fills all bytes: RANDOM over bytes / size elements, BLOB from blob (whose size must be bytes;
 * NULL otherwise), then the patches; bytes beyond the last whole element are zero unless they come
 * from a blob or a poison. Errors: ERR_INPUT for a patch outside or a blob of another size. */
int fill_buffer(DType type, void *data, size_t bytes, const Fill *f, const void *blob,
		size_t blob_bytes, Err *e);

#endif
