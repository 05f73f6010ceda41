/* Channel: an encrypted connection between two holders of one key, as a state machine: TLS 1.3 with
 * the key as external PSK and an ephemeral Diffie-Hellman exchange; no certificates, no tickets, no
 * early data. Bytes of the network in and out, plain bytes in and out; no sockets, no clock, never
 * waits. Its memory is bounded whatever the peer sends.
 *
 *   state     the network gives                     leaves by
 *   SHAKING   handshake records                     both have proved the key -> OPEN; anything
 *                                                   else, or more than stranger_max bytes -> FAILED
 *   OPEN      encrypted records                     a record that is not genuine -> FAILED
 *   FAILED    nothing is taken; an alert may wait in the output
 *
 * Without TLS in the build there is channel_none.c: channel_supported says so, and no Side can be
 * made.
 */
#ifndef TRUST_CHANNEL_H
#define TRUST_CHANNEL_H

#include "trust/ring.h"

enum { CHANNEL_WHY = 200, CHANNEL_STRANGER_MAX = 16 * 1024 };

typedef struct Side Side; /* what the channels of one end have in common */
typedef struct Channel Channel;

typedef enum ChannelState { CHANNEL_SHAKING, CHANNEL_OPEN, CHANNEL_FAILED } ChannelState;

bool channel_supported(void);

/* The end that accepts, with a ring, or the one that connects, with a key, which is copied. The
 * ring outlives the side; its look-ups see every refresh. stranger_max: bytes taken from a peer
 * that has not proved its key. Errors: ERR_NOMEM, ERR_UNSUPPORTED. */
int side_accepting(const Ring *ring, size_t stranger_max, Side **s, Err *e);
int side_connecting(const Key *key, size_t stranger_max, Side **s, Err *e);
void side_free(Side *s); /* after its channels; NULL is fine */

/* NULL when memory is short. */
Channel *channel_new(Side *s);
void channel_free(Channel *c); /* NULL is fine */

typedef void ChannelTake(void *self, const void *data, size_t n);

/* Bytes of the network in; plain bytes come out by calls of take. The channel may fail in here. */
void channel_feed(Channel *c, const void *data, size_t n, ChannelTake *take, void *self);

/* Takes so many of n plain bytes as there is room for; 0 unless it is open. */
size_t channel_write(Channel *c, const void *data, size_t n);

/* Bytes that wait for the network: *data stays valid until the next call on c. channel_sent removes
 * the first n. */
size_t channel_output(Channel *c, const uint8_t **data);
void channel_sent(Channel *c, size_t n);

ChannelState channel_state(const Channel *c);
const char *channel_why(const Channel *c); /* it failed; no secrets in it */

/* At the accepting end: the key that the peer has proved; at an end that is not open, NULL. It is
 * the channel's own copy: it may have been revoked since. */
const Key *channel_key(const Channel *c);

/* The name that a peer claimed, fit for a log; "" when it claimed none, "?" when it is no name. */
const char *channel_claimed(const Channel *c);

#endif
