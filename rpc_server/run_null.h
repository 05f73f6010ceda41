/* The times the null runner gives, so that tests of searches know the answer. An agent may hold its
 * candidates for null_hold_ms each, as long as a device would be busy with them, and give times
 * that are null_slow percent longer. */
#ifndef RPC_SERVER_RUN_NULL_H
#define RPC_SERVER_RUN_NULL_H

#include <stdint.h>

/* ns of a run of the candidate with that id: between 30 us and 1.03 ms, the same for ever. */
static inline uint64_t
null_time_ns(uint64_t id)
{
	uint64_t z = id + 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return 30000 + (z ^ z >> 31) % 1000000;
}

#endif
