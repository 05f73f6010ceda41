/* Who has no key does not get in, whatever he tries; and who pretends to be the agent is not
 * believed. The other end is OpenSSL itself, told to do what ours would not. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/rng.h"
#include "tests/unit/channel_case.h"

typedef struct Foe {
	const char *what;
	const uint8_t *secret; /* NULL: offers no key */
	size_t secret_size;
	const char *name; /* of the key */
	size_t name_size;
	int version;        /* highest and lowest */
	const char *suites; /* of TLS 1.3 */
	unsigned suite;     /* that the key is said to be for */
	bool certificate;
} Foe;

/* --- OpenSSL as the other end --- */

static SSL_SESSION *
foe_session(SSL *ssl)
{
	const Foe *f = SSL_get_app_data(ssl);
	const unsigned char id[2] = {(unsigned char)(f->suite >> 8), (unsigned char)f->suite};
	SSL_SESSION *s = SSL_SESSION_new();

	assert_true(SSL_SESSION_set1_master_key(s, f->secret, f->secret_size));
	assert_true(SSL_SESSION_set_cipher(s, SSL_CIPHER_find(ssl, id)));
	assert_true(SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION));
	return s;
}

static int
foe_uses(SSL *ssl, const EVP_MD *md, const unsigned char **name, size_t *n, SSL_SESSION **session)
{
	const Foe *f = SSL_get_app_data(ssl);

	(void)md;
	*name = (const unsigned char *)f->name;
	*n = f->name_size;
	*session = foe_session(ssl);
	return 1;
}

static int
foe_finds(SSL *ssl, const unsigned char *name, size_t n, SSL_SESSION **session)
{
	(void)name;
	(void)n;
	*session = foe_session(ssl);
	return 1;
}

static void
give_certificate(SSL_CTX *x)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	X509 *cert = X509_new();

	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, NULL));
	assert_true(SSL_CTX_use_certificate(x, cert));
	assert_true(SSL_CTX_use_PrivateKey(x, key));
	X509_free(cert);
	EVP_PKEY_free(key);
}

