/* ONNX's own test cases through the compiled path: import, compile for this machine without a log,
 * run in this process, compare.
 *
 *   compiled [-j JOBS] [-t TARGET] [-s] [-e N] DATA [WORD]
 *
 * DATA and WORD as in ref_conformance; -t: for a row of the table of Targets that this machine can
 * run; -s: the plain scalar Sched everywhere; -e: every Nth case. Each case runs in a process of
 * its own with limits of time and memory. Prints a line for each case, "name outcome detail", in
 * order of their names, then the sums as comments. Exit: 0 when nothing is wrong, crashes or hangs.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deploy/compile.h"
#include "deploy/execute.h"
#include "onnx_case.h"

enum { CASE_SECONDS = 20, RUNS = 2, POISON = 0x80 };
#define CASE_BYTES ((rlim_t)4 << 30)

/* result, text, what it means */
#define RESULT_LIST(X)                                                       \
	X(PASS, "pass", "as expected, without a reference kernel")           \
	X(EXTERN, "pass-extern", "as expected, with reference kernels")      \
	X(FOLDED, "folded", "as expected; nothing is left that reads input") \
	X(UNSUPPORTED, "unsupported", "an operator or attribute is missing") \
	X(REFUSED, "refused", "the importer finds the model not valid")      \
	X(DATA, "data", "no data, or of a kind that is not read")            \
	X(WRONG, "WRONG", "other numbers, or an internal error")             \
	X(CRASH, "CRASH", "ended by a signal")                               \
	X(HANG, "HANG", "took too long")

typedef enum Result {
#define X(name, text, meaning) RESULT_##name,
	RESULT_LIST(X)
#undef X
		RESULT_COUNT
} Result;

static const char *const result_text[] = {
#define X(name, text, meaning) text,
	RESULT_LIST(X)
#undef X
};

static const char *const result_meaning[] = {
#define X(name, text, meaning) meaning,
	RESULT_LIST(X)
#undef X
};

/* What a child tells; the memory is shared. */
typedef struct Verdict {
	Result result;
	char detail[ERR_TEXT_MAX];
} Verdict;

typedef struct Case {
	const char *name, *dir;
	pid_t pid; /* while it runs */
	Verdict *verdict;
} Case;

typedef struct Cases {
	Arena *arena;
	CompileOptions opt;
	int jobs, every;
	VEC(Case) v;
} Cases;

static Result
give(Verdict *out, Result result, const char *detail)
{
	out->result = result;
	snprintf(out->detail, sizeof out->detail, "%s", detail);
	return result;
}

static bool
reads_input(const Graph *g)
{
	for (int i = 0; i < g->node.n; i++)
		for (int k = 0; k < g->node.v[i].nin; k++)
			for (int j = 0; j < g->input.n; j++)
				if (g->node.v[i].in[k] == g->input.v[j])
					return true;
	return false;
}

/* Pass, and which operators have no Task: each once. */
static Result
give_pass(Verdict *out, const OnnxCase *c, const Bundle *b)
{
	Str ops = {0};
	Result result = reads_input(c->g) ? RESULT_PASS : RESULT_FOLDED;

	for (int i = 0; i < b->nkernel && result == RESULT_PASS; i++)
		if (!strcmp(b->kernel[i].algorithm, "extern") &&
		    !strstr(str_get(&ops), b->kernel[i].sched))
			str_printf(&ops, "%s%s", ops.n ? "; " : "", b->kernel[i].sched);
	if (ops.n)
		result = RESULT_EXTERN;
	give(out, result, str_get(&ops));
	str_fini(&ops);
	return result;
}

static Result
give_outcome(Verdict *out, const OnnxCase *c, Outcome got)
{
	static const Result result[OUTCOME_COUNT] = {
		[OUTCOME_UNSUPPORTED] = RESULT_UNSUPPORTED,
		[OUTCOME_REFUSED] = RESULT_REFUSED,
		[OUTCOME_DATA] = RESULT_DATA,
		[OUTCOME_WRONG] = RESULT_WRONG,
	};

	return give(out, result[got],
		    got == OUTCOME_UNSUPPORTED && c->rep.unsupported.n ? c->rep.unsupported.v[0]
								       : c->why);
}

static Result
give_error(Verdict *out, const Err *e)
{
	return give(out, e->code == ERR_UNSUPPORTED ? RESULT_UNSUPPORTED : RESULT_WRONG, e->msg);
}

/* The second run finds what the first left among the activations. */
static int
run_bundle(OnnxCase *c, const Bundle *b, const void **in, void **got, Err *e)
{
	Executable *x;
	int rc = executable_open(b, &x, e);

	if (rc)
		return rc;
	for (int i = 0; i < b->noutput; i++)
		got[i] = arena_alloc64(c->arena, b->output[i].bytes);
	for (int i = 0; i < RUNS && !rc; i++)
		rc = executable_run(x, in, got, e);
	executable_close(x);
	return rc;
}

static Result
check_set(Verdict *out, OnnxCase *c, const CompileOptions *opt, const char *dir, int set)
{
	Outcome got = onnx_case_open(c, dir, set);
	const void **in = got == OUTCOME_PASS ? onnx_case_inputs(c) : NULL;
	void **result;
	Err e = {0};
	Bundle b;

	if (got == OUTCOME_PASS && !in)
		got = OUTCOME_DATA;
	if (got != OUTCOME_PASS)
		return give_outcome(out, c, got);
	if (compile(c->g, c->arena, opt, &b, &e))
		return give_error(out, &e);
	if (c->nwant != b.noutput)
		return give(out, RESULT_WRONG, "another number of outputs than the data has");
	result = ARENA_ARRAY(c->arena, void *, b.noutput + 1);
	if (run_bundle(c, &b, in, result, &e))
		return give_error(out, &e);
	for (int i = 0; i < c->nwant; i++) {
		const Value *v = &c->g->value.v[c->g->output.v[i]];

		if (onnx_case_compare(c, i, v, result[i]) != OUTCOME_PASS)
			return give_outcome(out, c, OUTCOME_WRONG);
	}
	return give_pass(out, c, &b);
}

