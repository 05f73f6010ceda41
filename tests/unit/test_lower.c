/* Lowering and LLVM emission against the oracle: every text of tests/kernels, on every Target this
 * machine can run (those with dot products of bytes run only the texts of these), with buffers
 * against unreadable pages on either side; and shared among threads, where every number of chunks
 * must give the same bytes.
 *
 * A text holds sections that start with a line "task", "form" (perhaps with its room) or "sched";
 * each sched runs under the form and task above it. With arguments, only the files named run.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tests/support/host.h"
#include "tests/support/kernel_run.h"

enum { THREADS = 5 };

typedef struct Runner {
	const char *file;
	int line;         /* of the section being run */
	Emit *m, *shared; /* shared: for THREADS threads */
	Arena *a;
	Task *t;
	TaskForm f;
	int ran, failed, refused, dealt;
	int target; /* its place in the list */
	bool quick; /* every other target, buffers against a page on one side only, by turns */
} Runner;

static void
fail(Runner *r, const char *what, const char *detail)
{
	printf("FAIL %s:%d on %s: %s %s\n", r->file, r->line, emit_target(r->m)->name, what,
	       detail);
	r->failed++;
}

/* The kernel lowered for threads, in several numbers of chunks. */
static void
run_shared(Runner *r, const char *text, GuardSide side, const void *want)
{
	static const int chunks[] = {1, 2, 3, THREADS, THREADS};
	Arena *a = arena_new();
	char why[LOWER_WHY_MAX], detail[80];
	KernelRun k;
	Err e = {0};

	if (kernel_run_open(&k, a, r->shared, r->t, &r->f, text, side, (uint64_t)r->line, why,
			    &e)) {
		fail(r, "shared:", e.code ? e.msg : why);
		arena_free(a);
		return;
	}
	r->dealt += k.loop->threads > 1;
	for (int i = 0; k.loop->threads > 1 && i < 5; i++) {
		const void *got;
		size_t n;
		int rc;

		kernel_run_poison(&k);
		rc = kernel_run_chunks(&k, chunks[i], i == 4);
		got = kernel_run_outputs(&k, &n);
		snprintf(detail, sizeof detail, "%d chunks, answer %d", chunks[i], rc);
		if (rc || memcmp(got, want, n))
			fail(r, "other bytes from chunks:", detail);
	}
	kernel_run_close(&k);
	arena_free(a);
}

static void
run_side(Runner *r, const char *text, GuardSide side)
{
	Arena *a = arena_new();
	char why[LOWER_WHY_MAX], detail[160];
	KernelCheck c;
	KernelRun k;
	size_t bytes;
	Err e = {0};
	int rc = kernel_run_open(&k, a, r->m, r->t, &r->f, text, side, (uint64_t)r->line, why, &e);

	r->ran++;
	if (rc == NOT_APPLICABLE && strstr(why, "no instruction for these signs")) {
		r->refused++; /* dot products of bytes, which every Target refuses that has none */
	} else if (rc == NOT_APPLICABLE) {
		fail(r, "not applicable:", why);
	} else if (rc == ERR_UNSUPPORTED) {
		r->refused++; /* half floats on a machine without */
	} else if (rc) {
		fail(r, "error:", e.msg);
	} else {
		kernel_run_poison(&k);
		rc = kernel_run_call(&k);
		c = kernel_run_check(&k, 3000, 5);
		snprintf(detail, sizeof detail, "%g of what is allowed at %s", c.worst, c.where);
		if (rc || !(c.worst <= 1))
			fail(r, "wrong:", detail);
		else
			run_shared(r, text, side, kernel_run_outputs(&k, &bytes));
		kernel_run_close(&k);
	}
	arena_free(a);
}

static void
run_section(Runner *r, char *kind, char *text)
{
	Err e = {0};

	if (!strcmp(kind, "task")) {
		if (task_parse(text, r->a, &r->t, &e))
			fail(r, "", e.msg);
	} else if (!strcmp(kind, "form")) {
		if (task_form_parse(text, r->t, r->a, &r->f, &e))
			fail(r, "", e.msg);
	} else {
		text += strlen("sched\n");
		if (r->quick && (r->line + r->target) % 2)
			return;
		if (!r->quick || r->line / 2 % 2)
			run_side(r, text, GUARD_AFTER);
		if (!r->quick || r->line / 2 % 2 == 0)
			run_side(r, text, GUARD_BEFORE);
	}
}

static const char *
section_kind(const char *line)
{
	static const char *const kinds[] = {"task", "form", "sched"};

	for (int i = 0; i < 3; i++) {
		size_t n = strlen(kinds[i]);

		if (!strncmp(line, kinds[i], n) && (line[n] == '\n' || line[n] == ' '))
			return kinds[i];
	}
	return NULL;
}

static void
run_file(Runner *r)
{
	Str section = {0};
	const char *kind = NULL;
	char *text;
	size_t n;
	Err e = {0};
	int line = 0;

	if (file_read(r->file, 1 << 20, &text, &n, &e)) {
		fail(r, "", e.msg);
		return;
	}
	for (char *p = text, *next; *p && !r->failed; p = next) {
		const char *starts = section_kind(p);

		next = strchr(p, '\n');
		next = next ? next + 1 : p + strlen(p);
		line++;
		if (starts) {
			if (kind)
				run_section(r, (char *)kind, section.s);
			kind = starts;
			str_clear(&section);
			r->line = line;
		}
		if (p[strspn(p, " \t")] != '#')
			str_addn(&section, p, (size_t)(next - p));
	}
	if (kind && !r->failed)
		run_section(r, (char *)kind, section.s);
	str_fini(&section);
	free(text);
}

/* Runs the files on one Target. */
static bool
run_target(Runner *r, const char *name, char **file, size_t n)
{
	Target target;
	Err e = {0};

	if (target_named(name, &target, &e) || emit_open("llvm", &target, &r->m, &e)) {
		printf("FAIL %s\n", e.msg);
		return false;
	}
	target.threads = THREADS;
	target.fork_ns = 0;
	if (emit_open("llvm", &target, &r->shared, &e))
		return false;
	for (size_t i = 0; i < n; i++) {
		r->file = file[i];
		r->a = arena_new();
		run_file(r);
		arena_free(r->a);
	}
	emit_close(r->m);
	emit_close(r->shared);
	r->target++;
	return true;
}

int
main(int argc, char **argv)
{
	static char bytes[] = "tests/kernels/bytes.txt";
	char *of_bytes[] = {bytes}, **file = argv + 1, **dots = file;
	glob_t files = {0};
	Runner r = {.quick = getenv("HONE_TEST_QUICK") != NULL};
	size_t n = (size_t)argc - 1, ndots = n;

	if (argc < 2) {
		glob("tests/kernels/*.txt", 0, NULL, &files);
		file = files.gl_pathv;
		n = files.gl_pathc;
		dots = of_bytes;
		ndots = 1;
	}
	for (const char *const *name = host_targets(); *name; name++)
		if (!run_target(&r, *name, file, n))
			return 1;
	for (const char *const *name = host_dot_targets(); *name; name++)
		if (!run_target(&r, *name, dots, ndots))
			return 1;
	globfree(&files);
	printf("%d kernels ran, %d failed, %d refused by their target; %d shared\n", r.ran,
	       r.failed, r.refused, r.dealt);
	return r.failed || !r.dealt;
}
