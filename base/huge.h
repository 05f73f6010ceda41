/* Large pages for memory that is read from end to end: weights and copies of them. Page by page of
 * 4 KiB, every other line would wait for a translation, and prefetches of pages that no buffer
 * translates are dropped. */
#ifndef BASE_HUGE_H
#define BASE_HUGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

enum { HUGE_BYTES = 2 << 20 };

/* Asks for large pages in [p, p + bytes), which nobody has touched yet. Where the system has none,
 * nothing happens. Any thread. */
static inline void
huge_advise(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
	uintptr_t first = ((uintptr_t)p + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
	uintptr_t end = ((uintptr_t)p + bytes) / HUGE_BYTES * HUGE_BYTES;

	if (first < end)
		(void)madvise((char *)p + (first - (uintptr_t)p), end - first, MADV_HUGEPAGE);
#else
	(void)p, (void)bytes;
#endif
}

#endif