/* In the child. A case is what the worst of its data sets is. */
static void
check_case(Verdict *out, const CompileOptions *opt, const char *dir)
{
	int sets = onnx_case_sets(dir);

	if (!sets)
		give(out, RESULT_DATA, "no data set");
	for (int set = 0; set < sets; set++) {
		OnnxCase *c = calloc(1, sizeof *c);
		Verdict v;

		if (!c)
			abort();
		check_set(&v, c, opt, dir, set);
		if (set == 0 || v.result > out->result)
			*out = v;
		onnx_case_close(c);
		free(c);
	}
}

/* The sanitizers reserve more addresses than any limit leaves. */
static void
limit_child(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	struct rlimit memory = {CASE_BYTES, CASE_BYTES};
	struct rlimit core = {0, 0};

	setrlimit(RLIMIT_AS, &memory);
	setrlimit(RLIMIT_CORE, &core);
#endif
	mallopt(M_PERTURB, POISON);
	alarm(CASE_SECONDS);
}

static void
start_case(Case *c, const CompileOptions *opt)
{
	give(c->verdict, RESULT_CRASH, "ended without a verdict");
	fflush(stdout);
	c->pid = fork();
	if (c->pid == 0) {
		limit_child();
		check_case(c->verdict, opt, c->dir);
		_exit(0);
	}
}

/* Waits for any child. */
static void
end_case(Cases *all)
{
	int status = 0;
	pid_t pid = wait(&status);

	for (int i = 0; i < all->v.n; i++) {
		Case *c = &all->v.v[i];

		if (c->pid != pid)
			continue;
		c->pid = 0;
		if (WIFSIGNALED(status))
			give(c->verdict, WTERMSIG(status) == SIGALRM ? RESULT_HANG : RESULT_CRASH,
			     strsignal(WTERMSIG(status)));
		else if (WEXITSTATUS(status))
			give(c->verdict, RESULT_CRASH, "ended with an error");
		return;
	}
}

static void
run_cases(Cases *all)
{
	int running = 0;

	for (int i = 0; i < all->v.n; i++) {
		if (running == all->jobs) {
			end_case(all);
			running--;
		}
		start_case(&all->v.v[i], &all->opt);
		running += all->v.v[i].pid > 0;
	}
	for (; running; running--)
		end_case(all);
}

static void
add_case(void *ctx, const char *name, const char *dir)
{
	Cases *all = ctx;
	Case c = {.name = arena_strdup(all->arena, name), .dir = arena_strdup(all->arena, dir)};

	vec_push(all->arena, &all->v, c);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const Case *)a)->name, ((const Case *)b)->name);
}

/* Keeps every Nth case. */
static void
thin_out(Cases *all)
{
	int n = 0;

	for (int i = 0; i < all->v.n; i += all->every)
		all->v.v[n++] = all->v.v[i];
	all->v.n = n;
}

/* Exit code. */
static int
print_cases(const Cases *all)
{
	int sum[RESULT_COUNT] = {0};

	for (int i = 0; i < all->v.n; i++) {
		Verdict *v = all->v.v[i].verdict;

		sum[v->result]++;
		v->detail[strcspn(v->detail, "\n")] = 0;
		printf("%-60s %-11s %s\n", all->v.v[i].name, result_text[v->result], v->detail);
	}
	for (int i = 0; i < RESULT_COUNT; i++)
		printf("# %5d %-11s %s\n", sum[i], result_text[i], result_meaning[i]);
	return sum[RESULT_WRONG] + sum[RESULT_CRASH] + sum[RESULT_HANG] ? 1 : 0;
}

/* False: usage. */
static bool
parse_options(int argc, char **argv, Cases *all, Target *target)
{
	int option;

	all->jobs = 2;
	all->every = 1;
	while ((option = getopt(argc, argv, "j:t:se:")) != -1) {
		if (option == 'j')
			all->jobs = atoi(optarg);
		else if (option == 't' && !target_named(optarg, target, NULL))
			all->opt.target = target;
		else if (option == 's')
			all->opt.scalar = true;
		else if (option == 'e' && atoi(optarg) >= 1)
			all->every = atoi(optarg);
		else
			return false;
	}
	return optind < argc && all->jobs >= 1;
}

/* Shared with the children, zeroed. */
static bool
share_verdicts(Cases *all)
{
	Verdict *v = mmap(NULL, sizeof *v * ((size_t)all->v.n + 1), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < all->v.n && v != MAP_FAILED; i++)
		all->v.v[i].verdict = &v[i];
	return v != MAP_FAILED;
}

int
main(int argc, char **argv)
{
	Cases all = {.arena = arena_new()};
	Target target;
	int code;

	if (!parse_options(argc, argv, &all, &target)) {
		fprintf(stderr, "usage: compiled [-j JOBS] [-t TARGET] [-s] [-e N] DATA [WORD]\n");
		return 2;
	}
	onnx_case_walk(argv[optind], optind + 1 < argc ? argv[optind + 1] : "", add_case, &all);
	if (!share_verdicts(&all)) {
		perror("compiled");
		return 2;
	}
	qsort(all.v.v, (size_t)all.v.n, sizeof *all.v.v, by_name);
	thin_out(&all);
	run_cases(&all);
	code = print_cases(&all);
	arena_free(all.arena);
	return code;
}
