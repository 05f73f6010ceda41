/* What became of a candidate. The numbers are in logs and on the wire: never reused. */
#ifndef WIRE_STATUS_H
#define WIRE_STATUS_H

#include <stdbool.h>

/* name, value, text for people */
#define STATUS_LIST(X)                                                \
	X(OK, 0, "ok")                                                \
	X(INFEASIBLE, 1, "cannot run on this device")                 \
	X(BUILD, 2, "could not be built or loaded")                   \
	X(CRASH, 3, "crashed")                                        \
	X(HANG, 4, "ran past its deadline")                           \
	X(WRONG, 5, "wrong output")                                   \
	X(BELOW_RESOLUTION, 6, "too short for the clock")             \
	X(IMPLAUSIBLE, 7, "faster than possible")                     \
	X(LOST, 8, "lost before it was measured: may be tried again") \
	X(CANCELLED, 9, "cancelled")                                  \
	X(FORBIDDEN, 10, "made a forbidden system call")              \
	X(POISON, 11, "took the device down before: not run again")   \
	X(STALE, 12, "measured under a lease that was over")

typedef enum Status {
#define X(name, value, text) STATUS_##name = value,
	STATUS_LIST(X)
#undef X
		STATUS_COUNT
} Status;

const char *status_name(Status s);                /* "CRASH"; "?" for a foreign number */
bool status_named(const char *name, Status *out); /* false: none is called so */
const char *status_text(Status s);

/* What is told to a peer of that protocol version (wire/hello.h): a status that it knows. What came
 * after version 1 is INFEASIBLE for it; the reason says more. */
Status status_for(unsigned version, Status s);

#endif
