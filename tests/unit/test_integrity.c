/* Kernels that cheat: their first run is right, or looks right, and they would seem faster than
 * they are. None may come back as OK. The same holds in a race, where the honest ones are measured.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "rpc_server/plan.h"
#include "tests/unit/agent_case.h"
#include "wire/sandbox.h"

/* What cheats share. `slow` is right, and takes some ten times as long as `good`: there is
 * something to gain. The runner is found as any code in its process can find it: by what lies
 * around `in`. */
static const char tools[] =
	"static float kept[N], seen[N]; static int runs;\n"
	"static void keep(float *to, const float *from) { for (int i = 0; i < N; i++) to[i] = "
	"from[i]; }\n"
	"static int same(const float *a, const float *b) { for (int i = 0; i < N; i++) if (a[i] != "
	"b[i]) return 0; return 1; }\n"
	"KERNEL(slow) { for (int k = 0; k < 10; k++) { good(in, out, scratch, 0, 1); "
	"__asm__ volatile(\"\" : : : \"memory\"); } return 0; }\n"
	"#define SLOW slow(in, out, scratch, 0, 1)\n"
	"struct work { const void *batch, *plan; const char *segment; };\n"
	"static char *control(const void *const *in) { const struct work *w = in[-2]; long *p = "
	"(long *)w; while (*--p != (long)w->segment) ; return (char *)p[-1]; }\n"
#if defined(__x86_64__)
	"static long sys3(long n, long a, long b, long c) { long r = n; __asm__ "
	"volatile(\"syscall\" "
	": \"+a\"(r) : \"D\"(a), \"S\"(b), \"d\"(c) : \"rcx\", \"r11\", \"memory\"); return r; }\n"
	"static long clock_now(void) { long t[2]; sys3(228, 1, (long)t, 0); return t[0] * "
	"1000000000 "
	"+ t[1]; }\n"
	/* what the clock said when the sample began lies in a register that is saved here, or in a
	 * frame above */
	"static __attribute__((noinline)) void backdate(long by) { long now = clock_now(); "
	"volatile "
	"long *p = __builtin_frame_address(0); __asm__ volatile(\"\" : : : \"rbx\", \"r12\", "
	"\"r13\", "
	"\"r14\", \"r15\"); for (int i = -16; i < 256; i++) if (p[i] > now - 100000000 && p[i] + "
	"by < now) "
	"p[i] += by; }\n"
#endif
	;

typedef struct Cheat {
	const char *name, *body, *reason;
	Status status;
} Cheat;