static SSL *
foe_open(Foe *f, bool server)
{
	SSL_CTX *x = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	SSL *ssl;

	SSL_CTX_set_min_proto_version(x, f->version ? f->version : TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(x, f->version);
	if (f->suites)
		assert_true(SSL_CTX_set_ciphersuites(x, f->suites));
	if (f->secret && server)
		SSL_CTX_set_psk_find_session_callback(x, foe_finds);
	else if (f->secret)
		SSL_CTX_set_psk_use_session_callback(x, foe_uses);
	if (f->certificate)
		give_certificate(x);
	ssl = SSL_new(x);
	SSL_CTX_free(x);
	SSL_set_app_data(ssl, f);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

static bool
foe_moves(SSL *foe, End *end)
{
	static const char attack[] = "run this";
	char bytes[20000];
	const uint8_t *data;
	bool any = false;
	size_t n;
	int got;

	SSL_do_handshake(foe);
	if (SSL_is_init_finished(foe))
		SSL_write(foe, attack, sizeof attack);
	while ((got = BIO_read(SSL_get_wbio(foe), bytes, sizeof bytes)) > 0) {
		channel_feed(end->c, bytes, (size_t)got, pair_take, end);
		any = true;
	}
	while ((n = channel_output(end->c, &data)) > 0) {
		BIO_write(SSL_get_rbio(foe), data, (int)n);
		channel_sent(end->c, n);
		any = true;
	}
	ERR_clear_error();
	return any;
}

static void
run_foe(Foe *f, End *end, bool server)
{
	SSL *foe = foe_open(f, server);

	for (int i = 0; i < 20 && foe_moves(foe, end); i++) {
	}
	SSL_free(foe);
}

/* --- against the accepting end --- */

static int cases;

static void
expect_refused(Pair *p, const char *what)
{
	cases++;
	if (channel_state(p->server.c) == CHANNEL_OPEN || p->server.n || channel_key(p->server.c))
		fail_msg("%s got in", what);
	if (channel_state(p->server.c) == CHANNEL_FAILED && !*channel_why(p->server.c))
		fail_msg("%s: no reason", what);
}

static void
attack(Pair *p, Foe *f)
{
	pair_open(p);
	run_foe(f, &p->server, false);
	expect_refused(p, f->what);
	assert_int_equal(channel_state(p->server.c), CHANNEL_FAILED);
}

static Foe
honest(const Pair *p)
{
	return (Foe){.what = "honest",
		     .secret = p->key.secret,
		     .secret_size = KEY_BYTES,
		     .name = "alice",
		     .name_size = 5,
		     .version = TLS1_3_VERSION,
		     .suites = "TLS_AES_128_GCM_SHA256",
		     .suite = 0x1301};
}

/* Else the cases below prove nothing. */
static void
openssl_with_the_key_gets_in(void **state)
{
	Pair *p = *state;
	Foe f = honest(p);

	pair_open(p);
	run_foe(&f, &p->server, false);
	assert_int_equal(channel_state(p->server.c), CHANNEL_OPEN);
	assert_true(p->server.n >= 8);
	pair_open(p);
	run_foe(&f, &p->client, true);
	assert_int_equal(channel_state(p->client.c), CHANNEL_OPEN);
	f.suites = "TLS_CHACHA20_POLY1305_SHA256";
	pair_open(p);
	run_foe(&f, &p->server, false);
	assert_int_equal(channel_state(p->server.c), CHANNEL_OPEN);
}

static void
wrong_secrets(void **state)
{
	uint8_t secret[2 * KEY_BYTES];
	Pair *p = *state;
	Foe f = honest(p);

	f.what = "a wrong secret";
	f.secret = secret;
	for (int i = 0; i < KEY_BYTES; i++) {
		memcpy(secret, p->key.secret, KEY_BYTES);
		secret[i] ^= (uint8_t)(1 << i % 8);
		attack(p, &f);
		assert_non_null(strstr(channel_why(p->server.c), "wrong secret"));
		assert_string_equal(channel_claimed(p->server.c), "alice");
	}
	memset(secret, 0, sizeof secret);
	attack(p, &f);
	memset(secret, 0xff, sizeof secret);
	attack(p, &f);
	memcpy(secret, ring_find(p->ring, "bob", 3)->secret, KEY_BYTES);
	attack(p, &f);
	memcpy(secret, p->key.secret, KEY_BYTES);
	f.secret_size = 16;
	attack(p, &f);
	f.secret_size = 31;
	attack(p, &f);
	memcpy(secret + KEY_BYTES, p->key.secret, KEY_BYTES);
	f.secret_size = 48;
	attack(p, &f);
}

static void
wrong_names(void **state)
{
	static const struct {
		const char *name;
		size_t n;
	} list[] = {
		{"mallory", 7},  {"Alice", 5},     {"alic", 4},     {"alice ", 6},   {"alice\0", 6},
		{"\0alice", 6},  {"alice.key", 9}, {"../alice", 8}, {"a", 1},        {"bob", 3},
		{"\xff\xfe", 2}, {"*", 1},         {"alice\n", 6},  {"alicebob", 8},
	};
	char large[200];
	Pair *p = *state;
	Foe f = honest(p);

	f.what = "a wrong name";
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		f.name = list[i].name;
		f.name_size = list[i].n;
		attack(p, &f);
		assert_null(strpbrk(channel_claimed(p->server.c), "\n\xff /*"));
	}
	memset(large, 'a', sizeof large);
	f.name = large;
	for (f.name_size = KEY_NAME_MAX; f.name_size < sizeof large; f.name_size += 53)
		attack(p, &f);
}

static void
other_kinds_of_handshake(void **state)
{
	Pair *p = *state;
	Foe f = honest(p);

	f.what = "TLS 1.2";
	f.version = TLS1_2_VERSION;
	attack(p, &f);
	f = honest(p);
	f.what = "no key";
	f.secret = NULL;
	attack(p, &f);
	f.what = "a certificate";
	f.certificate = true;
	attack(p, &f);
	f.what = "any version, no key";
	f.version = 0;
	f.suites = NULL;
	attack(p, &f);
	f = honest(p);
	f.what = "a suite of SHA-384 only";
	f.suites = "TLS_AES_256_GCM_SHA384";
	attack(p, &f);
	f.what = "a key for SHA-384";
	f.suite = 0x1302;
	attack(p, &f);
	f.what = "a key for SHA-384 among all suites";
	f.suites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256";
	attack(p, &f);
}

static void
say(Pair *p, const void *data, size_t n, const char *what)
{
	pair_open(p);
	channel_feed(p->server.c, data, n, pair_take, &p->server);
	expect_refused(p, what);
}

#define TEXT(s) s, sizeof(s) - 1

static void
what_is_no_handshake(void **state)
{
	static const struct {
		const char *what, *text;
		size_t n;
	} list[] = {
		{"a frame in the clear", TEXT("\x10\0\0\0\x94\0\1\0\x82\1\1\3\xa5hello")},
		{"HTTP", TEXT("GET / HTTP/1.1\r\nHost: board\r\n\r\n")},
		{"ssh", TEXT("SSH-2.0-OpenSSH_9.2\r\n")},
		{"SSL 2", TEXT("\x80\x2e\1\0\2\0\x15\0\0\0\x10\1\0\x80\2\0\x80")},
		{"a record without end", TEXT("\x16\3\1\xff\xff\1\0\0\xff")},
		{"data in the clear", TEXT("\x17\3\3\0\4\1\2\3\4")},
		{"an alert", TEXT("\x15\3\3\0\2\2\50")},
		{"a change of cipher", TEXT("\x14\3\3\0\1\1")},
	};
	uint8_t junk[70000];
	Pair *p = *state;
	Rng rng;

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		say(p, list[i].text, list[i].n, list[i].what);
	for (int byte = 0; byte < 256; byte += 51) {
		memset(junk, byte, sizeof junk);
		say(p, junk, sizeof junk, "the same byte for ever");
		assert_int_equal(channel_state(p->server.c), CHANNEL_FAILED);
	}
	rng_init(&rng, 1);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < sizeof junk; i++)
			junk[i] = (uint8_t)rng_next(&rng);
		if (round % 2) /* as a handshake record of that size */
			memcpy(junk, "\x16\3\1\x10\0\1\0\x0f\xfc\3\3", 11);
		say(p, junk, sizeof junk, "noise");
		assert_int_equal(channel_state(p->server.c), CHANNEL_FAILED);
	}
}

