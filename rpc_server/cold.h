/* Copies that no cache holds: what constants look like to a kernel when the rest of a model ran
 * since it last used them. */
#ifndef RPC_SERVER_COLD_H
#define RPC_SERVER_COLD_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__x86_64__) || defined(__aarch64__)
enum { COLD_COPIES = true };
#else
enum { COLD_COPIES = false }; /* then a copy is cold once enough others were used */
#endif

/* Copies to memory, past the caches where COLD_COPIES. Both are aligned to 64 bytes, and bytes is a
 * multiple of 64. */
void cold_copy(void *to, const void *from, size_t bytes);

#endif
