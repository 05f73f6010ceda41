/* TLS through OpenSSL, the only file that knows it. Between OpenSSL and the network lies a pair of
 * rings of fixed size, so nothing grows with what a peer sends.
 *
 * Two things keep the key the only way in. The accepting end has no certificate, and an unknown
 * name is looked up as a key that nobody has: it fails where a wrong secret fails, in the same way.
 * The connecting end trusts no certificate, and both ends refuse a handshake that did not use the
 * key. A channel writes to OpenSSL only what its ring has room for, so no write is ever half done.
 */
#include "trust/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum {
	IN_BYTES = 20 * 1024,  /* a record and some */
	OUT_BYTES = 68 * 1024, /* four */
	RECORD_MAX = 16 * 1024,
	RECORD_SPARE = 1024, /* head, tag, and a message of OpenSSL's own */
	CIPHER = 0x1301,     /* TLS_AES_128_GCM_SHA256: the key is for SHA-256 */
};

static const char suites[] = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";
static const char groups[] = "X25519:P-256";

struct Side {
	SSL_CTX *ctx;
	const Ring *ring;          /* NULL: connects */
	Key key;                   /* connects with */
	uint8_t nobody[KEY_BYTES]; /* stands for every key that is not there */
	size_t stranger_max;
};

struct Channel {
	Side *side;
	SSL *ssl;
	BIO *network;
	ChannelState state;
	size_t strange; /* bytes taken before it was open */
	Key key;        /* that the handshake uses */
	bool known;     /* key is one of the ring's */
	char claimed[KEY_NAME_MAX + 1];
	char why[CHANNEL_WHY];
};

bool
channel_supported(void)
{
	return true;
}

/* --- the key, asked for by OpenSSL in the handshake --- */

static SSL_SESSION *
session_of(SSL *ssl, const uint8_t secret[KEY_BYTES])
{
	const unsigned char id[2] = {CIPHER >> 8, CIPHER & 0xff};
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, id);
	SSL_SESSION *s = SSL_SESSION_new();

	if (s && cipher && SSL_SESSION_set1_master_key(s, secret, KEY_BYTES) &&
	    SSL_SESSION_set_cipher(s, cipher) &&
	    SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION))
		return s;
	SSL_SESSION_free(s);
	return NULL;
}

static int
on_find_key(SSL *ssl, const unsigned char *name, size_t n, SSL_SESSION **session)
{
	Channel *c = SSL_get_app_data(ssl);
	const Key *k = ring_find(c->side->ring, name, n);

	if (key_name_ok((const char *)name, n))
		snprintf(c->claimed, sizeof c->claimed, "%.*s", (int)n, (const char *)name);
	else
		snprintf(c->claimed, sizeof c->claimed, "?");
	c->known = k != NULL;
	if (k)
		c->key = *k;
	*session = session_of(ssl, k ? k->secret : c->side->nobody);
	return *session != NULL;
}

static int
on_use_key(SSL *ssl, const EVP_MD *md, const unsigned char **name, size_t *n, SSL_SESSION **session)
{
	Channel *c = SSL_get_app_data(ssl);

	*session = NULL;
	if (md && !EVP_MD_is_a(md, "SHA256"))
		return 1; /* without a key the handshake fails */
	*name = (const unsigned char *)c->key.name;
	*n = strlen(c->key.name);
	*session = session_of(ssl, c->key.secret);
	return *session != NULL;
}

/* --- sides --- */