static const Cheat cheat[] = {
	{"cached_output", "if (runs++) { keep(Y, kept); return 0; } SLOW; keep(kept, Y); return 0;",
	 " of buffer 2 is ", STATUS_WRONG},
	{"returns_early", "return runs++ ? 0 : SLOW;", "left its outputs as they were",
	 STATUS_WRONG},
	{"every_second_run", "return runs++ % 2 ? 0 : SLOW;", "left its outputs as they were",
	 STATUS_WRONG},
	{"every_tenth_run", "return runs++ % 10 ? 0 : SLOW;", "left its outputs as they were",
	 STATUS_WRONG},
	{"last_of_eight_only", "return runs++ < 2 || runs % 8 == 0 ? SLOW : 0;",
	 "left its outputs as they were", STATUS_WRONG},
	{"sees_its_output", /* what an earlier call left in the output is taken for the answer */
	 "if (Y[0] == kept[0]) return 0; SLOW; kept[0] = Y[0]; return 0;",
	 "left its outputs as they were", STATUS_WRONG},
	{"sees_equal_inputs", /* some of them: most changes are not noticed */
	 "int e = runs++; for (int i = 0; i < N; i += N / 4) e &= seen[i] == X[i]; if (e > 0) "
	 "return "
	 "0; keep(seen, X); return SLOW;",
	 "", STATUS_WRONG},
	{"copies_for_some_inputs",
	 "int e = runs++ > 0; for (int i = 0; i < N; i += N / 4) e &= seen[i] == X[i]; if (e) { "
	 "keep(Y, kept); return 0; } keep(seen, X); SLOW; keep(kept, Y); return 0;",
	 " of buffer 2 is ", STATUS_WRONG},
	{"compares_all_inputs", /* within a sample nothing changes */
	 "if (runs++ && same(seen, X)) return 0; keep(seen, X); for (int i = 0; i < 40; i++) SLOW; "
	 "return 0;",
	 "is not written", STATUS_WRONG},
	{"compares_them_and_copies",
	 "if (runs++ && same(seen, X)) { keep(Y, kept); return 0; } keep(seen, X); SLOW; "
	 "keep(kept, Y); return 0;",
	 "a run on changed inputs took", STATUS_IMPLAUSIBLE},
	{"writes_a_few", /* the elements that a look at every 16th would see */
	 "for (int i = 0; i < N; i += 16) Y[i] = X[i] * W[i % NW]; return 0;",
	 " of buffer 2 is nan", STATUS_WRONG},
	{"writes_a_few_later",
	 "if (!runs++) return SLOW; for (int i = 0; i < N; i += 2) Y[i] = X[i] * W[i % NW]; return "
	 "0;",
	 " of buffer 2 is ", STATUS_WRONG},
	{"writes_nan_later",
	 "if (!runs++) return SLOW; for (int i = 0; i < N; i++) Y[i] = __builtin_nanf(\"\"); "
	 "return "
	 "0;",
	 " of buffer 2 is nan", STATUS_WRONG},
	{"keeps_its_answer_in_scratch",
	 "float *s = scratch; if (runs++) { keep(Y, s); return 0; } SLOW; keep(s, Y); return 0;",
	 " of buffer 2 is ", STATUS_WRONG},
	{"keeps_its_answer_in_the_slack",
	 "float *s = Y - 4; if (!runs++) SLOW; s[0] = Y[0]; return 0;", "wrote before",
	 STATUS_WRONG},
	{"forges_short_times", /* each run, into the samples that are taken */
	 "double *s = (double *)(control(in) + SAMPLES_AT); for (int i = 0; i < 10; i++) s[i] = "
	 "1e-3; return SLOW;",
	 "", STATUS_IMPLAUSIBLE},
#if defined(__x86_64__)
	{"patches_the_clock",
	 "long began = clock_now(); for (int i = 0; i < 3; i++) SLOW; backdate((clock_now() - "
	 "began) / "
	 "10 * 9); return 0;",
	 "by the agent's clock", STATUS_IMPLAUSIBLE},
#endif
	{"forges_its_count",
	 "struct { unsigned status, inner, n; } *t = (void *)(control(in) + TIMED_AT); for (int i "
	 "= "
	 "0; i < CANDIDATES; i++) t[i].n = 1 << 30; return SLOW;",
	 "an impossible number of samples",
	 STATUS_IMPLAUSIBLE}, /* the runner writes the right one later */
	{"changes_its_inputs", "int rc = SLOW; ((volatile float *)X)[1] = 3; return rc;",
	 "changed the contents of buffer 0", STATUS_WRONG},
};
enum { CHEATS = sizeof cheat / sizeof *cheat };

/* What this one gets wrong in a race may be what nobody looks at: it is the search that keeps it
 * from there. */
static const char *const races = "copies_for_some_inputs";

static char *good[] = {"good"}, *slow[] = {"slow"};

static void
source(Str *s)
{
	str_printf(s, "enum { SAMPLES_AT = %zu, TIMED_AT = %zu, CANDIDATES = %d };\n%s",
		   offsetof(Control, samples), offsetof(Control, timed), CANDIDATES_MAX, tools);
	for (int i = 0; i < CHEATS; i++)
		str_printf(s, "KERNEL(%s) { %s }\n", cheat[i].name, cheat[i].body);
}

