/* Option tables: parsing, look-up, help. */
#include "cli/args.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/help.h"
#include "base/str.h"

static const char *const kind_text[] = {
#define X(name, text) [ARG_##name] = text,
	ARG_KIND_LIST(X)
#undef X
};

/* Reads the whole of text as kind. Integers are kept exact by args_integer. */
static bool
read_number(ArgKind kind, const char *text, double *v)
{
	static const struct {
		ArgKind kind;
		const char *suffix;
		double times;
	} unit[] = {
		{ARG_DURATION, "", 1},     {ARG_DURATION, "s", 1},   {ARG_DURATION, "m", 60},
		{ARG_DURATION, "h", 3600}, {ARG_BYTES, "", 1},       {ARG_BYTES, "K", 0x1p10},
		{ARG_BYTES, "M", 0x1p20},  {ARG_BYTES, "G", 0x1p30},
	};
	char *end;

	if (kind == ARG_WAIT && !strcmp(text, "no")) {
		*v = 0;
		return true;
	}
	if (kind == ARG_WAIT)
		kind = ARG_DURATION;
	errno = 0;
	*v = kind == ARG_INTEGER ? (double)strtoll(text, &end, 10) : strtod(text, &end);
	if (end == text || !isfinite(*v) || (kind == ARG_INTEGER && errno == ERANGE))
		return false;
	if (kind != ARG_DURATION && kind != ARG_BYTES)
		return !*end;
	for (size_t i = 0; i < sizeof unit / sizeof *unit; i++)
		if (unit[i].kind == kind && !strcmp(end, unit[i].suffix)) {
			*v *= unit[i].times;
			return *v >= 0;
		}
	return false;
}

static int
check_value(const ArgOption *o, const char *text, Err *e)
{
	double v;

	if (o->kind == ARG_FLAG || o->kind == ARG_TEXT)
		return OK;
	if (!read_number(o->kind, text, &v))
		return err_set(e, ERR_INPUT, "--%s: '%s', expected %s", o->name, text,
			       kind_text[o->kind]);
	if (o->min < o->max && (v < o->min || v > o->max))
		return err_set(e, ERR_INPUT, "--%s: %s, expected %s from %.15g to %.15g", o->name,
			       text, kind_text[o->kind], o->min, o->max);
	return OK;
}

/* The option that "--name", "--name=VALUE" or "-x" names; *value is what follows '=', or NULL. */
static const ArgOption *
find_option(const Command *c, const char *word, const char **value)
{
	const char *name = word + 1 + (word[1] == '-');
	size_t n = strcspn(name, "=");

	*value = word[1] == '-' && name[n] ? name + n + 1 : NULL;
	for (const ArgOption *o = c->option; o && o->name; o++)
		if (word[1] == '-' ? strlen(o->name) == n && !strncmp(o->name, name, n)
				   : o->letter && o->letter == name[0] && !name[1])
			return o;
	return NULL;
}

/* Takes the option at argv[*i] and its value. */
static int
take_option(Args *a, int argc, char *const *argv, int *i, Err *e)
{
	ArgGiven g = {0};

	g.option = find_option(a->command, argv[*i], &g.text);
	if (!g.option)
		return err_set(e, ERR_INPUT, "unknown option '%s'; --help lists them", argv[*i]);
	if (g.option->kind == ARG_FLAG && g.text)
		return err_set(e, ERR_INPUT, "--%s: '%s', expected %s", g.option->name, g.text,
			       kind_text[ARG_FLAG]);
	if (g.option->kind != ARG_FLAG && !g.text) {
		if (*i + 1 == argc)
			return err_set(e, ERR_INPUT, "--%s: nothing, expected %s", g.option->name,
				       g.option->value);
		g.text = argv[++*i];
	}
	for (int k = 0; k < a->given.n && !g.option->repeat; k++)
		if (a->given.v[k].option == g.option)
			return err_set(e, ERR_INPUT, "--%s: given twice, expected once",
				       g.option->name);
	vec_push(a->arena, &a->given, g);
	return check_value(g.option, g.text, e);
}

