/* ONNX's own test cases, and models, through plans: every Task against the reference kernels.
 *
 *   plan_conformance DATA [WORD]
 *   plan_conformance MODEL.onnx...
 *
 * DATA and WORD as in ref_conformance. Each case runs in a process of its own with a limit of time.
 * Prints one line for each case that is wrong, how many cases are computed by Tasks alone, and
 * which operators are extern steps. Exit: 0 when nothing is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onnx_case.h"
#include "tests/support/plan_check.h"

enum { CASE_SAMPLES = 2000, CASE_SECONDS = 10, MODEL_SAMPLES = 300, MODEL_SECONDS = 300 };

/* kind, text */
#define KIND_LIST(X)                                           \
	X(TASKS, "computed by tasks alone")                    \
	X(MIXED, "with extern steps")                          \
	X(FOLDED, "folded away: nothing reads an input")       \
	X(SKIPPED, "not taken by the import, or without data") \
	X(FAILED, "wrong")

typedef enum Kind {
#define X(name, text) KIND_##name,
	KIND_LIST(X)
#undef X
		KIND_COUNT
} Kind;

typedef struct Sums {
	PlanCheck *shared; /* what the child found */
	int kind[KIND_COUNT];
	int extern_cases[OP_COUNT], only_extern[OP_COUNT];
	int64_t elements, undecided;
	double worst;
} Sums;

/* In the child: exit code is a Kind. */
static int
check_case(PlanCheck *out, const char *path, int set, bool model)
{
	OnnxCase *c = calloc(1, sizeof *c);
	Outcome got = model ? onnx_case_open_model(c, path) : onnx_case_open(c, path, set);
	const void **data = got == OUTCOME_PASS ? onnx_case_inputs(c) : NULL;

	if (!data) {
		err_set(&out->e, ERR_INPUT, "%s", c->why);
		return KIND_SKIPPED;
	}
	if (!plan_check(c->g, c->arena, data, model ? MODEL_SAMPLES : CASE_SAMPLES, NULL,
			(PlanMemory){0}, out))
		return KIND_FAILED;
	onnx_case_close(c);
	free(c);
	return out->externs ? KIND_MIXED : out->reading ? KIND_TASKS : KIND_FOLDED;
}

static Kind
in_a_child(PlanCheck *out, const char *path, int set, bool model)
{
	int status = 0;
	pid_t pid;

	memset(out, 0, sizeof *out);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(model ? MODEL_SECONDS : CASE_SECONDS);
		_exit(check_case(out, path, set, model));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return KIND_FAILED;
	if (WIFEXITED(status) && WEXITSTATUS(status) < KIND_COUNT)
		return (Kind)WEXITSTATUS(status);
	err_set(&out->e, ERR_CHECK, "%s",
		WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "ended by itself");
	return KIND_FAILED;
}

static void
add(Sums *s, const char *name, Kind kind, bool model)
{
	const PlanCheck *c = s->shared;
	int distinct = 0;

	s->kind[kind]++;
	s->elements += c->elements;
	s->undecided += c->undecided;
	s->worst = c->worst > s->worst ? c->worst : s->worst;
	for (int i = 0; i < OP_COUNT; i++)
		distinct += c->extern_op[i] > 0;
	for (int i = 0; i < OP_COUNT; i++) {
		s->extern_cases[i] += c->extern_op[i] > 0;
		s->only_extern[i] += c->extern_op[i] > 0 && distinct == 1;
	}
	if (kind == KIND_FAILED)
		printf("%s: %s\n", name, c->e.msg);
	else if (model)
		printf("%s: %d tasks, %d extern steps, %lld elements, worst %.3f of what is "
		       "allowed%s%s\n",
		       name, c->tasks, c->externs, (long long)c->elements, c->worst,
		       c->e.msg[0] ? ": " : "", c->e.msg);
}

static void
one_case(void *ctx, const char *name, const char *dir)
{
	Sums *s = ctx;
	Kind kind = KIND_SKIPPED;

	for (int set = 0, sets = onnx_case_sets(dir); set < sets; set++) {
		kind = in_a_child(s->shared, dir, set, false);
		if (kind == KIND_FAILED || kind == KIND_SKIPPED)
			break;
	}
	add(s, name, kind, false);
}

static void
print_sums(const Sums *s)
{
	static const char *const text[] = {
#define X(name, text) text,
		KIND_LIST(X)
#undef X
	};

	for (int i = 0; i < OP_COUNT; i++)
		if (s->extern_cases[i])
			printf("extern %-22s in %3d cases, in %3d alone\n", op_info((Op)i)->name,
			       s->extern_cases[i], s->only_extern[i]);
	printf("%lld elements compared, %lld of them undecided, worst %.3f of what is allowed\n",
	       (long long)s->elements, (long long)s->undecided, s->worst);
	for (int i = 0; i < KIND_COUNT; i++)
		printf("%5d %s\n", s->kind[i], text[i]);
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

int
main(int argc, char **argv)
{
	Sums s = {.shared = mmap(NULL, sizeof *s.shared, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0)};

	if (argc < 2 || s.shared == MAP_FAILED) {
		fprintf(stderr, "usage: plan_conformance DATA [WORD] | MODEL.onnx...\n");
		return 2;
	}
	if (ends_with(argv[1], ".onnx"))
		for (int i = 1; i < argc; i++)
			add(&s, argv[i], in_a_child(s.shared, argv[i], 0, true), true);
	else
		onnx_case_walk(argv[1], argc > 2 ? argv[2] : "", one_case, &s);
	print_sums(&s);
	return s.kind[KIND_FAILED] ? 1 : 0;
}
