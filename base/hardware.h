/* What a machine is: the facts that a device tells and a Target is made of. */
#ifndef BASE_HARDWARE_H
#define BASE_HARDWARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"

/* How the model of an emulated processor begins. */
#define DEVICE_EMULATED "emulated "

/* Texts are never NULL once read or decoded; device_fini frees everything. */
typedef struct DeviceInfo {
	char *name, *cpu, *arch, *triple, *kernel, *governor, *version;
	char *core;            /* LLVM's name of the core; "" = not known, or of no use */
	char *smt, *boost;     /* "on", "off"; "" = not known */
	LIST(char *) features; /* as LLVM names them */
	LIST(char *) runners;
	uint64_t l1d, l2, l3; /* bytes; 0 = none or not known */
	uint32_t cores;
	uint64_t memory_total, memory_free;
	uint32_t protocol;
	uint64_t sandbox; /* bit per layer that runners are in (wire/sandbox.h); 0 = none */
	LIST(char *) sandbox_notes; /* by bit: why that layer is not there, or more about it */
	bool insecure;              /* anybody who can reach the agent may use it */
	bool virtualised;           /* a hypervisor is known to be below */
	bool emulated;              /* this is no such processor: times say nothing about one */
	bool streams;               /* the agent can write past the caches (rpc_server/cold.h) */
	double load;                /* processes that want to run, average of a minute */
	char *holder;               /* who owns its timing now; "": nobody */
	uint32_t waiting;           /* batches that wait for a runner */
	uint64_t lease_epoch;       /* of the holder's lease; 0: there is none */
	uint32_t lease_held_s;      /* since when, seconds */
	uint32_t lease_queue;       /* who wait for one */
	bool draining;              /* no lease begins */
	char *role;                 /* what the one who asks may do; "": everything */
	char *wedged;      /* why nothing runs: a process cannot be killed; "": all is well */
	uint32_t poisoned; /* candidates that are not run again: they took the device down */
} DeviceInfo;

/* Fills every field that describes the machine (not version, protocol, runners, sandbox,
 * sandbox_notes, insecure, streams, holder, waiting, lease_*, draining, role, wedged, poisoned)
 * from the processor and from the files under root ("" = the real ones; another prefix lets tests
 * replay a recorded tree). core: the processor to describe where they differ, -1 = the first. What
 * cannot be read is "" or 0, governor "none". cpu of an emulated machine begins with
 * DEVICE_EMULATED. The caller frees with device_fini, also after an error. Errors: ERR_NOMEM.
 */
int hardware_read(const char *root, int core, DeviceInfo *d, Err *e);

void device_fini(DeviceInfo *d);

/* Numbers of processors this process may use, at most n: `first` before the others unless it is
 * negative. Returns how many. */
int hardware_own_cores(int first, int *core, int n);

uint32_t hardware_cores(void); /* that are online */
/* Bytes available without swapping; not more than half of what one program can address. */
uint64_t hardware_free_memory(void);
double hardware_load(void); /* as in DeviceInfo; 0 when not known */

#endif
