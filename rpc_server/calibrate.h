/* What the processor can do right now, to tell a slow candidate from a slow moment, and a fast
 * machine from what its Target says of it. */
#ifndef RPC_SERVER_CALIBRATE_H
#define RPC_SERVER_CALIBRATE_H

#include "wire/batch.h"

/* GFLOPS of a register-only loop of multiply-adds in the widest vectors this machine has; takes
 * about a millisecond, best of five parts. */
double calibrate_gflops(void);

/* 10^9 multiplications and additions a second of a register-only loop of 8-bit dot products in
 * vectors, best of five parts; 0 where the machine has no instruction for them. */
double calibrate_dot(void);

/* All of a Calibration, on the core this process is on; some tenths of a second. cache: bytes of
 * each level, 0: none, then its figure is 0 too. memory: bytes that may be taken; what does not
 * fit into a quarter of it is 0. */
void calibrate_all(const uint64_t cache[3], uint64_t memory, Calibration *out);

#endif
