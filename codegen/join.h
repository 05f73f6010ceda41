/* Join: what the linker does for kernels, in this process: a run of ld.lld takes twenty
 * milliseconds, and a search makes an image out of every batch. */
#ifndef CODEGEN_JOIN_H
#define CODEGEN_JOIN_H

#include "codegen/link.h"

/* An image out of relocatable objects, as base/image.h loads it: read-only data, then code. It
 * lives in a. NOT_APPLICABLE for whatever needs a real linker, or is an error that a real one
 * says better: other machines than x86-64, data that is written, relocations other than distances
 * of 32 bits, weak, common or undefined symbols, the same symbol twice. */
int join_objects(const LinkInput *in, int n, Arena *a, const void **bytes, size_t *size);

#endif
