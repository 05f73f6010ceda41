/* What kernels must not reach, and which layers of the sandbox are in the way: each action with no
 * layer, then with each layer alone. Two layers at least stop it, so that the failure of one lets
 * nothing out. Prints the table.
 *
 * Without filters of system calls this is not so, and the test is skipped: in a build without
 * libseccomp, or with the thread sanitizer, which needs other calls.
 *
 * An action that this system forbids to this user anyway (module loading in a container, say) shows
 * nothing and is left out of the count. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/agent_process.h"
#include "tests/unit/hostile.h"
#include "wire/sandbox.h"

#if defined(HONE_SECCOMP)
#define FILTERS 1
#else
#define FILTERS 0
#endif

enum { OUT = 77, STOPPERS_LEAST = 2 };

/* `body` ends in a number: what the last call returned. */
typedef struct Escape {
	const char *name, *body;
	bool may; /* the call is malformed: any answer but a refusal shows that it is allowed */
} Escape;

#define DOES(name, ...)                    \
	{                                  \
#name, #__VA_ARGS__, false \
	}
#define MAY(name, ...)                    \
	{                                 \
#name, #__VA_ARGS__, true \
	}

/* FILE_, LINK_ and so on are paths in a folder of the test, TARGET is the test's process. */
static const Escape escape[] = {
	DOES(reads_a_file, SYS(SYS_openat, -100, "/etc/passwd", 0, 0)),
	DOES(reads_a_secret, SYS(SYS_openat, -100, SECRET, 0, 0)),
	DOES(lists_a_folder, SYS(SYS_openat, -100, "/", 0x10000, 0)),
	DOES(makes_a_file, SYS(SYS_openat, -100, MADE "1", 0x42, 0600)),
	DOES(makes_a_folder, SYS(SYS_mkdirat, -100, MADE "2", 0700, 0)),
	DOES(makes_a_symbolic_link, SYS(SYS_symlinkat, "/", -100, MADE "3", 0)),
	DOES(makes_a_second_name, sys6(SYS_linkat, -100, (long)SECRET, -100, (long)MADE "4", 0, 0)),
	DOES(makes_a_device, SYS(SYS_mknodat, -100, MADE "5", 0x2180, 0x103)),
	DOES(removes_a_file, SYS(SYS_unlinkat, -100, VICTIM "1", 0, 0)),
	DOES(renames_a_file,
	     sys6(SYS_renameat2, -100, (long)VICTIM "2", -100, (long)MADE "6", 0, 0)),
	DOES(shortens_a_file, SYS(SYS_truncate, VICTIM "3", 0, 0, 0)),
	DOES(changes_a_mode, SYS(SYS_fchmodat, -100, VICTIM "3", 0777, 0)),
	DOES(changes_an_owner, SYS(SYS_fchownat, -100, VICTIM "3", 65534, 65534)),
	DOES(changes_a_time, SYS(SYS_utimensat, -100, VICTIM "3", 0, 0)),
	DOES(changes_its_root, SYS(SYS_chroot, "/", 0, 0, 0)),
	DOES(reads_an_environment, SYS(SYS_openat, -100, ENVIRONMENT, 0, 0)),
	DOES(signals_a_process, SYS(SYS_kill, TARGET, 0, 0, 0)),
	DOES(signals_all, SYS(SYS_kill, -1, 0, 0, 0)),
	DOES(traces_a_process, SYS(SYS_ptrace, 0x4206, TARGET, 0, 0)),
	DOES(reads_memory_of_another,
	     (READ_FROM, sys6(SYS_process_vm_readv, TARGET, (long)to, 1, (long)from, 1, 0))),
	DOES(opens_a_process, SYS(SYS_pidfd_open, TARGET, 0, 0, 0)),
	DOES(reads_limits_of_another, SYS(SYS_prlimit64, TARGET, 7, 0, scratch)),
	DOES(slows_a_process, SYS(SYS_setpriority, 0, TARGET, 0, 0)),
	DOES(forks, ({
		     long child = fork_one();
		     if (!child)
			     SYS(SYS_exit_group, 0, 0, 0, 0);
		     child;
	     })),
	DOES(leaves_its_session, SYS(SYS_setsid, 0, 0, 0, 0)),
	DOES(makes_a_tcp_socket, SYS(SYS_socket, 2, 1, 0, 0)),
	DOES(makes_a_udp_socket, SYS(SYS_socket, 2, 2, 0, 0)),
	DOES(makes_a_raw_socket, SYS(SYS_socket, 2, 3, 255, 0)),
	DOES(makes_a_unix_socket, SYS(SYS_socket, 1, 1, 0, 0)),
	DOES(makes_a_netlink_socket, SYS(SYS_socket, 16, 3, 0, 0)),
	DOES(finds_shared_memory, SYS(SYS_shmget, KEY, 1, 0, 0)),
	DOES(finds_a_queue, SYS(SYS_msgget, KEY, 0, 0, 0)),
	DOES(finds_semaphores, SYS(SYS_semget, KEY, 1, 0, 0)),
	DOES(changes_users, SYS(SYS_setresuid, 65534, 65534, 65534, 0)),
	DOES(goes_real_time, SYS(SYS_sched_setscheduler, 0, 1, (int[]){1}, 0)),
	DOES(makes_a_name_space, SYS(SYS_unshare, 0x40000000, 0, 0, 0)),
	MAY(mounts, sys6(SYS_mount, (long)"none", (long)FOLDER, (long)"no such kind", 0, 0, 0)),
	MAY(sets_the_clock, SYS(SYS_settimeofday, 0, 0, 0, 0)),
	MAY(reboots, SYS(SYS_reboot, 0, 0, 0, 0)),
	MAY(loads_a_module, SYS(SYS_init_module, 0, 0, "", 0)),
	DOES(reads_the_kernels_log, SYS(SYS_syslog, 10, 0, 0, 0)),
	MAY(loads_a_program, SYS(SYS_bpf, 0, scratch, 48, 0)),
	MAY(counts_events, sys6(SYS_perf_event_open, (long)scratch, 0, -1, -1, 0, 0)),
	MAY(makes_a_ring, SYS(SYS_io_uring_setup, 1, scratch, 0, 0)),
	MAY(serves_page_faults, SYS(SYS_userfaultfd, 0, 0, 0, 0)),
	MAY(keeps_a_key, sys6(SYS_add_key, (long)"user", (long)"hone", (long)"x", 1, -1, 0)),
	DOES(makes_a_file_in_memory, SYS(SYS_memfd_create, "hone", 0, 0, 0)),
	/* It does not return if it works. */
	DOES(executes, SYS(SYS_execve, "/bin/sh", ((const char *[]){"sh", "-c", "exit 77", 0}),
			   (long[]){0}, 0)),
};
enum { ESCAPES = sizeof escape / sizeof *escape };
_Static_assert(sizeof escape / sizeof *escape <= CANDIDATES_MAX, "one batch");