static bool
configure(Side *s)
{
	SSL_CTX *x = s->ctx;

	if (!SSL_CTX_set_min_proto_version(x, TLS1_3_VERSION) ||
	    !SSL_CTX_set_max_proto_version(x, TLS1_3_VERSION) ||
	    !SSL_CTX_set_ciphersuites(x, suites) || !SSL_CTX_set1_groups_list(x, groups) ||
	    !SSL_CTX_set_num_tickets(x, 0) || !SSL_CTX_set_max_early_data(x, 0) ||
	    !SSL_CTX_set_recv_max_early_data(x, 0))
		return false;
	SSL_CTX_set_options(x, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_clear_options(x, SSL_OP_ALLOW_NO_DHE_KEX);
	SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(x, SSL_MODE_RELEASE_BUFFERS);
	if (s->ring) {
		SSL_CTX_set_psk_find_session_callback(x, on_find_key);
	} else {
		SSL_CTX_set_psk_use_session_callback(x, on_use_key);
		SSL_CTX_set_verify(x, SSL_VERIFY_PEER, NULL); /* of none that is trusted */
	}
	return true;
}

static int
side_new(const Ring *ring, const Key *key, size_t stranger_max, Side **out, Err *e)
{
	Side *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return err_set(e, ERR_NOMEM, "TLS: out of memory");
	/* a thread may still be at work when the program ends */
	OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
	s->ring = ring;
	if (key)
		s->key = *key;
	s->stranger_max = stranger_max;
	s->ctx = SSL_CTX_new(ring ? TLS_server_method() : TLS_client_method());
	if (!s->ctx || !configure(s) ||
	    getrandom(s->nobody, sizeof s->nobody, 0) != (ssize_t)sizeof s->nobody) {
		ERR_clear_error();
		side_free(s);
		return err_set(e, ERR_NOMEM, "TLS: cannot be set up");
	}
	*out = s;
	return OK;
}

int
side_accepting(const Ring *ring, size_t stranger_max, Side **s, Err *e)
{
	return side_new(ring, NULL, stranger_max, s, e);
}

int
side_connecting(const Key *key, size_t stranger_max, Side **s, Err *e)
{
	return side_new(NULL, key, stranger_max, s, e);
}

void
side_free(Side *s)
{
	if (!s)
		return;
	SSL_CTX_free(s->ctx);
	explicit_bzero(s, sizeof *s);
	free(s);
}

/* --- channels --- */

Channel *
channel_new(Side *s)
{
	Channel *c = calloc(1, sizeof *c);
	BIO *inner = NULL;

	if (!c)
		return NULL;
	c->side = s;
	c->key = s->key;
	c->ssl = SSL_new(s->ctx);
	if (!c->ssl || !BIO_new_bio_pair(&inner, OUT_BYTES, &c->network, IN_BYTES)) {
		ERR_clear_error();
		channel_free(c);
		return NULL;
	}
	SSL_set_bio(c->ssl, inner, inner);
	SSL_set_app_data(c->ssl, c);
	if (s->ring)
		SSL_set_accept_state(c->ssl);
	else
		SSL_set_connect_state(c->ssl);
	return c;
}

void
channel_free(Channel *c)
{
	if (!c)
		return;
	SSL_free(c->ssl);
	BIO_free(c->network);
	explicit_bzero(c, sizeof *c);
	free(c);
}

static void
fail(Channel *c, const char *why)
{
	if (c->state != CHANNEL_FAILED)
		snprintf(c->why, sizeof c->why, "%s", why);
	c->state = CHANNEL_FAILED;
}

/* What a handshake that failed means, as far as it can be told from OpenSSL's reason. An alert is
 * the other side's reason. */
static const char *
meaning(const Channel *c, unsigned long code)
{
	int reason = ERR_GET_REASON(code);

	if (c->state == CHANNEL_OPEN)
		return "a record that is damaged or forged";
	if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
	    reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_RECORD_LENGTH_MISMATCH)
		return "it does not speak TLS";
	if (!c->side->ring)
		return reason > SSL_AD_REASON_OFFSET ? "the key was refused"
						     : "it did not prove the key";
	if (reason == SSL_R_BINDER_DOES_NOT_VERIFY)
		return c->known ? "wrong secret" : "unknown key";
	return *c->claimed ? "malformed handshake" : "no key offered";
}

