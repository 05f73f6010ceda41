/* The worked examples of the pages are true: Task and Form under the Sched lower to the Loop, and
 * it compiles to the assembly.
 *
 * The section of a page has them as fenced texts: Task and Form, Sched, Loop, then assembly if the
 * table says so. "..." on a line of its own stands for any lines of the Loop. Spaces and comments
 * of the assembly do not count; it is that of LLVM 22, another version is not asked.
 *
 * Usage: test_page [print]: print shows each Loop and its assembly as they are now.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/lowered.h"

#define TARGET "x86-64-v3"

enum { TASK_AND_FORM, SCHED, LOOP, ASSEMBLY, TEXTS };

typedef struct Page {
	const char *file, *section;
	bool assembly;
} Page;

static const Page pages[] = {
	{"ARCHITECTURE.md", "## 5. The lowering", true},
	{"docs/text_forms.md", "## Loop", false},
};

/* Cuts the next line off *text; NULL at its end. */
static char *
next_line(char **text)
{
	char *line = *text, *end;

	if (!line || !*line)
		return NULL;
	end = strchr(line, '\n');
	*text = end ? end + 1 : NULL;
	if (end)
		*end = 0;
	return line;
}

/* The fenced texts of the section; how many there are. */
static int
read_texts(char *page, const char *section, Str text[TEXTS])
{
	bool in_section = false, fenced = false;
	int n = 0;

	for (char *line; (line = next_line(&page));) {
		if (!strncmp(line, "## ", 3))
			in_section = !strcmp(line, section);
		if (!in_section)
			continue;
		if (!strncmp(line, "```", 3)) {
			n += fenced;
			fenced = !fenced;
		} else if (fenced && n < TEXTS) {
			str_printf(&text[n], "%s\n", line);
		}
	}
	return n;
}

static int
lower_example(Arena *a, const Str text[TEXTS], const Target *target, Lowered *out, Err *e)
{
	char *whole = arena_copy(a, str_get(&text[TASK_AND_FORM]), text[TASK_AND_FORM].n + 1);
	char *form = strstr(whole, "\nform"), why[LOWER_WHY_MAX];
	TaskForm f;
	Task *t;
	int rc;

	if (!form)
		return err_set(e, ERR_INPUT, "the first text has no form");
	*form++ = 0;
	if ((rc = task_parse(whole, a, &t, e)) || (rc = task_form_parse(form, t, a, &f, e)))
		return rc;
	rc = lowered_from_text(a, t, &f, str_get(&text[SCHED]), target, out, why, e);
	return rc == NOT_APPLICABLE ? err_set(e, ERR_INPUT, "%s", why) : rc;
}

/* One space between words, none at the ends, no comment. */
static void
squeeze(char *line)
{
	char *to = line;

	line[strcspn(line, "#")] = 0;
	for (const char *p = line + strspn(line, " \t"); *p;) {
		size_t word = strcspn(p, " \t"), gap = strspn(p + word, " \t");

		memmove(to, p, word);
		to += word;
		p += word + gap;
		if (*p)
			*to++ = ' ';
	}
	*to = 0;
}

/* Whether the page's text is what is, with "..." for anything; otherwise says where it is not. */
static bool
same_loop(Arena *a, const char *file, const Str *page, const Str *is)
{
	char *want = arena_copy(a, str_get(page), page->n + 1);
	char *have = arena_copy(a, str_get(is), is->n + 1), *w, *h;
	bool any = false;

	while ((w = next_line(&want))) {
		if (!strcmp(w + strspn(w, " "), "...")) {
			any = true;
			continue;
		}
		do
			h = next_line(&have);
		while (any && h && strcmp(w, h) != 0);
		if (!h || strcmp(w, h) != 0) {
			printf("FAIL %s has:\n%s\nbut the Loop has:\n%s\n", file, w, h ? h : "");
			return false;
		}
		any = false;
	}
	if (!any && (h = next_line(&have)))
		printf("FAIL %s ends where the Loop has:\n%s\n", file, h);
	return any || !h;
}

/* Whether the page's lines stand one after another in the assembly. */
static bool
same_assembly(Arena *a, const char *file, const Str *page, const Str *is)
{
	Str want = {0}, have = {0};
	char *in = arena_copy(a, str_get(page), page->n + 1), *line;
	bool found;

	while ((line = next_line(&in))) {
		squeeze(line);
		str_printf(&want, "%s\n", line);
	}
	in = arena_copy(a, str_get(is), is->n + 1);
	while ((line = next_line(&in))) {
		squeeze(line);
		if (*line)
			str_printf(&have, "%s\n", line);
	}
	found = want.n && strstr(str_get(&have), str_get(&want));
	if (!found)
		printf("FAIL the assembly of %s is not in:\n%s", file, str_get(&have));
	str_fini(&want);
	str_fini(&have);
	return found;
}

static bool
same(Arena *a, const Page *p, const Str text[TEXTS], const Emit *m, const Str *loop,
     const Str *code)
{
	bool asked = p->assembly && strstr(emit_version(m), "LLVM 22");

	return same_loop(a, p->file, &text[LOOP], loop) &&
	       (!asked || same_assembly(a, p->file, &text[ASSEMBLY], code));
}

/* ERR_INPUT when the page is not true. */
static int
check(Arena *a, const Page *p, const Str text[TEXTS], Emit *m, bool print, Err *e)
{
	Str loop = {0}, code = {0};
	Lowered low;
	int rc = lower_example(a, text, emit_target(m), &low, e);

	if (!rc)
		rc = emit_print(m, low.loop, "example", &code, e);
	if (!rc) {
		loop_print(low.loop, &loop);
		if (print)
			printf("%s\n%s\n%s\n", p->file, str_get(&loop), str_get(&code));
		else if (!same(a, p, text, m, &loop, &code))
			rc = err_set(e, ERR_INPUT, "test_page print shows what is");
	}
	str_fini(&loop);
	str_fini(&code);
	return rc;
}

static int
check_page(const Page *p, Emit *m, bool print, Err *e)
{
	int rc, texts, wanted = p->assembly ? TEXTS : ASSEMBLY;
	Arena *a = arena_new();
	Str text[TEXTS] = {0};
	char *page;
	size_t n;

	rc = file_read(p->file, 1 << 20, &page, &n, e);
	if (!rc) {
		texts = read_texts(page, p->section, text);
		free(page);
		rc = texts < wanted ? err_set(e, ERR_INPUT, "%d texts in \"%s\", not %d", texts,
					      p->section, wanted)
				    : check(a, p, text, m, print, e);
	}
	if (rc)
		printf("FAIL %s: %s\n", p->file, e->msg);
	for (int i = 0; i < TEXTS; i++)
		str_fini(&text[i]);
	arena_free(a);
	return rc;
}

int
main(int argc, char **argv)
{
	bool print = argc > 1 && !strcmp(argv[1], "print");
	int failed = 0;
	Target target;
	Emit *m;
	Err e = {0};

	if (target_named(TARGET, &target, &e) || emit_open("llvm", &target, &m, &e)) {
		printf("FAIL %s\n", e.msg);
		return 1;
	}
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		failed += check_page(&pages[i], m, print, &e) != OK;
	emit_close(m);
	return failed != 0;
}
