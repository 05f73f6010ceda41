/* The table of layers, and how each is taken on. What fails is reported and changes nothing. */
#include "rpc_server/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rpc_server/plan.h"

/* The numbers of Landlock: headers of older systems do not have them all. The system calls have one
 * number on all machines. */
enum {
	LANDLOCK_CREATE = 444,
	LANDLOCK_RESTRICT = 446,
	LANDLOCK_VERSION = 1, /* a flag that asks for it */
	LANDLOCK_TCP = 4,     /* first version that knows... */
	LANDLOCK_SCOPES = 6,
};

typedef struct LandlockRules {
	uint64_t files, network, scopes; /* that are forbidden unless a rule says otherwise */
} LandlockRules;

static int
result(long rc)
{
	return rc ? errno : 0;
}

static int
limit(int what, rlim_t most)
{
	struct rlimit r = {most, most}, now;

	if (!getrlimit(what, &now) && now.rlim_max < most) /* may not be raised */
		r = (struct rlimit){now.rlim_max, now.rlim_max};
	return result(setrlimit(what, &r));
}

static int
first(int a, int b)
{
	return a ? a : b;
}

/* The agent has made it; that is looked at here. */
static int
own_session(Sandbox *s)
{
	(void)s;
	return getsid(0) == getpid() ? 0 : ESRCH;
}

static int
limit_files(Sandbox *s)
{
	int rc = limit(RLIMIT_CORE, 0);

	(void)s;
	rc = first(rc, limit(RLIMIT_FSIZE, 0));
	rc = first(rc, limit(RLIMIT_MSGQUEUE, 0));
	rc = first(rc, limit(RLIMIT_RTPRIO, 0));
	return first(rc, limit(RLIMIT_NICE, 0));
}

/* What is open stays open; nothing else comes. The superuser is not bound by the number of
 * processes. */
static int
limit_work(Sandbox *s)
{
	int rc = limit(RLIMIT_NPROC, 0);

	rc = first(rc, limit(RLIMIT_NOFILE, 0));
	if (s->needs.memory_bytes)
		rc = first(rc, limit(RLIMIT_AS, (rlim_t)s->needs.memory_bytes));
	if (s->needs.cpu_s)
		rc = first(rc, limit(RLIMIT_CPU, (rlim_t)s->needs.cpu_s));
	return rc;
}

static int
no_new_privileges(Sandbox *s)
{
	(void)s;
	return result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static int
own_users(Sandbox *s)
{
	(void)s;
	return result(unshare(CLONE_NEWUSER));
}

static int
own_ipc(Sandbox *s)
{
	(void)s;
	return result(unshare(CLONE_NEWIPC));
}

static int
own_processes(Sandbox *s)
{
	(void)s;
	return result(unshare(CLONE_NEWPID));
}

static int
end_with_parent(Sandbox *s)
{
	(void)s;
	return result(prctl(PR_SET_PDEATHSIG, SIGKILL));
}

static int
no_capabilities(Sandbox *s)
{
	struct {
		uint32_t version;
		int pid;
	} head = {0x20080522, 0};
	struct {
		uint32_t effective, permitted, inheritable;
	} none[2] = {{0}};

	(void)s;
	return result(syscall(SYS_capset, &head, none));
}

/* No file may be touched but those that are open, no port bound or connected to, no process outside
 * sent a signal: as much of it as this kernel's version knows. */
static int
no_files(Sandbox *s)
{
	static const uint8_t rights[] = {0, 13, 14, 15, 15, 16}; /* of files, by version */
	LandlockRules rules = {0};
	long version = syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION), fd;
	int rc;

	if (version < 1)
		return version < 0 ? errno : EOPNOTSUPP;
	rules.files = ((uint64_t)1 << rights[version < 5 ? version : 5]) - 1;
	if (version >= LANDLOCK_TCP)
		rules.network = 3;
	if (version >= LANDLOCK_SCOPES)
		rules.scopes = 3;
	fd = syscall(LANDLOCK_CREATE, &rules,
		     version >= LANDLOCK_SCOPES ? sizeof rules
		     : version >= LANDLOCK_TCP  ? offsetof(LandlockRules, scopes)
						: offsetof(LandlockRules, network),
		     0);
	if (fd < 0)
		return errno;
	rc = result(syscall(LANDLOCK_RESTRICT, fd, 0));
	close((int)fd);
	s->report.detail[SANDBOX_LANDLOCK] = (int32_t)version;
	return rc;
}

static int
filter_loading(Sandbox *s)
{
	(void)s;
	return sandbox_filter_loading();
}

static int
filter_compute(Sandbox *s)
{
	return sandbox_filter_compute(RUNNER_FD, s->needs.threads);
}

/* In order. A layer may need several entries: it is active when all were taken on. A new user
 * namespace brings capabilities in it, which the others need, and takes the signal away that is
 * sent when the parent ends. */
static const struct {
	SandboxStep step;
	SandboxLayer layer;
	int (*take_on)(Sandbox *s); /* 0 or an errno */
} table[] = {
	{SANDBOX_KEEPER, SANDBOX_SESSION, own_session},
	{SANDBOX_KEEPER, SANDBOX_LIMITS, limit_files},
	{SANDBOX_KEEPER, SANDBOX_PRIVILEGES, no_new_privileges},
	{SANDBOX_KEEPER, SANDBOX_USER, own_users},
	{SANDBOX_KEEPER, SANDBOX_IPC, own_ipc},
	{SANDBOX_KEEPER, SANDBOX_PID, own_processes},
	{SANDBOX_KEEPER, SANDBOX_ORPHAN, end_with_parent},
	{SANDBOX_WORKER, SANDBOX_CAPABILITIES, no_capabilities},
	{SANDBOX_WORKER, SANDBOX_ORPHAN, end_with_parent},
	{SANDBOX_WORKER, SANDBOX_LANDLOCK, no_files},
	{SANDBOX_WORKER, SANDBOX_FILTER, filter_loading},
	{SANDBOX_LOADING, SANDBOX_LIMITS, limit_work},
	{SANDBOX_LOADED, SANDBOX_COMPUTE, filter_compute},
};

void
sandbox_enter(Sandbox *s, SandboxStep step)
{
	SandboxReport *r = &s->report;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		SandboxLayer layer = table[i].layer;

		if (table[i].step != step || !(s->wanted >> layer & 1))
			continue;
		if (!r->why[layer])
			r->why[layer] = table[i].take_on(s);
		if (r->why[layer])
			r->active &= ~((uint64_t)1 << layer);
		else
			r->active |= (uint64_t)1 << layer;
	}
}
