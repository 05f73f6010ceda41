/* What the files of the server share: who is connected, what waits, what runs. */
#ifndef RPC_SERVER_SERVER_PARTS_H
#define RPC_SERVER_SERVER_PARTS_H

#include "rpc_server/access.h"
#include "rpc_server/batch.h"
#include "rpc_server/lease.h"
#include "rpc_server/net.h"
#include "rpc_server/server.h"
#include "rpc_server/wedge.h"
#include "wire/session.h"

typedef struct Client {
	Session session;
	Pass pass;
	NetConn *conn;
	struct Server *server;
	Upload uploads[UPLOADS_MAX];
	struct Client *next;
} Client;

typedef struct Entry {
	Job *job;
	Client *owner;
} Entry;

typedef struct Server {
	const ServerConfig *config;
	Net *net;
	Access access;
	Blobs *blobs;
	DeviceInfo device;
	uint64_t instance; /* of Hello: this run and no other */
	Client *clients;   /* newest first */
	unsigned count;
	Leases leases;
	const Client *asking; /* whose request is being answered: it learns its lease by that */
	Entry queue[QUEUE_MAX];
	unsigned queued;
	BatchRun *running;
	Wedge wedge;    /* nothing begins while it lasts */
	Client *owner;  /* of the running batch; NULL: left */
	uint64_t epoch; /* of the lease it runs under */
} Server;

/* Answers a request, or returns an error to answer with. */
typedef int Handler(Client *c, Message *m, Err *e);

/* --- batches.c --- */

Handler batch_submit, batch_recall;
/* Whether a client waits for the end of a batch. */
bool batches_busy(const Server *s, const Client *c);
/* Batches of a client become CANCELLED, those of that number or, without one, all. It is told of
 * each. */
void batches_cancel(Server *s, Client *c, const uint64_t *batch, const char *why);
void batches_left(Client *c); /* its connection is gone */
/* Does what is due; begins the next batch, until one is under way or none may begin. */
void batches_child_ended(Server *s);
void batches_settle(Server *s, uint64_t now);

/* --- lease_requests.c --- */

Handler *lease_handler(uint32_t method); /* NULL: none of this file's */

/* Before a batch of that epoch is queued: the client has that lease, or, where epoch is 0, it has
 * one or comes to wait for one. ERR_BUSY otherwise. */
int lease_admit(Client *c, uint64_t epoch, Err *e);
/* Ends what is over, grants what is free, and tells everybody whom it concerns. */
void lease_settle(Server *s, uint64_t now);
void lease_describe(const Server *s, DeviceInfo *d, uint64_t now);
void lease_left(Client *c, uint64_t now); /* its connection is gone */

#endif
