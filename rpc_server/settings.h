/* Settings of the agent: what an operator may say, on the command line or in a configuration file,
 * from one table (settings.c) that also makes the help and `--print-config`.
 *
 * The file has a line `NAME = VALUE` for each setting; names are the long options without dashes. A
 * '#' at the start of a line or after a blank begins a comment. The command line wins over the
 * file.
 */
#ifndef RPC_SERVER_SETTINGS_H
#define RPC_SERVER_SETTINGS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/folders.h"
#include "rpc_server/server.h"

enum { SETTINGS_MAX = 64, SETTINGS_FILE_MAX = 65536 };

/* Where a value came from; what is greater is the line of the file. */
enum { ORIGIN_DEFAULT, ORIGIN_COMMAND = -1 };

typedef struct Settings {
	ServerConfig config;
	const char *listen, *socket, *keys, *log_file, *state, *boot_id;
	uint64_t log_bytes;
	bool stdio;

	/* what to do instead of serving; for the command line only */
	const char *file, *add_key, *role;
	bool list_keys, print_config, help, version;

	int origin[SETTINGS_MAX];
	char *text;              /* of the file; values point into it */
	char folder[FOLDER_MAX]; /* of keys, where nothing was said */
} Settings;

void settings_init(Settings *s); /* defaults */
void settings_fini(Settings *s);

/* Reads the options, then the file that --config names, and checks that they are one complete
 * order. Values point into argv and into s. With --help or --version nothing else is looked at.
 * Errors: ERR_INPUT names the option, or file, line and setting, and what was expected;
 * ERR_UNSUPPORTED what this build has not; ERR_IO, ERR_NOMEM of the file. */
int settings_parse(Settings *s, int argc, char **argv, Err *e);

/* The text of a configuration file, which is cut into pieces; path is for errors. Errors:
 * ERR_INPUT. */
int settings_read(Settings *s, const char *path, char *text, size_t size, Err *e);

/* Every setting with its value and where that is from, as a configuration file. */
void settings_print(const Settings *s, FILE *out);

void settings_help(FILE *out);

#endif
