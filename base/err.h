/* Errors: one list of codes with their texts and exit codes, one carrier for the human detail.
 *
 * A function that can fail returns int: OK (0), a negative code below with a text in its Err, or,
 * where its contract says so, NOT_APPLICABLE (1): a normal answer that never logs.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* name, value, exit code of the command line, text */
#define ERR_LIST(X)                                           \
	X(OK, 0, 0, "ok")                                     \
	X(ERR_CHECK, -1, 1, "check failed")                   \
	X(ERR_INPUT, -2, 2, "bad input")                      \
	X(ERR_UNSUPPORTED, -3, 3, "not supported")            \
	X(ERR_DEVICE, -4, 4, "device or network failed")      \
	X(ERR_INTERNAL, -5, 5, "internal error")              \
	X(ERR_NOMEM, -6, 5, "out of memory")                  \
	X(ERR_IO, -7, 2, "file could not be read or written") \
	X(ERR_BUSY, -8, 4, "in use by another process")       \
	X(ERR_CANCELLED, -9, 4, "cancelled")                  \
	X(ERR_DENIED, -10, 4, "not allowed")                  \
	X(ERR_FULL, -11, 2, "no space left")                  \
	X(ERR_UNCLEAR, -12, 6, "inconclusive")                \
	X(ERR_WRONG, -13, 7, "wrong result or crash")

#define X(name, value, exit_code, text) name = value,
enum err_code { ERR_LIST(X) };
#undef X

enum { NOT_APPLICABLE = 1, ERR_TEXT_MAX = 768 };

typedef struct Err {
	int code;
	char msg[ERR_TEXT_MAX]; /* "" until err_set */
} Err;

/* Stores code and text in *e (e may be NULL) and returns code. Keeps the first error: a second
 * call on the same Err changes nothing, so the cause is not hidden by what follows from it. */
int err_set(Err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Prefixes the stored text, "model.onnx: node 'x': ...". No effect when e holds no error. */
void err_prefix(Err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

const char *err_text(int code); /* "not supported"; "unknown error" for a foreign number */
int err_exit_code(int code);    /* of a process that ends with it; 5 for a foreign number */

#endif
