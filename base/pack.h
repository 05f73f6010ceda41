/* Pack: puts constants into the pool in the order a kernel reads them.
 *
 * The description is data (little-endian bytes): codegen writes it, and the same function here
 * follows it on the host for `compile` and in the runner on the board for a trial. Each
 * segment is checked against the sizes given before it is followed: a hostile description can write
 * only zeroes, else values and the constants' own elements, inside the pool and each byte once a
 * segment.
 *
 *   u32 magic, u32 segments, u64 pool bytes, then per segment:
 *   u32 constant, u8 dtype, u8 rank, u8 loops, u8 whole, u32 lanes, u32 slots, u64 offset,
 *   f64 else, i64 extent[rank], i32 lane coefficient[rank],
 *   loops x { i64 extent, i64 stride in bytes, i32 coefficient[rank] }, slots x i32 index[rank]
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stddef.h>
#include <stdint.h>

enum { PACK_MAGIC = 0x314b5048, PACK_RANK_MAX = 8, PACK_LOOPS_MAX = 24, PACK_LANES_MAX = 64 };

/* Fills pool (pool_bytes long). consts[i] has const_bytes[i] bytes, row-major. Returns 0, or -1
 * when the description is damaged or does not fit the sizes. */
int pack_run(const void *desc, size_t desc_bytes, int nconst, const void *const *consts,
	     const size_t *const_bytes, void *pool, size_t pool_bytes);

#endif