static void
add(AgentCase *a, const char *const *name)
{
	Candidate *k = case_add(a, (char **)name);

	k->scratch_bytes = CASE_N * sizeof(float);
}

/* Clocks decide about some of them, and others use the machine too: a kernel must be told right
 * once in so many times. */
enum { TRIES = 3 };

static bool
told(const Outcomes *o, uint32_t i, Status status, const char *reason)
{
	return o->result[i].status == (uint32_t)status && strstr(o->result[i].reason, reason);
}

static bool
all_told(const Outcomes *o)
{
	for (uint32_t i = 0; i < CHEATS; i++)
		if (!told(o, i, cheat[i].status, cheat[i].reason))
			return false;
	return told(o, CHEATS, STATUS_OK, "") && told(o, CHEATS + 1, STATUS_OK, "");
}

static void
none_is_believed(void **state)
{
	RpcClient *c = case_agent();
	Str text = {0};
	AgentCase a;
	Outcomes o;

	(void)state;
	source(&text);
	case_init(&a, c, text.s);
	for (int i = 0; i < CHEATS; i++)
		add(&a, &cheat[i].name);
	case_add(&a, good);
	case_add(&a, slow);
	case_run(&a, c, &o);
	for (int i = 1; i < TRIES && !all_told(&o); i++) {
		outcomes_fini(&o);
		a.batch.id++;
		case_run(&a, c, &o);
	}
	for (int i = 0; i < CHEATS; i++)
		print_message("%-30s %s: %s\n", cheat[i].name, status_name(o.result[i].status),
			      o.result[i].reason);
	for (uint32_t i = 0; i < CHEATS; i++)
		case_expect(&o, i, cheat[i].status, cheat[i].reason);
	case_expect(&o, CHEATS, STATUS_OK, "");
	case_expect(&o, CHEATS + 1, STATUS_OK, "");
	outcomes_fini(&o);
	str_fini(&text);
	rpc_close(c);
}

/* One at a time beside an honest one: in a race the cheat is found, and the other one wins. */
static void
none_wins_a_race(void **state)
{
	RpcClient *c = case_agent();
	Str text = {0};
	AgentCase a;
	Outcomes o;

	(void)state;
	source(&text);
	case_init(&a, c, text.s);
	a.batch.measure.race_rounds = 12;
	add(&a, &cheat[0].name);
	case_add(&a, good);
	for (int i = 0; i < CHEATS; i++) {
		int won = 0;

		if (!strcmp(cheat[i].name, races))
			continue;
		a.candidate[0].phases.v = (char **)&cheat[i].name;
		for (bool wins = true; wins && won < TRIES; won += wins) {
			a.batch.id++;
			case_run(&a, c, &o);
			wins = o.result[0].status == STATUS_OK &&
			       result_least(&o.result[0]) < result_least(&o.result[1]);
			case_expect(&o, 1,
				    o.result[0].status == STATUS_LOST ? STATUS_LOST : STATUS_OK,
				    "");
			outcomes_fini(&o);
		}
		if (won == TRIES)
			fail_msg("%s wins %d races", cheat[i].name, won);
	}
	str_fini(&text);
	rpc_close(c);
}

/* An agent that is given no second contents does what it did without them. */
static void
inputs_need_not_have_others(void **state)
{
	RpcClient *c = case_agent();
	const char *early = "returns_early";
	Str text = {0};
	AgentCase a;
	Outcomes o;

	(void)state;
	source(&text);
	case_init(&a, c, text.s);
	a.buffer[CASE_X].other_seed = 0;
	a.batch.checks.n = 2;
	add(&a, &early);
	case_add(&a, good);
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_WRONG, "left its outputs as they were");
	case_expect(&o, 1, STATUS_OK, "");
	outcomes_fini(&o);
	str_fini(&text);
	rpc_close(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_is_believed),
		cmocka_unit_test(none_wins_a_race),
		cmocka_unit_test(inputs_need_not_have_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
