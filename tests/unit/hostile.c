/* The kernels, as bodies of C functions compiled when a test runs. */
#include "tests/unit/hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "rpc_server/plan.h"
#include "wire/sandbox.h"

/* What kernels need to misbehave. Numbers of system calls come from the system's headers, flags are
 * spelled out. */
static const char tools[] =
	"#include <sys/syscall.h>\n"
	"static long sys6(long n, long a, long b, long c, long d, long e, long f) {\n"
#if defined(__x86_64__)
	"  register long r10 __asm__(\"r10\") = d, r8 __asm__(\"r8\") = e, r9 __asm__(\"r9\") = "
	"f;\n"
	"  long r = n;\n"
	"  __asm__ volatile(\"syscall\" : \"+a\"(r) : \"D\"(a), \"S\"(b), \"d\"(c), \"r\"(r10),\n"
	"                   \"r\"(r8), \"r\"(r9) : \"rcx\", \"r11\", \"memory\");\n"
	"  return r; }\n"
#elif defined(__aarch64__)
	"  register long x0 __asm__(\"x0\") = a, x1 __asm__(\"x1\") = b, x2 __asm__(\"x2\") = c,\n"
	"                x3 __asm__(\"x3\") = d, x4 __asm__(\"x4\") = e, x5 __asm__(\"x5\") = f,\n"
	"                x8 __asm__(\"x8\") = n;\n"
	"  __asm__ volatile(\"svc 0\" : \"+r\"(x0) : \"r\"(x1), \"r\"(x2), \"r\"(x3), \"r\"(x4),\n"
	"                   \"r\"(x5), \"r\"(x8) : \"memory\");\n"
	"  return x0; }\n"
#endif
	"#define SYS(n, a, b, c, d) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)\n"
	"static long fork_one(void) { return SYS(SYS_clone, 17, 0, 0, 0); }\n"
	"static void spin(void) { for (volatile int i = 0;; i++) ; }\n"
	"static __attribute__((noinline)) int deep(int n)\n"
	"{ volatile char a[4096]; a[0] = n; return n ? deep(n - 1) + a[0] : 0; }\n"
	"#define PAGE(p) ((long)(p) & -4096l)\n"
	"struct work { const void *batch, *plan; const char *segment; };\n"
	"KERNEL(bad_prepare) { *(volatile int *)16 = 1; return 0; }\n";

#define BIT(status) (1u << STATUS_##status)
#define ENDED       (BIT(CRASH) | BIT(HANG) | BIT(LOST))

/* Memory and arithmetic: the same rows everywhere. */
#define ALWAYS(name, status, reason, body)                       \
	{                                                        \
		name, body, reason, STATUS_##status, BIT(status) \
	}
/* System calls: a filter ends them; without it they do what they do. */
#define CALLS(name, open, body)                                             \
	{                                                                   \
		name, body, "forbidden system call", STATUS_FORBIDDEN, open \
	}

#if defined(__x86_64__)
#define OFF_THE_STACK "\"xor %%esp, %%esp; push %%rax\""
#else
#define OFF_THE_STACK "\"mov sp, xzr; str x0, [sp, #-16]!\""
#endif