static void
fail_tls(Channel *c)
{
	unsigned long code = ERR_peek_error();
	const char *detail = code ? ERR_reason_error_string(code) : NULL;
	char text[CHANNEL_WHY];

	snprintf(text, sizeof text, "%s (%s)", meaning(c, code),
		 detail ? detail : "handshake failed");
	fail(c, text);
	ERR_clear_error();
}

static void
shake(Channel *c)
{
	int rc = SSL_do_handshake(c->ssl);

	if (rc == 1 && !SSL_session_reused(c->ssl))
		fail(c, "the handshake did not use the key");
	else if (rc == 1 && c->side->ring && !c->known)
		fail(c, "unknown key");
	else if (rc == 1)
		c->state = CHANNEL_OPEN;
	else if (SSL_get_error(c->ssl, rc) != SSL_ERROR_WANT_READ)
		fail_tls(c);
}

/* Moves on as far as the bytes that are in the ring allow. */
static void
advance(Channel *c, ChannelTake *take, void *self)
{
	char plain[RECORD_MAX];

	ERR_clear_error();
	if (c->state == CHANNEL_SHAKING)
		shake(c);
	while (c->state == CHANNEL_OPEN) {
		int n = SSL_read(c->ssl, plain, sizeof plain);
		int why = n > 0 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, n);

		if (n > 0)
			take(self, plain, (size_t)n);
		else if (why == SSL_ERROR_WANT_READ)
			break;
		else if (why == SSL_ERROR_ZERO_RETURN)
			fail(c, "the other side ended the encryption");
		else if (why == SSL_ERROR_WANT_WRITE)
			fail(c, "output is not read");
		else
			fail_tls(c);
	}
	explicit_bzero(plain, sizeof plain);
}

void
channel_feed(Channel *c, const void *data, size_t n, ChannelTake *take, void *self)
{
	const uint8_t *p = data;

	while (n && c->state != CHANNEL_FAILED) {
		int put;

		if (c->state == CHANNEL_SHAKING && c->strange >= c->side->stranger_max) {
			fail(c, "too many bytes before the key was proved");
			return;
		}
		put = BIO_write(c->network, p, n < RECORD_MAX ? (int)n : RECORD_MAX);
		if (put <= 0) {
			fail(c, "input without end");
			return;
		}
		if (c->state == CHANNEL_SHAKING)
			c->strange += (size_t)put;
		advance(c, take, self);
		p += put;
		n -= (size_t)put;
	}
}

size_t
channel_write(Channel *c, const void *data, size_t n)
{
	size_t room = BIO_ctrl_get_write_guarantee(SSL_get_wbio(c->ssl));

	if (c->state != CHANNEL_OPEN || !n)
		return 0;
	n = n < RECORD_MAX ? n : RECORD_MAX;
	if (room < n + RECORD_SPARE)
		return 0;
	ERR_clear_error();
	if (SSL_write(c->ssl, data, (int)n) != (int)n) {
		fail_tls(c);
		return 0;
	}
	return n;
}

size_t
channel_output(Channel *c, const uint8_t **data)
{
	char *p = NULL;
	int n;

	if (c->state == CHANNEL_SHAKING && !c->side->ring && !c->strange && SSL_in_before(c->ssl)) {
		ERR_clear_error(); /* the connecting end speaks first */
		shake(c);
	}
	n = BIO_nread0(c->network, &p);
	*data = (const uint8_t *)p;
	return n > 0 ? (size_t)n : 0;
}

void
channel_sent(Channel *c, size_t n)
{
	char *p;

	BIO_nread(c->network, &p, (int)n);
}

ChannelState
channel_state(const Channel *c)
{
	return c->state;
}

const char *
channel_why(const Channel *c)
{
	return c->why;
}

const Key *
channel_key(const Channel *c)
{
	return c->state == CHANNEL_OPEN && c->side->ring ? &c->key : NULL;
}

const char *
channel_claimed(const Channel *c)
{
	return c->claimed;
}
