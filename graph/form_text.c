/* Form <-> text. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/lex.h"
#include "graph/form.h"

static void
print_list(const int *v, int n, Str *out)
{
	for (int i = 0; i < n; i++)
		str_printf(out, "%s%d", i ? "," : "", v[i]);
}

void
form_print(const Form *f, Str *out)
{
	bool slack = false;

	if (!f->rank)
		str_add(out, "scalar");
	for (int i = 0; i < f->rank; i++) {
		int d = f->order[i];

		str_printf(out, "%c", (d == f->block_dim ? 'A' : 'a') + d);
		slack |= f->lo[d] || f->hi[d];
	}
	if (f->block_dim != TASK_NONE)
		str_printf(out, "%d%c", f->block, 'a' + f->block_dim);
	if (!slack)
		return;
	str_add(out, " border ");
	print_list(f->lo, f->rank, out);
	str_add(out, "/");
	print_list(f->hi, f->rank, out);
	if (f->foreign)
		str_printf(out, " foreign %u", f->foreign);
	str_add(out, " = ");
	str_double(out, f->border);
}

static bool
is_stored(const TaskTensor *x)
{
	return x->kind == TENSOR_IN || x->kind == TENSOR_OUT;
}

void
task_form_print(const Task *t, const TaskForm *f, Str *out)
{
	str_add(out, "form");
	if (f->room)
		str_printf(out, " room %zu", f->room);
	str_add(out, "\n");
	for (int i = 0; i < t->tensor.n; i++) {
		if (!is_stored(&t->tensor.v[i]))
			continue;
		str_printf(out, "  %s ", t->tensor.v[i].name);
		form_print(&f->v[i], out);
		str_add(out, "\n");
	}
}

/* Letters in storage order, then block and its letter: "aBcd16b". */
static void
parse_tag(Lex *l, const char *tag, Form *f)
{
	int n = 0;
	char *end;

	f->block_dim = TASK_NONE;
	f->block = 1;
	for (; isalpha((unsigned char)*tag) && n < TASK_RANK_MAX; tag++) {
		f->order[n++] = tolower((unsigned char)*tag) - 'a';
		if (isupper((unsigned char)*tag))
			f->block_dim = *tag - 'A';
	}
	f->rank = n;
	if (*tag) {
		f->block = (int)strtol(tag, &end, 10);
		if (end == tag || f->block_dim == TASK_NONE || *end != 'a' + f->block_dim || end[1])
			lex_fail(l, "bad block in the layout tag");
	} else if (f->block_dim != TASK_NONE) {
		lex_fail(l, "blocked dimension without a block size");
	}
}

static void
parse_list(Lex *l, int *v, int n)
{
	for (int i = 0; i < n; i++) {
		if (i)
			lex_need(l, ',');
		v[i] = (int)lex_int(l, 0, INT32_MAX);
	}
}

Form
form_parse(Lex *l)
{
	char tag[LEX_NAME_MAX];
	Form f = {.block_dim = TASK_NONE, .block = 1};

	lex_name(l, tag);
	if (strcmp(tag, "scalar"))
		parse_tag(l, tag, &f);
	if (!lex_word(l, "border"))
		return f;
	parse_list(l, f.lo, f.rank);
	lex_need(l, '/');
	parse_list(l, f.hi, f.rank);
	if (lex_word(l, "foreign"))
		f.foreign = (unsigned)lex_int(l, 0, 255);
	lex_need(l, '=');
	f.border = lex_number(l);
	return f;
}

static int
find(const Task *t, const char *name)
{
	for (int i = 0; i < t->tensor.n; i++)
		if (!strcmp(t->tensor.v[i].name, name))
			return i;
	return TASK_NONE;
}

int
task_form_parse(const char *text, const Task *t, Arena *a, TaskForm *out, Err *e)
{
	Lex l;

	*out = task_form_plain(a, t);
	lex_init(&l, "form", text, e);
	lex_newline(&l);
	if (!lex_word(&l, "form"))
		lex_fail(&l, "expected 'form'");
	if (lex_word(&l, "room"))
		out->room = (size_t)lex_int(&l, 1, INT32_MAX);
	while (!lex_at_end(&l)) {
		char name[LEX_NAME_MAX];
		int i;

		lex_name(&l, name);
		i = find(t, name);
		if (i == TASK_NONE || !is_stored(&t->tensor.v[i]))
			lex_fail(&l, "the task has no in or out tensor '%s'", name);
		else
			out->v[i] = form_parse(&l);
		if (!lex_newline(&l) && !lex_at_end(&l))
			lex_fail(&l, "expected the end of the line");
	}
	return lex_done(&l) ? ERR_INPUT : task_form_check(t, out, e);
}
