/* Read bandwidth of one core: what a kernel that only reads could get from a cache or memory. */
#ifndef RPC_SERVER_BANDWIDTH_H
#define RPC_SERVER_BANDWIDTH_H

#include <stddef.h>

/* GB/s of reading that many bytes over and over, in several streams of the widest vectors; best of
 * several parts. 0 when bytes are too few or there is no memory for them. */
double bandwidth_read(size_t bytes);

/* GB/s of the first read after a cold_copy of that many bytes, best of several. Where it works,
 * this is far below bandwidth_read. 0 as there. */
double bandwidth_cold(size_t bytes);

#endif