/* Everything a client said in a handshake that worked, said again: to another server, to the same
 * key's server, to a client. */
static void
replays_and_reflections(void **state)
{
	uint8_t said[8192];
	Pair *p = *state;
	const uint8_t *data;
	size_t n = 0, m;

	pair_open(p);
	for (int turn = 0; turn < 3; turn++) {
		while ((m = channel_output(p->client.c, &data)) > 0) {
			memcpy(said + n, data, m);
			channel_feed(p->server.c, said + n, m, pair_take, &p->server);
			channel_sent(p->client.c, m);
			n += m;
		}
		pair_move(&p->server, &p->client, 65536);
		if (turn == 1)
			channel_write(p->client.c, "once", 4);
	}
	assert_int_equal(p->server.n, 4);
	say(p, said, n, "a replay");
	say(p, said, n, "a second replay");

	pair_open(p); /* what a client says, to itself */
	while ((m = channel_output(p->client.c, &data)) > 0) {
		memcpy(said, data, m);
		channel_sent(p->client.c, m);
		channel_feed(p->client.c, said, m, pair_take, &p->client);
	}
	assert_int_equal(channel_state(p->client.c), CHANNEL_FAILED);
	cases++;
	pair_open(p); /* two clients */
	channel_free(p->server.c);
	p->server.c = channel_new(p->client_side);
	pair_shuttle(p, 65536);
	assert_int_not_equal(channel_state(p->client.c), CHANNEL_OPEN);
	assert_int_not_equal(channel_state(p->server.c), CHANNEL_OPEN);
	cases++;
}

