/* Target: a machine as a row of numbers. No pass asks which architecture it is. */
#ifndef SEARCH_SPACE_TARGET_H
#define SEARCH_SPACE_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hardware.h"
#include "base/str.h"

enum { TARGET_TEXT_MAX = 640, TARGET_NAME_MAX = 64 };

/* type (s: text, i: integer, d: decimal), field, default, meaning */
#define TARGET_FIELDS(X)                                                                   \
	X(s, triple, "", "LLVM target triple, four parts")                                 \
	X(s, cpu, "generic", "LLVM CPU name")                                              \
	X(s, features, "", "LLVM feature list, +a,-b")                                     \
	X(i, pointer_bits, 64, "width of addresses and loop counters")                     \
	X(i, vector_bytes, 16, "bytes of one vector register")                             \
	X(i, vector_regs, 16, "vector registers")                                          \
	X(i, spare_regs, 1, "of them that a register tile leaves free")                    \
	X(i, lane_splat, 0, "1: multiply-add takes a lane as its scalar operand (Arm)")    \
	X(i, has_round, 1, "1: floor, ceil, rint are instructions")                        \
	X(i, has_half, 0, "1: half converts by instructions")                              \
	X(i, mask_bytes, 0, "smallest element that masked loads and stores take; 0: none") \
	X(i, byte_dot, 0, "dot products of four bytes: 1 signs alike, 2 unlike, 3 both")   \
	X(i, cores, 1, "cores that may compute")                                           \
	X(i, threads, 1, "threads that compute a kernel together")                         \
	X(d, fork_ns, 300.0, "a fork and join of them")                                    \
	X(d, ghz, 2.0, "clock the model assumes")                                          \
	X(d, fma_per_cycle, 2.0, "vector multiply-adds per cycle")                         \
	X(d, load_per_cycle, 2.0, "vector loads per cycle")                                \
	X(d, issue_per_cycle, 5.0, "operations per cycle")                                 \
	X(i, fma_latency, 4, "cycles")                                                     \
	X(i, l1_bytes, 32768, "data cache, per core")                                      \
	X(i, l1_way_bytes, 4096, "of one way: so far apart lines meet in a set")           \
	X(i, l2_bytes, 524288, "per core")                                                 \
	X(i, l3_bytes, 0, "shared; 0: none")                                               \
	X(d, l2_gbs, 80.0, "read bandwidth of one core")                                   \
	X(d, l3_gbs, 40.0, "read bandwidth of one core")                                   \
	X(d, dram_gbs, 10.0, "read bandwidth of one core")

/* Bits of byte_dot, and the bytes of a lane. */
enum { TARGET_DOT_ALIKE = 1, TARGET_DOT_UNLIKE = 2, TARGET_DOT_BYTES = 4 };

#define TARGET_C_s   char
#define TARGET_C_i   int64_t
#define TARGET_C_d   double
#define TARGET_DIM_s [TARGET_TEXT_MAX]
#define TARGET_DIM_i
#define TARGET_DIM_d

typedef struct Target {
	char name[TARGET_NAME_MAX];
#define X(type, field, def, text) TARGET_C_##type field TARGET_DIM_##type;
	TARGET_FIELDS(X)
#undef X
} Target;

/* Text: one line "target NAME key=value ..."; values with blanks or none are quoted. */
void target_print(const Target *t, Str *out);
int target_parse(const char *text, Target *t, Err *e);

/* A row of the built-in table: generic machines and well-known cores. ERR_INPUT lists the names. */
int target_named(const char *name, Target *t, Err *e);

/* What a device says of itself. arch is "x86_64", "aarch64"...; cpu is LLVM's name of the core,
 * NULL or "" when not known; features are LLVM's names separated by commas, without signs.
 * Bandwidths keep the row's defaults. */
typedef struct TargetFacts {
	const char *name, *arch, *cpu, *features;
	int64_t cores, l1_bytes, l2_bytes, l3_bytes;
} TargetFacts;
int target_from_facts(const TargetFacts *f, Target *t, Err *e);

/* The row for a machine that told about itself, and for the one this process runs on. Equal
 * machines give equal Targets, whoever asks. */
int target_of_device(const DeviceInfo *d, Target *t, Err *e);
int target_host(Target *t, Err *e);

/* What a log calls the Target: triple, CPU and features on one line. */
void target_key(const Target *t, Str *out);

/* The built-in row that is nearest to a Target that a log calls so: its vectors are right, its
 * caches and rates may not be. Errors: as target_from_facts. */
int target_of_key(const char *key, Target *t, Err *e);

/* f32 lanes of one vector register. */
static inline int
target_lanes(const Target *t)
{
	return (int)t->vector_bytes / 4;
}

/* Terms of a reduction in a vector beside each of so many lanes (Sched: dot=): those that fill the
 * other lanes, or, where there are none, the bytes of each. */
static inline int
target_terms(const Target *t, int lanes)
{
	return lanes == target_lanes(t) ? (int)TARGET_DOT_BYTES : target_lanes(t) / lanes;
}

/* f32 multiply-add peak of one core, GFLOPS. */
static inline double
target_gflops(const Target *t)
{
	return t->ghz * t->fma_per_cycle * 2 * target_lanes(t);
}

#endif
