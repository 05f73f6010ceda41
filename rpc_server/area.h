/* Area: memory with an inaccessible page on either side, whose data ends at the second one (rounded
 * up to 64 bytes), so that running past the end by 64 bytes or more faults at once. What lies
 * between the first page and the data, and behind the data, is slack. */
#ifndef RPC_SERVER_AREA_H
#define RPC_SERVER_AREA_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { AREA_ALIGN = 64 };

typedef struct Area {
	uint8_t *base, *data; /* the whole mapping, guards included; the bytes asked for */
	size_t span, bytes;
} Area;

size_t area_page(void);
size_t area_pages(size_t bytes);  /* bytes without guards: whole pages, at least one */
size_t area_offset(size_t bytes); /* of the data in them */

/* Maps fresh zeroed memory (fd < 0) or area_pages(bytes) bytes of fd from offset on, shared; it is
 * present at once. Errors: ERR_NOMEM. */
int area_open(Area *a, int fd, uint64_t offset, size_t bytes, Err *e);
void area_close(Area *a); /* a zeroed Area is fine */

#endif
