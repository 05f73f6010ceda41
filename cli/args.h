/* Args: what a subcommand takes, declared as a table, and what the user gave.
 *
 * `--name VALUE`, `--name=VALUE`, `-x VALUE`; `--` ends the options; everything else is positional.
 * Values are checked while parsing, so a subcommand asks for them without error paths. Texts point
 * into argv.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

/* name, what a value must be */
#define ARG_KIND_LIST(X)                                          \
	X(FLAG, "no value")                                       \
	X(TEXT, "a text")                                         \
	X(INTEGER, "an integer")                                  \
	X(NUMBER, "a number")                                     \
	X(DURATION, "a duration: seconds, or like 90s, 5m, 1.5h") \
	X(WAIT, "'no', or a duration: seconds, or like 90s, 5m")  \
	X(BYTES, "a size: bytes, or like 256K, 1.5M")

typedef enum ArgKind {
#define X(name, text) ARG_##name,
	ARG_KIND_LIST(X)
#undef X
} ArgKind;

typedef struct ArgOption {
	const char *name; /* "output": --output; NULL ends a table */
	char letter;      /* 'o': -o; or 0 */
	ArgKind kind;
	bool repeat;       /* may be given more than once */
	double min, max;   /* of numbers, when min < max */
	const char *value; /* in the help: "FILE"; unused for flags */
	const char *help;
} ArgOption;

typedef struct Args Args;

/* A subcommand, or a group of them. */
typedef struct Command {
	const char *name;
	const char *summary;  /* a line for the list of commands */
	const char *operands; /* in the usage line: "MODEL", "LOG FILE..." */
	int min, max;         /* how many operands */
	const char *text;     /* paragraphs of the help; may be NULL */
	const ArgOption *option;
	/* Prints results to stdout. An error's code decides the exit status (err_exit_code). */
	int (*run)(const Args *a, Err *e);
	/* Instead of run, or words that come before its operands; ends with NULL. */
	const struct Command *const *sub;
} Command;

typedef struct ArgGiven {
	const ArgOption *option;
	const char *text; /* NULL for flags */
} ArgGiven;

struct Args {
	Arena *arena; /* of this run of the command */
	const Command *command;
	bool help; /* --help was among them; nothing else was checked */
	VEC(ArgGiven) given;
	VEC(const char *) operand;
};

/* Parses argv[0..argc) as what c takes. Errors: ERR_INPUT names the option, what was found and what
 * was expected. */
int args_parse(Args *a, const Command *c, Arena *arena, int argc, char *const *argv, Err *e);

/* What was given for an option of the command's table; the last one of several. */
bool args_has(const Args *a, const char *name);
const char *args_text(const Args *a, const char *name, const char *otherwise);
int64_t args_integer(const Args *a, const char *name, int64_t otherwise);
double args_number(const Args *a, const char *name, double otherwise);
double args_seconds(const Args *a, const char *name, double otherwise); /* DURATION, WAIT */
size_t args_bytes(const Args *a, const char *name, size_t otherwise);   /* BYTES */

/* The i-th text given for a repeatable option; NULL after the last. */
const char *args_nth(const Args *a, const char *name, int i);

/* From an X macro list of (name, text): words for args_bits, and what a help says of them. */
#define ARGS_WORD(name, text)      #name,
#define ARGS_HELP_WORD(name, text) " " #name

/* Adds bit i for each of the words, separated by commas, that were given for an option and are
 * word[i]; NULL ends the table. Errors: ERR_INPUT lists the table. */
int args_bits(const Args *a, const char *name, const char *const *word, unsigned *bits, Err *e);

/* path: how the command was reached, "hone log show". */
void args_help(const Command *c, const char *path, FILE *out);

#endif
