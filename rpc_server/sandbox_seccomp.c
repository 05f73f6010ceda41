/* System-call filters; the only user of libseccomp. Both say what is allowed.
 *
 * Loading reads what a client sent, with code of ours: a call that it does not need is refused.
 * Computing runs the client's code: a call that it does not need ends the process. It answers the
 * agent, takes and gives back memory that is not executable, reads the clock, and ends; a signal
 * may be sent to nobody but itself. Filters add up, so that the second can only be narrower.
 *
 * Older kernels slow a filtered process down against speculation unless they are asked not to;
 * times would then not be those of the product. */
#include <errno.h>

#include "rpc_server/sandbox.h"

#ifdef HONE_SECCOMP

#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONDITIONS = 3 };

/* A call, and what must hold of its arguments. A name that this machine's kernel does not have is
 * left out by libseccomp. */
typedef struct Rule {
	const char *call;
	struct scmp_arg_cmp condition[CONDITIONS];
	unsigned conditions;
} Rule;

#define PLAIN(name)          \
	{                    \
		.call = name \
	}
#define MASKED(n, mask, value)                                                              \
	{                                                                                   \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = (mask), .datum_b = (value) \
	}
#define EQUAL(n, value)                                           \
	{                                                         \
		.arg = (n), .op = SCMP_CMP_EQ, .datum_a = (value) \
	}

static const Rule loading[] = {
	PLAIN("read"),
	PLAIN("write"),
	PLAIN("writev"),
	PLAIN("recvmsg"),
	PLAIN("sendto"),
	PLAIN("send"),
	PLAIN("close"),
	PLAIN("mmap"),
	PLAIN("mmap2"),
	PLAIN("munmap"),
	PLAIN("mprotect"),
	PLAIN("mremap"),
	PLAIN("madvise"),
	PLAIN("brk"),
	PLAIN("futex"),
	PLAIN("futex_time64"),
	{.call = "clone", .condition = {MASKED(0, CLONE_THREAD, CLONE_THREAD)}, .conditions = 1},
	PLAIN("set_robust_list"),
	PLAIN("set_tls"),
	PLAIN("rseq"),
	PLAIN("membarrier"),
	PLAIN("cacheflush"),
	PLAIN("rt_sigaction"),
	PLAIN("rt_sigprocmask"),
	PLAIN("rt_sigreturn"),
	PLAIN("sigreturn"),
	PLAIN("sigaltstack"),
	PLAIN("restart_syscall"),
	PLAIN("sched_getaffinity"),
	PLAIN("sched_setaffinity"),
	PLAIN("sched_yield"),
	PLAIN("getcpu"),
	PLAIN("getpid"),
	PLAIN("gettid"),
	PLAIN("getrlimit"),
	PLAIN("ugetrlimit"),
	PLAIN("setrlimit"),
	{.call = "prlimit64", .condition = {EQUAL(0, 0)}, .conditions = 1},
	PLAIN("prctl"),
	PLAIN("seccomp"),
	PLAIN("getrandom"),
	PLAIN("clock_gettime"),
	PLAIN("clock_gettime64"),
	PLAIN("exit"),
	PLAIN("exit_group"),
};

static const Rule computing[] = {
	{.call = "mmap",
	 .condition = {MASKED(2, PROT_EXEC, 0), MASKED(3, MAP_ANONYMOUS, MAP_ANONYMOUS)},
	 .conditions = 2},
	{.call = "mmap2",
	 .condition = {MASKED(2, PROT_EXEC, 0), MASKED(3, MAP_ANONYMOUS, MAP_ANONYMOUS)},
	 .conditions = 2},
	{.call = "mprotect", .condition = {MASKED(2, PROT_EXEC, 0)}, .conditions = 1},
	PLAIN("munmap"),
	PLAIN("mremap"),
	PLAIN("madvise"),
	PLAIN("brk"),
	PLAIN("clock_gettime"),
	PLAIN("clock_gettime64"),
	PLAIN("rt_sigprocmask"),
	PLAIN("rt_sigreturn"),
	PLAIN("sigreturn"),
	PLAIN("getpid"),
	PLAIN("gettid"),
	PLAIN("exit_group"),
};

static const Rule waiting[] = {
	PLAIN("futex"),
	PLAIN("futex_time64"),
	PLAIN("sched_yield"),
};

/* Adds one call under that condition, which may be without argument. */
static int
allow(scmp_filter_ctx filter, const Rule *r)
{
	int number = seccomp_syscall_resolve_name(r->call);

	if (number == __NR_SCMP_ERROR)
		return 0; /* this libseccomp has not heard of it */
	return -seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, r->conditions, r->condition);
}

static int
allow_all(scmp_filter_ctx filter, const Rule *rules, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = allow(filter, &rules[i]);
	return rc;
}

#define ALLOW_ALL(filter, rules) allow_all(filter, rules, sizeof(rules) / sizeof *(rules))

/* Talking to the agent, and a signal for oneself, which is how the C library aborts. */
static int
allow_own(scmp_filter_ctx filter, int socket)
{
	scmp_datum_t line = (scmp_datum_t)socket, self = (scmp_datum_t)getpid();
	const Rule own[] = {
		{.call = "recvmsg", .condition = {EQUAL(0, line)}, .conditions = 1},
		{.call = "sendto",
		 .condition = {EQUAL(0, line), EQUAL(3, MSG_NOSIGNAL), EQUAL(4, 0)},
		 .conditions = 3},
		{.call = "send", .condition = {EQUAL(0, line)}, .conditions = 1},
		{.call = "write", .condition = {EQUAL(0, STDERR_FILENO)}, .conditions = 1},
		{.call = "writev", .condition = {EQUAL(0, STDERR_FILENO)}, .conditions = 1},
		{.call = "tgkill", .condition = {EQUAL(0, self)}, .conditions = 1},
	};

	return ALLOW_ALL(filter, own);
}

/* Puts the filter into force and frees it. */
static int
install(scmp_filter_ctx filter, int threads, int rc)
{
	if (!rc)
		rc = -seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!rc)
		rc = -seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	if (!rc && threads > 1)
		rc = -seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!rc)
		rc = -seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

int
sandbox_filter_loading(void)
{
	const Rule own = {
		.call = "tgkill", .condition = {EQUAL(0, (scmp_datum_t)getpid())}, .conditions = 1};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc;

	if (!filter)
		return ENOMEM;
	rc = ALLOW_ALL(filter, loading);
	if (!rc)
		rc = allow(filter, &own);
	if (!rc) /* the C library then starts threads by clone, whose flags can be looked at */
		rc = -seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return install(filter, 1, rc);
}

int
sandbox_filter_compute(int socket, int threads)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (!filter)
		return ENOMEM;
	rc = ALLOW_ALL(filter, computing);
	if (!rc)
		rc = allow_own(filter, socket);
	if (!rc && threads > 1)
		rc = ALLOW_ALL(filter, waiting);
	return install(filter, threads, rc);
}

#else

int
sandbox_filter_loading(void)
{
	return ENOPKG;
}

int
sandbox_filter_compute(int socket, int threads)
{
	(void)socket;
	(void)threads;
	return ENOPKG;
}

#endif
