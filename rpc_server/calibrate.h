/* What the processor can do right now, to tell a slow candidate from a slow moment. */
#ifndef RPC_SERVER_CALIBRATE_H
#define RPC_SERVER_CALIBRATE_H

/* GFLOPS of a register-only loop of multiply-adds in the widest vectors this machine has; takes
 * about a millisecond, best of five parts. */
double calibrate_gflops(void);

#endif