static void
revoked_keys(void **state)
{
	char path[64];
	Pair *p = *state;
	Err e = {0};

	snprintf(path, sizeof path, "%s/alice.key", p->folder);
	for (int how = 0; how < 3; how++) {
		Foe f = honest(p);

		f.what = "a revoked key";
		if (how == 0)
			chmod(path, 0644);
		else
			unlink(path);
		if (how == 2)
			assert_int_equal(ring_add(p->ring, "alice", KEY_TUNE, &e), OK);
		ring_refresh(p->ring, &e);
		attack(p, &f);
		if (how == 1) /* and one that was never known looks the same */
			assert_non_null(strstr(channel_why(p->server.c), "unknown key"));
	}
}

/* What the stranger sees does not tell a wrong secret from an unknown name. */
static void
refusals_look_alike(void **state)
{
	uint8_t answer[3][256], secret[KEY_BYTES] = {1};
	size_t n[3] = {0};
	Pair *p = *state;

	for (int i = 0; i < 3; i++) {
		Foe f = honest(p);
		const uint8_t *data;
		char hello[2048];
		SSL *foe;
		int got;

		f.secret = secret;
		f.name = i == 0 ? "alice" : i == 1 ? "carol" : "\xff!ce!";
		foe = foe_open(&f, false);
		pair_open(p);
		SSL_do_handshake(foe);
		got = BIO_read(SSL_get_wbio(foe), hello, sizeof hello);
		channel_feed(p->server.c, hello, (size_t)got, pair_take, &p->server);
		while (channel_output(p->server.c, &data)) {
			answer[i][n[i]++] = *data;
			channel_sent(p->server.c, 1);
		}
		SSL_free(foe);
	}
	assert_in_range(n[0], 1, 16);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(n[i], n[0]);
		assert_memory_equal(answer[i], answer[0], n[0]);
	}
}

/* --- against the connecting end --- */

static void
false_agents(void **state)
{
	uint8_t secret[KEY_BYTES] = {1};
	Pair *p = *state;

	for (int i = 0; i < 6; i++) {
		Foe f = honest(p);

		if (i == 0)
			f.secret = secret;
		if (i == 1 ||
		    i == 2) { /* a certificate that nobody asked for, of this or TLS 1.2 */
			f.secret = NULL;
			f.certificate = true;
			f.version = i == 1 ? TLS1_3_VERSION : TLS1_2_VERSION;
		}
		if (i == 3)
			f.secret = NULL;
		if (i == 4) {
			f.secret = secret;
			f.certificate = true;
		}
		if (i == 5)
			f.secret_size = 16;
		pair_open(p);
		run_foe(&f, &p->client, true);
		if (channel_state(p->client.c) != CHANNEL_FAILED || p->client.n)
			fail_msg("false agent %d was believed", i);
		cases++;
	}
	pair_open(p);
	channel_feed(p->client.c, "\x10\0\0\0hello, I am", 15, pair_take, &p->client);
	assert_int_equal(channel_state(p->client.c), CHANNEL_FAILED);
	assert_non_null(strstr(channel_why(p->client.c), "does not speak TLS"));
	cases++;
}

static void
these_were_enough(void **state)
{
	(void)state;
	assert_true(cases >= 60);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)
	const struct CMUnitTest tests[] = {
		TEST(openssl_with_the_key_gets_in),
		TEST(wrong_secrets),
		TEST(wrong_names),
		TEST(other_kinds_of_handshake),
		TEST(what_is_no_handshake),
		TEST(replays_and_reflections),
		TEST(revoked_keys),
		TEST(refusals_look_alike),
		TEST(false_agents),
		cmocka_unit_test(these_were_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
