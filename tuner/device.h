/* Device: the way to the agent. A parcel that was sent comes back with a result for every
 * candidate, whatever happens to the connection or to the lease in between: what was in flight is
 * sent again over a new one, or under a new one.
 *
 * A connection that broke says nothing of a candidate: it is sent as often as it takes, as long as
 * the outages without a result in between stay below reconnect_ns. An agent that is
 * another one afterwards may have died of the candidate: that is tried ATTEMPTS times. */
#ifndef TUNER_DEVICE_H
#define TUNER_DEVICE_H

#include "base/clock.h"
#include "rpc_client/reopen.h"
#include "tuner/parcel.h"

enum { FLIGHT_MAX = 2, ATTEMPTS = 3 };

#define RECONNECT_NS (600 * SECOND_NS)

typedef struct DeviceHooks {
	void *self;
	bool (*stop)(void *self);                     /* give up waiting for a connection */
	void (*notice)(void *self, const char *text); /* it was lost; who holds the device */
	double wait_s;                                /* for others to leave it: RpcWait.seconds */
} DeviceHooks;

typedef struct Device {
	RpcClient *client;
	Reopen reopen;
	DeviceHooks hooks;
	Parcel *flight[FLIGHT_MAX];
	int nflight, lost; /* connections lost */
	bool cancelled;    /* by device_cancel */
	const char *name;  /* where others may use it too: measuring needs a lease; else NULL */
	char *cpu;         /* what it is to be, also after a restart */
	uint64_t instance; /* the run of the agent that was connected last */
	uint64_t lease;    /* that was held when the connection broke */
	uint64_t last_batch;
} Device;

/* The way's texts outlive the device. reconnect_ns: see above; 0: RECONNECT_NS. Errors: of
 * rpc_open_way. */
int device_open(Device *d, const RpcWay *way, uint64_t reconnect_ns, DeviceHooks hooks, Err *e);
void device_close(Device *d); /* frees what is in flight */
const DeviceInfo *device_info(const Device *d);

/* Comes to hold the device, see rpc_lease; device_send does so by itself. A private agent needs
 * none. */
int device_lease(Device *d, Err *e);

/* rpc_calibrate; nothing is in flight. */
int device_calibrate(Device *d, Calibration *out, Err *e);

/* Sends a parcel that is not complete; fewer than FLIGHT_MAX are in flight. It belongs to the
 * device until device_take gives it back, and after an error to the caller. Errors: ERR_DEVICE when
 * the device is gone for good, ERR_CANCELLED when the hook stopped it: nothing but
 * device_surrender, device_cancel and device_close may follow; others when the agent refuses the
 * batch. */
int device_send(Device *d, Parcel *p, Err *e);

/* The next parcel that is complete. NOT_APPLICABLE when none is within timeout_ms, whatever else
 * came. Errors: as of device_send. */
int device_take(Device *d, int timeout_ms, Parcel **out, Err *e);

/* Takes everything in flight away from the device, which answers for it no more; returns how many.
 * Where the connection is gone, the first that was not complete has had an attempt. It may follow
 * any error. */
int device_surrender(Device *d, Parcel *out[FLIGHT_MAX]);

/* Comes to hold the device again after device_surrender. Errors: as of device_send. */
int device_mend(Device *d, Err *e);

/* Everything in flight is cancelled; it still comes back, LOST or CANCELLED where unmeasured. */
void device_cancel(Device *d);

#endif
