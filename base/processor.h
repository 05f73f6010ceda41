/* What the processor that runs this program says of itself. */
#ifndef BASE_PROCESSOR_H
#define BASE_PROCESSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hardware.h"

/* The architecture this program is compiled for. */
#if defined(__x86_64__)
#define PROCESSOR_ARCH "x86_64"
#elif defined(__aarch64__)
#define PROCESSOR_ARCH "aarch64"
#elif defined(__arm__)
#define PROCESSOR_ARCH "armv7l"
#elif defined(__riscv) && __riscv_xlen == 64
#define PROCESSOR_ARCH "riscv64"
#else
#error "an architecture that nothing is known of"
#endif

/* Fills in d->features. False: out of memory. */
bool processor_features(DeviceInfo *d);

/* LLVM's name of the core with that identification (Arm's main ID register), "" when not known. */
const char *processor_core_name(uint64_t id);

/* The identification as the processor tells it to programs; 0 where it does not. */
uint64_t processor_own_id(void);

#endif
