/* What an agent allows, as a list: options of the program, fields of Limits. Everything that a peer
 * can make grow is bounded by one of them or by a constant beside its buffer. */
#ifndef RPC_SERVER_LIMITS_H
#define RPC_SERVER_LIMITS_H

#include <stdint.h>

enum { QUEUE_MAX = 1024, LEASE_QUEUE_MAX = 128 };

/* field, option, default, least, most, text */
#define LIMIT_LIST(X)                                                                             \
	X(clients, "clients", 256, 1, 4096, "connections in all")                                 \
	X(per_address, "clients-per-address", 32, 1, 4096, "connections of one TCP address")      \
	X(strangers, "strangers", 64, 1, 4096, "connections that have not proved who they are")   \
	X(handshake_ms, "handshake-ms", 5000, 100, 60000,                                         \
	  "milliseconds they have for that, in all")                                              \
	X(heartbeat_ms, "heartbeat-ms", 2000, 50, 60000,                                          \
	  "milliseconds without a word to a client before PING")                                  \
	X(silence_ms, "silence-ms", 10000, 200, 600000,                                           \
	  "milliseconds without a word from a client until it is gone")                           \
	X(stranger_bytes, "stranger-bytes", 16384, 1024, 65536, "bytes they may send until then") \
	X(send_bytes, "send-bytes", 8 << 20, 1 << 20, 1 << 30,                                    \
	  "bytes that may wait for a "                                                            \
	  "client to read them")                                                                  \
	X(queue, "queue", 64, 1, QUEUE_MAX, "batches that wait")                                  \
	X(queue_client, "queue-per-client", 4, 1, QUEUE_MAX,                                      \
	  "batches of one client, its running "                                                   \
	  "one included")                                                                         \
	X(lease_seconds, "lease-seconds", 30, 1, 86400,                                           \
	  "seconds that a lease lasts without a sign of its holder")                              \
	X(lease_grace, "lease-grace", 15, 0, 3600,                                                \
	  "seconds that it waits for a holder whose connection broke")                            \
	X(lease_queue, "lease-queue", 32, 0, LEASE_QUEUE_MAX, "clients that wait for a lease")    \
	X(notes, "notes-per-minute", 300, 1, 1000000,                                             \
	  "lines about connections; what is "                                                     \
	  "more is counted")

typedef struct Limits {
#define X(field, option, usual, least, most, text) uint32_t field;
	LIMIT_LIST(X)
#undef X
} Limits;

#endif
