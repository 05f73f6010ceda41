/* Key: a secret that a workstation and an agent share, with a name and what it allows. As text:
 *
 *   hone-key 1
 *   name alice
 *   role tune
 *   secret 64 hexadecimal digits
 *   fingerprint 1f2e-3d4c-5b6a-7988-0716
 *
 * A fingerprint names the secret and gives nothing of it away: two people compare it aloud. The
 * one in a text is checked, so that a damaged copy is refused.
 */
#ifndef TRUST_KEY_H
#define TRUST_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { KEY_BYTES = 32, KEY_NAME_MAX = 40, KEY_TEXT_MAX = 256, FINGERPRINT_TEXT = 25 };

/* name, word, what it allows */
#define KEY_ROLE_LIST(X)                                \
	X(TUNE, "tune", "upload, run and time kernels") \
	X(READ_ONLY, "read-only", "ask what the device is and how it is")

typedef enum KeyRole {
#define X(name, word, text) KEY_##name,
	KEY_ROLE_LIST(X)
#undef X
		KEY_ROLE_COUNT
} KeyRole;

typedef struct Key {
	char name[KEY_NAME_MAX + 1]; /* travels in the clear */
	KeyRole role;                /* what counts is the agent's copy */
	uint8_t secret[KEY_BYTES];
} Key;

const char *key_role_word(KeyRole r);
int key_role_parse(const char *word, KeyRole *r, Err *e); /* ERR_INPUT lists the words */

/* Letters, digits, '.', '_', '-'; the first one a letter or digit; at most KEY_NAME_MAX. */
bool key_name_ok(const char *name, size_t n);

/* A fresh secret. Errors: ERR_INPUT for the name, ERR_DEVICE when the system gives no random bytes.
 */
int key_make(Key *k, const char *name, KeyRole role, Err *e);
void key_wipe(Key *k);

void key_fingerprint(const Key *k, char text[FINGERPRINT_TEXT]);
void key_print(const Key *k, char text[KEY_TEXT_MAX]);
/* Unknown lines are refused. Errors: ERR_INPUT; *k is wiped. */
int key_parse(const char *text, Key *k, Err *e);

/* The file must belong to this user or root, and nobody else may touch it. Errors: ERR_INPUT names
 * the file and the mode found; ERR_IO. */
int key_read(const char *path, Key *k, Err *e);
/* A new file of mode 0600, on disk when this returns. Errors: ERR_INPUT when there is one; ERR_IO.
 */
int key_write(const char *path, const Key *k, Err *e);

/* Reads a private text file (a key, or what holds one) under the same conditions; what it read is
 * at most size - 1 bytes and ends with NUL. */
int key_read_private(const char *path, char *text, size_t size, Err *e);
/* Writes one; exclusive: there must be none. Errors: as key_write. */
int key_write_private(const char *path, const char *text, bool exclusive, Err *e);

#endif
