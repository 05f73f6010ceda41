/* Board: what a machine is as far as timings depend on it. Two that differ in a field of the key
 * are never compared. */
#ifndef REGRESS_BOARD_H
#define REGRESS_BOARD_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hardware.h"
#include "search_space/target.h"

/* type (s: text, i: integer), field, 1: part of the key, meaning */
#define BOARD_LIST(X)                                                \
	X(s, cpu, 1, "model of the processor")                       \
	X(s, target, 1, "triple, CPU and features of its Target")    \
	X(i, cores, 1, "cores")                                      \
	X(i, threads, 1, "threads that compute together")            \
	X(i, l1d, 1, "bytes of the first cache")                     \
	X(i, l2, 1, "bytes of the second")                           \
	X(i, l3, 1, "bytes of the third")                            \
	X(s, governor, 1, "of the clock; none where there is none")  \
	X(s, smt, 1, "on, off, or not known")                        \
	X(s, boost, 1, "on, off, or not known")                      \
	X(i, virtualised, 1, "1: a hypervisor is known to be below") \
	X(i, emulated, 1, "1: it is no such processor")              \
	X(s, kernel, 0, "version of its kernel")                     \
	X(s, agent, 0, "version of its rpc_server")                  \
	X(i, sandbox, 0, "layers that runners are in, as a bit mask")

#define BOARD_C_s const char *
#define BOARD_C_i int64_t

typedef struct Board {
#define X(type, field, key, text) BOARD_C_##type field;
	BOARD_LIST(X)
#undef X
} Board;

/* What a device is, with its Target for so many threads. Texts in a. Errors: of target_of_device.
 */
int board_of(const DeviceInfo *d, int threads, Arena *a, Board *out, Target *target, Err *e);

/* ERR_DEVICE names every field of the key in which they differ. */
int board_compare(const Board *baseline, const Board *here, Err *e);

/* Digest of the fields of the key, hex, in a: equal for boards that may be compared. */
const char *board_key(const Board *b, Arena *a);

/* "kernel '6.1', now '6.5'; ..." of fields that are not of the key, in a; "" when all are equal. */
const char *board_news(const Board *baseline, const Board *here, Arena *a);

#endif