static bool
wants_help(int argc, char *const *argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

int
args_parse(Args *a, const Command *c, Arena *arena, int argc, char *const *argv, Err *e)
{
	bool options = true;

	*a = (Args){.arena = arena, .command = c, .help = wants_help(argc, argv)};
	for (int i = 0; i < argc && !a->help; i++) {
		int rc = OK;

		if (options && !strcmp(argv[i], "--"))
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1])
			rc = take_option(a, argc, argv, &i, e);
		else
			vec_push(arena, &a->operand, argv[i]);
		if (rc)
			return rc;
	}
	if (!a->help && (a->operand.n < c->min || a->operand.n > c->max))
		return err_set(e, ERR_INPUT, "%d operands, expected %s", a->operand.n,
			       c->max ? c->operands : "none");
	return OK;
}

const char *
args_nth(const Args *a, const char *name, int i)
{
	for (int k = 0; k < a->given.n; k++)
		if (!strcmp(a->given.v[k].option->name, name) && i-- == 0)
			return a->given.v[k].text;
	return NULL;
}

static const ArgGiven *
last_given(const Args *a, const char *name)
{
	const ArgOption *o = a->command->option;

	while (o->name && strcmp(o->name, name))
		o++;
	assert(o->name); /* the subcommand asks for an option of its own table */
	for (int k = a->given.n - 1; k >= 0; k--)
		if (a->given.v[k].option == o)
			return &a->given.v[k];
	return NULL;
}

bool
args_has(const Args *a, const char *name)
{
	return last_given(a, name) != NULL;
}

const char *
args_text(const Args *a, const char *name, const char *otherwise)
{
	const ArgGiven *g = last_given(a, name);

	return g ? g->text : otherwise;
}

int64_t
args_integer(const Args *a, const char *name, int64_t otherwise)
{
	const ArgGiven *g = last_given(a, name);

	return g ? strtoll(g->text, NULL, 10) : otherwise;
}

double
args_number(const Args *a, const char *name, double otherwise)
{
	const ArgGiven *g = last_given(a, name);

	if (g)
		read_number(g->option->kind, g->text, &otherwise);
	return otherwise;
}

double
args_seconds(const Args *a, const char *name, double otherwise)
{
	return args_number(a, name, otherwise);
}

size_t
args_bytes(const Args *a, const char *name, size_t otherwise)
{
	return (size_t)args_number(a, name, (double)otherwise);
}

/* The bit of the n bytes at text among words that end with NULL; 0 when they are none of them. */
static unsigned
bit_of(const char *const *word, const char *text, size_t n)
{
	for (unsigned i = 0; word[i]; i++)
		if (strlen(word[i]) == n && !memcmp(word[i], text, n))
			return 1u << i;
	return 0;
}

int
args_bits(const Args *a, const char *name, const char *const *word, unsigned *bits, Err *e)
{
	const char *text = args_text(a, name, "");
	Str known = {0};

	while (*text) {
		size_t n = strcspn(text, ",");
		unsigned bit = bit_of(word, text, n);

		if (!bit) {
			for (int i = 0; word[i]; i++)
				str_printf(&known, " %s", word[i]);
			err_set(e, ERR_INPUT, "--%s: '%.*s', expected%s", name, (int)n, text,
				str_get(&known));
			str_fini(&known);
			return ERR_INPUT;
		}
		*bits |= bit;
		text += n + (text[n] == ',');
	}
	return OK;
}

static void
print_option(const ArgOption *o, FILE *out)
{
	char head[128], letter[8] = "    ";

	if (o->letter)
		snprintf(letter, sizeof letter, "-%c, ", o->letter);
	snprintf(head, sizeof head, "%s--%s%s%s%s", letter, o->name, o->kind == ARG_FLAG ? "" : " ",
		 o->kind == ARG_FLAG ? "" : o->value, o->repeat ? " ..." : "");
	help_entry(head, o->help, out);
}

void
args_help(const Command *c, const char *path, FILE *out)
{
	bool options = c->option && c->option->name;

	fprintf(out, "usage: %s%s%s%s%s\n\n%s.\n", path, c->run ? "" : " COMMAND",
		options ? " [OPTION]..." : "", c->operands ? " " : "",
		c->operands ? c->operands : "", c->summary);
	if (c->text)
		fprintf(out, "\n%s\n", c->text);
	if (c->sub)
		fputs("\ncommands:\n", out);
	for (int i = 0; c->sub && c->sub[i]; i++)
		help_entry(c->sub[i]->name, c->sub[i]->summary, out);
	fputs("\noptions:\n", out);
	for (const ArgOption *o = c->option; o && o->name; o++)
		print_option(o, out);
	print_option(&(ArgOption){.name = "help", .letter = 'h', .help = "print this"}, out);
}