const Hostile hostile[] = {
	ALWAYS("segfault", CRASH, "SIGSEGV (11) outside all buffers, instruction at image+0x",
	       "*(volatile int *)16 = 1;"),
	ALWAYS("wild_jump", CRASH, "SIGSEGV (11) outside all buffers",
	       "((void (*volatile)(void))64)();"),
	ALWAYS("illegal", CRASH, "instruction at image+0x", "__builtin_trap();"),
	ALWAYS("past_the_end", CRASH, "32 bytes past the end of buffer 2, instruction",
	       "Y[N + 8] = 1;"),
	ALWAYS("far_past_the_end", CRASH, "2400 bytes past the end of buffer 2", "Y[N + 600] = 1;"),
	ALWAYS("before_the_beginning", CRASH, "4000 bytes before buffer 2", "Y[-1000] = 1;"),
	ALWAYS("past_an_input", CRASH, "past the end of buffer 0",
	       "Y[0] = ((volatile const float *)X)[N + 8];"),
	ALWAYS("past_the_pool", CRASH, "of pool of constants 0",
	       "Y[0] = ((volatile const float *)W)[NW];"),
	ALWAYS("past_scratch", CRASH, "at byte 4096 of scratch 0",
	       "((volatile int *)scratch)[1023] = 1; ((volatile int *)scratch)[1024] = 1;"),
	ALWAYS("huge_stack", CRASH, "below the stack", "deep(1 << 30);"),
	ALWAYS("off_the_stack", CRASH, "SIGSEGV",
	       "__asm__ volatile(" OFF_THE_STACK " : : : \"memory\");"),
	ALWAYS("return_address", CRASH, "SIGSEGV",
	       "volatile long *p = __builtin_frame_address(0); for (int i = 0; i < 64; i++) p[i] = "
	       "0x4141414141414141; return 0;"),
	ALWAYS("its_own_code", CRASH, "of code", "*(volatile int *)&spin = 0;"),
	ALWAYS("the_runners_code", CRASH, "SIGSEGV",
	       "*(volatile int *)__builtin_return_address(0) = 0;"),
	ALWAYS("unmaps_the_runner", CRASH, "SIGSEGV",
	       "SYS(SYS_munmap, PAGE(__builtin_return_address(0)), 4096, 0, 0);"),
	ALWAYS("unmaps_the_stack", CRASH, "SIGSEGV",
	       "SYS(SYS_munmap, PAGE(__builtin_frame_address(0)) - 65536, 262144, 0, 0);"),
	ALWAYS("unmaps_its_output", CRASH, "SIGSEGV", "SYS(SYS_munmap, PAGE(Y), 4096, 0, 0);"),
	ALWAYS("protects_its_output", CRASH, "buffer 2", "SYS(SYS_mprotect, PAGE(Y), 4096, 0, 0);"),
#if !defined(__SANITIZE_ADDRESS__) /* which would see it first, and say so with forbidden calls */
	ALWAYS("the_heap", CRASH, "SIGSEGV",
	       "int rc = good(in, out, scratch, 0, 1); volatile char *p = (volatile char *)in; "
	       "for (int i = 0; i < 16384; i++) p[i] = 0x41; return rc;"),
#endif
	ALWAYS("into_the_canary", WRONG, "wrote past the end of buffer 2 (output, 4000 bytes)",
	       "Y[N] = 1;"),
	ALWAYS("under_the_output", WRONG, "wrote before the beginning of buffer 2", "Y[-1] = 1;"),
	ALWAYS("changes_its_input", WRONG, "changed the contents of buffer 0 (input",
	       "((float *)X)[3] = 9;"),
	ALWAYS("changes_it_later", WRONG, "changed the contents of buffer 0 (input",
	       "static int runs; if (runs++ == 4) ((float *)X)[3] = 9;"),
	ALWAYS("writes_less_later", WRONG, "a timed run left its outputs as they were",
	       "static int runs; if (runs++) return 0;"),
	ALWAYS("writes_nan", WRONG, "element 0 of buffer 2 is nan",
	       "for (int i = 0; i < N; i++) Y[i] = __builtin_nanf(\"\"); return 0;"),
	ALWAYS("returns_nonzero", WRONG, "a phase returned 3", "return 3;"),
	ALWAYS("returns_it_later", WRONG, "a phase did not return 0 while it was timed",
	       "static int runs; if (runs++ == 4) return 3;"),
	ALWAYS("forges_its_times", IMPLAUSIBLE, "a time that is none",
	       "const struct work *w = in[-2]; long *p = (long *)w; while (*--p != "
	       "(long)w->segment); double *samples = (double *)(p[-1] + SAMPLES_AT); for (int i = "
	       "0; i < 10; i++) samples[i] = -1;"),
	ALWAYS("endless", HANG, "no result within 300 ms", "spin();"),
	ALWAYS("endless_later", HANG, "no result within 300 ms",
	       "static int runs; if (runs++ == 2) spin();"),
	ALWAYS("deaf", HANG, "no result within 300 ms",
	       "long all = -1; SYS(SYS_rt_sigprocmask, 0, &all, 0, 8); spin();"),
	ALWAYS("listens_to_the_agent", HANG, "no result within 300 ms",
	       "char bytes[64]; long io[2] = {(long)bytes, 64}; long message[7] = {0, 0, (long)io, "
	       "1}; SYS(SYS_recvmsg, 3, message, 0, 0);"),
	ALWAYS("floods_its_output", HANG, "no result within 300 ms",
	       "for (;;) SYS(SYS_write, 2, X, 4000, 0);"),
	ALWAYS("answers_the_agent", CRASH, "closed or misused its connection",
	       "SYS(SYS_sendto, 3, X, 100, 0x4000); spin();"),
	ALWAYS("exits", CRASH, "exited with code 7", "SYS(SYS_exit_group, 7, 0, 0, 0);"),
	ALWAYS("exits_quietly", CRASH, "exited with code 0", "SYS(SYS_exit_group, 0, 0, 0, 0);"),
#if defined(__x86_64__)
	ALWAYS("divides_by_zero", CRASH, "SIGFPE",
	       "volatile int zero = 0, seven = 7, no = seven / zero; (void)no;"),
	ALWAYS("backwards", OK, "",
	       "__asm__ volatile(\"std\"); int rc = good(in, out, scratch, 0, 1); __asm__ "
	       "volatile(\"std\"); return rc;"),
#endif

	CALLS("kills_itself", ENDED | BIT(OK),
	      "SYS(SYS_kill, SYS(SYS_getpid, 0, 0, 0, 0), 9, 0, 0);"),
	CALLS("kills_its_parent", ENDED,
	      "SYS(SYS_kill, SYS(SYS_getppid, 0, 0, 0, 0), 9, 0, 0); spin();"),
	CALLS("kills_its_group", ENDED | BIT(OK), "SYS(SYS_kill, 0, 9, 0, 0);"),
	CALLS("stops_itself", ENDED | BIT(OK),
	      "SYS(SYS_kill, SYS(SYS_getpid, 0, 0, 0, 0), 19, 0, 0);"),
	CALLS("signals_another", ENDED | BIT(OK), "SYS(SYS_tgkill, 2, 2, 0, 0);"),
	CALLS("closes_its_line", BIT(CRASH), "SYS(SYS_close, 3, 0, 0, 0); spin();"),
	CALLS("closes_everything", BIT(CRASH) | BIT(HANG),
	      "for (int i = 0; i < 1024; i++) SYS(SYS_close, i, 0, 0, 0); spin();"),
	CALLS("leaves_children", BIT(OK) | BIT(CRASH),
	      "static int n; for (; n < 2; n++) if (fork_one() == 0) spin();"),
	CALLS("forks_and_forks", ENDED | BIT(OK),
	      "for (int i = 0; i < 4; i++) fork_one(); spin();"),
	CALLS("leaves_its_session", ENDED | BIT(OK),
	      "static int n; if (!n++ && fork_one() == 0) { SYS(SYS_setsid, 0, 0, 0, 0); spin(); "
	      "}"),
	CALLS("starts_a_thread", ENDED | BIT(OK),
	      "static int n; if (!n++ && SYS(SYS_clone, 0x10f00, (char *)scratch + 4000, 0, 0) == "
	      "0) SYS(SYS_exit, 0, 0, 0, 0);"),
	CALLS("executes", ENDED | BIT(OK),
	      "const char *argv[2] = {\"/bin/true\", 0}; SYS(SYS_execve, argv[0], argv, argv + 1, "
	      "0);"),
	CALLS("opens_a_file", BIT(OK), "SYS(SYS_openat, -100, \"/etc/passwd\", 0, 0);"),
	CALLS("makes_a_file", BIT(OK) | BIT(CRASH),
	      "SYS(SYS_openat, -100, \"/tmp/hone-hostile\", 0x10042, 0600);"),
	CALLS("removes_a_folder", BIT(OK),
	      "SYS(SYS_unlinkat, -100, \"/tmp/hone-nowhere\", 0x200, 0);"),
	CALLS("reads_a_descriptor", BIT(OK) | BIT(HANG), "SYS(SYS_read, 0, scratch, 64, 0);"),
	CALLS("makes_a_socket", BIT(OK), "SYS(SYS_socket, 2, 1, 0, 0);"),
	CALLS("connects", BIT(OK), "SYS(SYS_connect, 3, \"\\2\\0\\0\\26\\177\\0\\0\\1\", 16, 0);"),
	CALLS("traces", ENDED | BIT(OK), "SYS(SYS_ptrace, 0, 0, 0, 0);"),
	CALLS("reads_its_parent", BIT(OK),
	      "SYS(SYS_process_vm_readv, SYS(SYS_getppid, 0, 0, 0, 0), 0, 0, 0);"),
	CALLS("handles_signals", ENDED | BIT(OK),
	      "long action[4] = {1}; SYS(SYS_rt_sigaction, 11, action, 0, 8);"),
	CALLS("rings_an_alarm", ENDED | BIT(OK),
	      "long t[4] = {0, 1000, 0, 1000}; SYS(SYS_setitimer, 0, t, 0, 0); spin();"),
	CALLS("sleeps", BIT(HANG), "long t[2] = {100, 0}; SYS(SYS_nanosleep, t, 0, 0, 0);"),
	CALLS("waits_for_a_word", BIT(HANG), "static int word; SYS(SYS_futex, &word, 0, 0, 0);"),
	CALLS("takes_priority", BIT(OK), "SYS(SYS_setpriority, 0, 0, -20, 0);"),
	CALLS("goes_real_time", BIT(OK),
	      "int one = 1; SYS(SYS_sched_setscheduler, 0, 1, &one, 0);"),
	CALLS("changes_its_core", BIT(OK),
	      "long all = -1; SYS(SYS_sched_setaffinity, 0, 8, &all, 0);"),
	CALLS("raises_its_limits", BIT(OK),
	      "long limit[2] = {1 << 20, 1 << 20}; SYS(SYS_prlimit64, 0, 7, limit, 0);"),
	CALLS("makes_code", BIT(OK) | BIT(CRASH),
	      "static char code[8192]; SYS(SYS_mprotect, PAGE(code + 4095), 4096, 7, 0);"),
	CALLS("maps_code", BIT(OK), "SYS(SYS_mmap, 0, 4096, 7, 34);"),
	CALLS("maps_a_descriptor", BIT(OK), "SYS(SYS_mmap, 0, 4096, 1, 2);"),
	CALLS("changes_users", BIT(OK), "SYS(SYS_setresuid, 65534, 65534, 65534, 0);"),
	CALLS("new_namespaces", BIT(OK), "SYS(SYS_unshare, 0x20000000, 0, 0, 0);"),
	CALLS("asks_the_kernel", BIT(OK), "SYS(SYS_io_uring_setup, 1, scratch, 0, 0);"),
	CALLS("loads_a_program", BIT(OK), "SYS(SYS_bpf, 0, scratch, 48, 0);"),
	CALLS("counts_events", BIT(OK), "SYS(SYS_perf_event_open, scratch, 0, -1, -1);"),
	CALLS("undoes_the_filter", BIT(OK), "SYS(SYS_prctl, 38, 0, 0, 0);"),
#if defined(__x86_64__)
	CALLS("calls_as_32_bits", ENDED | BIT(OK),
	      "long r = 20; __asm__ volatile(\"int $0x80\" : \"+a\"(r) : : \"memory\");"),
#endif
};
const uint32_t hostiles = sizeof hostile / sizeof *hostile;

