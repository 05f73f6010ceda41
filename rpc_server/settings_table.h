/* What the files of the settings share: the table and its kinds of values. */
#ifndef RPC_SERVER_SETTINGS_TABLE_H
#define RPC_SERVER_SETTINGS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "rpc_server/settings.h"

/* name, type of the field, what a value must be; a range follows where the setting has one */
#define SETTING_KIND_LIST(X)                                             \
	X(FLAG, bool, "yes or no")                                       \
	X(TEXT, const char *, "a text")                                  \
	X(NUMBER, uint32_t, "")                                          \
	X(BYTES, uint64_t, "a number of bytes, or like 256K, 64M, 1G: ") \
	X(CORE, int, "'any', or ")                                       \
	X(LAYERS, uint64_t, "layers of a sandbox")

typedef enum SettingKind {
#define X(name, type, text) SETTING_##name,
	SETTING_KIND_LIST(X)
#undef X
} SettingKind;

typedef struct Setting {
	const char *name; /* --name */
	SettingKind kind;
	bool job;                   /* for the command line only */
	bool way;                   /* to be reached; one of them counts */
	size_t at;                  /* of its field in Settings */
	const char *value;          /* in the help: "FILE"; unused for flags */
	int64_t usual, least, most; /* of numbers */
	const char *otherwise;      /* for people, where the default is no value */
	const char *help;
} Setting;

/* The i-th of the table; NULL after the last. */
const Setting *setting_at(int i);

/* The place in the table of the name of n bytes; -1: there is none. */
int setting_find(const char *name, size_t n);

/* Reads text as a value of x into s, unless keep: then it is only checked. Errors: ERR_INPUT says
 * what was expected. */
int setting_take(Settings *s, const Setting *x, const char *text, bool keep, Err *e);

/* Sets what it is when nothing is said. */
void setting_default(Settings *s, const Setting *x);

enum { SETTING_TEXT_BYTES = 256 };

/* The value as setting_take reads it, in buffer where it is not a text; NULL: not set. */
const char *setting_text(const Settings *s, const Setting *x, char buffer[SETTING_TEXT_BYTES]);

#endif
