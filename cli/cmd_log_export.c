/* hone log export: a log as text that reads back, or in the forms of others. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/log_commands.h"
#include "cli/log_formats.h"

typedef struct Form {
	const char *name;
	void (*write)(Arena *a, const LogGroup *g, Str *out);
	bool grouped;
} Form;

static const Form forms[] = {
#define X(name, function, grouped, text) {name, function, grouped},
	LOG_FORMAT_LIST(X)
#undef X
};

static int
find_form(const char *name, const Form **out, Err *e)
{
	Str known = {0};

	*out = NULL;
	if (!strcmp(name, "text"))
		return OK;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		str_printf(&known, " %s", forms[i].name);
		if (!strcmp(forms[i].name, name))
			*out = &forms[i];
	}
	if (!*out)
		err_set(e, ERR_INPUT, "--format: '%s', expected one of text%s", name,
			str_get(&known));
	str_fini(&known);
	return *out ? OK : ERR_INPUT;
}

static int
write_out(const char *path, const Str *text, Err *e)
{
	if (path)
		return file_write(path, str_get(text), text->n, e);
	fwrite(str_get(text), 1, text->n, stdout);
	return OK;
}

static bool
same_key(const LogRow *a, const LogRow *b)
{
#define X(field, text)                               \
	if (strcmp(a->key.field, b->key.field) != 0) \
		return false;
	LOG_KEY_LIST(X)
#undef X
	return true;
}

/* How a digest begins, as part of a file's name: one of a log from elsewhere may be anything. */
static const char *
name_part(Arena *a, const char *digest)
{
	char *part = arena_printf(a, "%.8s", digest);

	for (char *p = part; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	return part;
}

/* Rows of one key as one file: into the folder, or to standard output. */
static int
write_group(const Args *a, Log *l, const Form *f, const LogRow *row, int n, int number, Err *e)
{
	const char *dir = args_text(a, "output", NULL), *path = NULL;
	LogGroup g = {row, n, log_problem(l, a->arena, row->key.task)};
	Str text = {0};
	int rc;

	if (dir)
		path = arena_printf(a->arena, "%s/%s-%s-%d.json", dir,
				    name_part(a->arena, row->key.task),
				    name_part(a->arena, row->key.form), number);
	f->write(a->arena, &g, &text);
	rc = write_out(path, &text, e);
	str_fini(&text);
	return rc;
}

static int
write_groups(const Args *a, Log *l, const Form *f, LogRow *row, int n, Err *e)
{
	const char *dir = args_text(a, "output", NULL);
	int groups = 0, rc = OK;

	log_sort(row, n);
	for (int i = 0; i < n; i++)
		groups += !i || !same_key(&row[i], &row[i - 1]);
	if (!dir && groups != 1)
		return err_set(e, ERR_INPUT,
			       "a %s file is of one task, device and mode, and here are %d: -o "
			       "FOLDER takes a file each, --task DIGEST chooses",
			       f->name, groups);
	if (dir)
		rc = dir_make(dir, e);
	groups = 0;
	for (int i = 0, end; i < n && !rc; i = end) {
		for (end = i + 1; end < n && same_key(&row[i], &row[end]); end++)
			;
		rc = write_group(a, l, f, row + i, end - i, ++groups, e);
	}
	return rc;
}

static int
write_form(const Args *a, Log *l, const Form *f, Err *e)
{
	Str text = {0};
	LogRow *row;
	int n, rc = log_rows_asked(l, a, args_has(a, "best"), &row, &n, e);

	if (rc || f->grouped)
		return rc ? rc : write_groups(a, l, f, row, n, e);
	f->write(a->arena, &(LogGroup){row, n, ""}, &text);
	rc = write_out(args_text(a, "output", NULL), &text, e);
	str_fini(&text);
	return rc;
}

static int
write_text(const Args *a, Log *l, Err *e)
{
	Str text = {0};
	int rc = log_export(l, args_has(a, "best"), &text, e);

	if (!rc)
		rc = write_out(args_text(a, "output", NULL), &text, e);
	str_fini(&text);
	return rc;
}

static int
run(const Args *a, Err *e)
{
	const Form *f;
	Log *l;
	int rc = find_form(args_text(a, "format", "text"), &f, e);

	if (!rc && !f && args_has(a, "task"))
		rc = err_set(e, ERR_INPUT, "--task: not with --format text, which is whole");
	if (!rc)
		rc = log_open_read(a->operand.v[0], &l, e);
	if (rc)
		return rc;
	rc = f ? write_form(a, l, f, e) : write_text(a, l, e);
	log_close(l);
	return rc;
}

static const ArgOption options[] = {
	{.name = "best", .help = "only the row that counts of each key"},
	{.name = "format",
	 .kind = ARG_TEXT,
	 .value = "NAME",
	 .help = "text, which reads back and is the default; csv; t4; kernel-tuner"},
	{.name = "task",
	 .kind = ARG_TEXT,
	 .value = "DIGEST",
	 .help = "only tasks whose digest begins so; not of text"},
	{.name = "output",
	 .letter = 'o',
	 .kind = ARG_TEXT,
	 .value = "FILE",
	 .help = "where it goes; standard output unless given. Of t4 and kernel-tuner a folder, "
		 "with "
		 "a file for each task, device and mode"},
	{0},
};

const Command log_export_command = {
	.name = "export",
	.summary = "Print a log as sorted text, or in the forms of other tuners",
	.operands = "LOG",
	.min = 1,
	.max = 1,
	.text = "Text has a line per row and per text behind a digest. In the other forms a "
		"schedule\n"
		"is cut into parameters, and times are milliseconds.",
	.option = options,
	.run = run,
};