static char folder[64], path[96];
static char victims_memory[8] = "victim";
static key_t key;
static int shared, queue, semaphores;

static void
make_file(const char *name, mode_t mode)
{
	char file[128];
	int fd;

	snprintf(file, sizeof file, "%s/%s", folder, name);
	fd = open(file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static void
remove_made(void)
{
	for (int i = 1; i < 7; i++) {
		char file[128];

		snprintf(file, sizeof file, "%s/made%d", folder, i);
		remove(file);
	}
}

/* All that the actions need, as it was before. */
static void
lay_out(void)
{
	remove_made();
	make_file("secret", 0600);
	make_file("victim1", 0600);
	make_file("victim2", 0600);
	make_file("victim3", 0600);
}

static void
write_source(Str *s)
{
	hostile_source(s);
	str_printf(s,
		   "#define FOLDER \"%s\"\n"
		   "#define SECRET \"%s/secret\"\n#define VICTIM \"%s/victim\"\n"
		   "#define MADE \"%s/made\"\n#define ENVIRONMENT \"/proc/%d/environ\"\n"
		   "#define TARGET %d\n#define KEY %d\n",
		   folder, folder, folder, folder, getpid(), getpid(), key);
	str_printf(s, "static long from[2] = {%#lx, 8}, bytes, to[2];\n", (long)victims_memory);
	str_add(s, "#define READ_FROM to[0] = (long)&bytes, to[1] = 8\n"
		   /* EPERM, ESRCH, EACCES, EMFILE, ENOSYS */
		   "#define REFUSED(r) (r == -1 || r == -3 || r == -13 || r == -24 || r == -38)\n");
	for (int i = 0; i < ESCAPES; i++)
		str_printf(s,
			   "KERNEL(escape_%s) { long r = %s;\n  if (%s) return %d;\n"
			   "  return good(in, out, scratch, 0, 1); }\n",
			   escape[i].name, escape[i].body,
			   escape[i].may ? "r >= 0 || !REFUSED(r)" : "r >= 0", OUT);
}

/* Which actions get out of those layers, a bit each; `active`: the layers that there were. */
static uint64_t
get_out(uint64_t layers, uint64_t *active)
{
	static char name[ESCAPES][64];
	static char *symbol[ESCAPES];
	char words[SANDBOX_WORDS_BYTES], number[16];
	uint64_t out = 0;
	Str source = {0};
	RpcClient *c;
	AgentCase a;
	Outcomes o;
	Agent agent;

	lay_out();
	sandbox_words(layers, words);
	agent_start(&agent, ARGS("--socket", path, "--sandbox", words));
	assert_true(agent_says(&agent, "listening on "));
	c = open_or_fail(path);
	*active = rpc_device(c)->sandbox;
	write_source(&source);
	case_init(&a, c, source.s);
	a.batch.measure.min_runs = a.batch.measure.max_runs = 1;
	for (int i = 0; i < ESCAPES; i++) {
		snprintf(name[i], sizeof name[i], "escape_%s", escape[i].name);
		symbol[i] = name[i];
		case_add(&a, &symbol[i])->scratch_bytes = HOSTILE_SCRATCH;
	}
	case_run(&a, c, &o);
	snprintf(number, sizeof number, " %d", OUT);
	for (int i = 0; i < ESCAPES; i++)
		if (strstr(o.result[i].reason, number))
			out |= UINT64_C(1) << i;
	outcomes_fini(&o);
	str_fini(&source);
	rpc_close(c);
	kill(agent.pid, SIGTERM);
	assert_int_equal(agent_exit_code(&agent), 0);
	assert_true(process_all_gone());
	return out;
}

static unsigned
bits(uint64_t x)
{
	return (unsigned)__builtin_popcountll(x);
}

static void
two_layers_stop_each_action(void **state)
{
	uint64_t open, stopped[ESCAPES] = {0}, there = 0, active;
	unsigned few = 0;

	(void)state;
	if (!FILTERS) {
		print_message("agents of this build have no filters of system calls\n");
		skip();
	}
	open = get_out(0, &active);
	assert_int_equal(active, 0);
	for (unsigned layer = 0; layer < SANDBOX_LAYERS; layer++) {
		uint64_t out = get_out(UINT64_C(1) << layer, &active);

		there |= active;
		for (int i = 0; i < ESCAPES && active; i++)
			stopped[i] |= (uint64_t) !(out >> i & 1) << layer;
	}
	for (int i = 0; i < ESCAPES; i++) {
		char words[SANDBOX_WORDS_BYTES];

		sandbox_words(stopped[i], words);
		if (!(open >> i & 1))
			strcpy(words, "not allowed here in the first place");
		print_message("  %-24s %s\n", escape[i].name, words);
		few += open >> i & 1 && bits(stopped[i]) < STOPPERS_LEAST;
	}
	print_message("%u of %d actions get out without a sandbox\n", bits(open), ESCAPES);
	if (there & SANDBOX_BIT(FILTER) && there & SANDBOX_BIT(COMPUTE))
		assert_int_equal(few, 0);
	assert_int_equal(get_out(SANDBOX_ALL, &active), 0);
}

static int
set_up(void **state)
{
	(void)state;
	process_adopt_orphans();
	strcpy(folder, "/tmp/hone-escape-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/socket", folder);
	key = (key_t)(getpid() | 1 << 24);
	shared = shmget(key, 1, IPC_CREAT | 0600);
	queue = msgget(key, IPC_CREAT | 0600);
	semaphores = semget(key, 1, IPC_CREAT | 0600);
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const left[] = {"secret", "victim1", "victim2", "victim3", "socket"};

	(void)state;
	shmctl(shared, IPC_RMID, NULL);
	msgctl(queue, IPC_RMID, NULL);
	semctl(semaphores, 0, IPC_RMID);
	remove_made();
	for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
		char file[128];

		snprintf(file, sizeof file, "%s/%s", folder, left[i]);
		remove(file);
	}
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(two_layers_stop_each_action)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