void
hostile_source(Str *s)
{
	str_printf(s, "enum { SAMPLES_AT = %zu };\n%s", offsetof(Control, samples), tools);
	for (uint32_t i = 0; i < hostiles; i++)
		str_printf(s, "KERNEL(%s) { %s\n  return good(in, out, scratch, 0, 1); }\n",
			   hostile[i].name, hostile[i].body);
}

Candidate *
hostile_add(AgentCase *a, uint32_t i)
{
	Candidate *k = case_add(a, (char **)&hostile[i].name);

	k->deadline_ms = HOSTILE_DEADLINE_MS;
	k->scratch_bytes = HOSTILE_SCRATCH;
	return k;
}

void
hostile_expect(const Outcomes *o, uint32_t at, uint32_t i)
{
	const Result *r = &o->result[at];
	const Hostile *h = &hostile[i];
	bool filtered = r->sandbox & SANDBOX_BIT(COMPUTE);
	uint32_t may = filtered ? 1u << h->filtered : h->open;
	const char *reason = may == 1u << h->filtered ? h->reason : "";

	if (!(may >> r->status & 1) || !strstr(r->reason, reason))
		fail_msg("%s, %s: %s \"%s\", expected %s \"...%s...\"", h->name,
			 filtered ? "filtered" : "not filtered", status_name(r->status), r->reason,
			 filtered ? status_name(h->filtered) : "another", reason);
}
