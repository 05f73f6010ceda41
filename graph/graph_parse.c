/* Text to graph: docs/text_forms.md, section Graph.
 *
 * Recursive descent over lines. The text may come from anywhere: shapes are inferred again and
 * compared with what is written, so a graph that parses is one that graph_check accepts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "graph/names.h"

enum { INPUTS_MAX = 1024, OUTPUTS_MAX = 3, LIST_MAX = 64 };

typedef struct Parser {
	const char *p;
	int line;
	Graph *g;
	Names names;
	Err *e;
} Parser;

static int
fail(Parser *s, const char *expected)
{
	return err_set(s->e, ERR_INPUT, "line %d: expected %s at '%.20s'", s->line, expected, s->p);
}

static void
blanks(Parser *s)
{
	s->p += strspn(s->p, " \t");
}

static bool
take(Parser *s, const char *text)
{
	size_t n = strlen(text);

	blanks(s);
	if (strncmp(s->p, text, n))
		return false;
	s->p += n;
	return true;
}

static int
end_line(Parser *s)
{
	blanks(s);
	if (*s->p && *s->p != '\n')
		return fail(s, "the end of the line");
	s->p += *s->p == '\n';
	s->line++;
	return OK;
}

/* The character after a backslash, or the \xHH form; 0 when it is neither. */
static char
escaped(const char **p)
{
	char c = **p;

	if (!c)
		return 0;
	++*p;
	if (c != 'x')
		return c == '"' || c == '\\' ? c : 0;
	if (hex_value((*p)[0]) < 0 || hex_value((*p)[1]) < 0)
		return 0;
	*p += 2;
	return (char)(hex_value((*p)[-2]) * 16 + hex_value((*p)[-1]));
}

static int
quoted(Parser *s, const char **name)
{
	char *out = arena_alloc(s->g->arena, strcspn(s->p, "\n") + 1);

	*name = out;
	for (s->p++; *s->p != '"'; out++) {
		*out = *s->p ? *s->p++ : 0;
		if (*out == '\\')
			*out = escaped(&s->p);
		if (!*out || (*out == '\n' && s->p[-1] == '\n'))
			return fail(s, "a closed name");
	}
	s->p++;
	return OK;
}

static int
bare(Parser *s, const char **name)
{
	size_t n = strspn(s->p,
			  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:%+-");

	if (!n)
		return fail(s, "a name");
	*name = arena_printf(s->g->arena, "%.*s", (int)n, s->p);
	s->p += n;
	return OK;
}

static int
name(Parser *s, const char **out)
{
	blanks(s);
	return *s->p == '"' ? quoted(s, out) : bare(s, out);
}

static int
integer(Parser *s, int64_t *v)
{
	char *end;

	blanks(s);
	errno = 0;
	*v = strtoll(s->p, &end, 10);
	if (end == s->p || errno || strchr(" \t\n", *s->p))
		return fail(s, "an integer");
	s->p = end;
	return OK;
}

static int
number(Parser *s, double *v)
{
	char *end;

	blanks(s);
	*v = strtod(s->p, &end);
	if (end == s->p || !*s->p || strchr(" \t\n", *s->p))
		return fail(s, "a number");
	s->p = end;
	return OK;
}

static int
type(Parser *s, Value *v)
{
	char text[8] = "";
	size_t n;

	blanks(s);
	n = strcspn(s->p, "[\n");
	if (n < sizeof text)
		memcpy(text, s->p, n);
	if (s->p[n] != '[' || !dtype_parse(text, &v->type))
		return fail(s, "an element type");
	s->p += n + 1;
	for (v->rank = 0; !take(s, "]"); v->rank++) {
		if (v->rank == KERNEL_RANK_MAX)
			return fail(s, "at most 8 axes");
		if (integer(s, &v->dim[v->rank]))
			return ERR_INPUT;
		if (!take(s, ",") && *s->p != ']')
			return fail(s, "',' or ']'");
	}
	if (shape_check(v->rank, v->dim, s->e)) {
		err_prefix(s->e, "line %d: ", s->line);
		return ERR_INPUT;
	}
	return OK;
}

/* Name and type of a value that is not there yet. */
static int
new_value(Parser *s, Value *v)
{
	if (name(s, &v->name))
		return ERR_INPUT;
	if (names_get(&s->names, v->name) != NAME_UNKNOWN)
		return err_set(s->e, ERR_INPUT, "line %d: '%s' is there twice", s->line, v->name);
	return type(s, v);
}

static int
old_value(Parser *s, int *id)
{
	const char *text;

	if (name(s, &text))
		return ERR_INPUT;
	*id = names_get(&s->names, text);
	if (*id == NAME_UNKNOWN)
		return err_set(s->e, ERR_INPUT, "line %d: no value '%s' yet", s->line, text);
	return OK;
}

static int
parse_in(Parser *s)
{
	Value v = {0};
	int id;

	if (new_value(s, &v))
		return ERR_INPUT;
	id = graph_add_value(s->g, v.name, v.type, v.rank, v.dim);
	vec_push(s->g->arena, &s->g->input, id);
	names_put(s->g->arena, &s->names, v.name, id);
	return OK;
}

static int
parse_const(Parser *s)
{
	char text[DIGEST_TEXT] = "";
	Value v = {0};
	Digest d;
	int id;

	if (new_value(s, &v))
		return ERR_INPUT;
	blanks(s);
	if (strcspn(s->p, " \t\n") == DIGEST_TEXT - 1)
		memcpy(text, s->p, DIGEST_TEXT - 1);
	if (!digest_parse(text, &d))
		return fail(s, "a digest of 32 hexadecimal digits");
	s->p += DIGEST_TEXT - 1;
	id = graph_add_const(s->g, v.name, v.type, v.rank, v.dim, NULL, false);
	s->g->value.v[id].digest = arena_copy(s->g->arena, &d, sizeof d);
	names_put(s->g->arena, &s->names, v.name, id);
	return OK;
}

static int
parse_out(Parser *s)
{
	int id;

	if (old_value(s, &id))
		return ERR_INPUT;
	vec_push(s->g->arena, &s->g->output, id);
	return OK;
}

static int
parse_list(Parser *s, KAttr *a, bool ints, bool list)
{
	int64_t i[LIST_MAX];
	double f[LIST_MAX];

	for (a->n = 0; !(list && take(s, "]")); a->n++) {
		if (a->n == LIST_MAX)
			return fail(s, "a shorter list");
		if (ints ? integer(s, &i[a->n]) : number(s, &f[a->n]))
			return ERR_INPUT;
		if (!list) {
			a->n++;
			break;
		}
		if (!take(s, ",") && *s->p != ']')
			return fail(s, "',' or ']'");
	}
	if (ints)
		a->i = arena_copy(s->g->arena, i, (size_t)a->n * sizeof *i);
	else
		a->f = arena_copy(s->g->arena, f, (size_t)a->n * sizeof *f);
	return OK;
}

static int
parse_attr(Parser *s, KAttr *a)
{
	size_t n = strcspn(s->p, "=\n");
	char text[32] = "";
	AttrKind kind;
	AttrKey key;
	bool list;

	if (n < sizeof text)
		memcpy(text, s->p, n);
	if (s->p[n] != '=' || !attr_from_name(text, &key))
		return fail(s, "an attribute");
	s->p += n + 1;
	*a = (KAttr){.key = (int32_t)key};
	kind = attr_kind(key);
	list = kind == ATTR_KIND_INTS || kind == ATTR_KIND_FLOATS;
	if (list && !take(s, "["))
		return fail(s, "'['");
	return parse_list(s, a, kind == ATTR_KIND_INT || kind == ATTR_KIND_INTS, list);
}

typedef struct NodeText {
	Value out[OUTPUTS_MAX];
	const char *out_name[OUTPUTS_MAX];
	int in[INPUTS_MAX];
	KAttr attr[OP_ATTRS_MAX];
} NodeText;

/* "- ", not the first letter of a name. */
static bool
take_absent(Parser *s)
{
	blanks(s);
	if (s->p[0] != '-' || !strchr(" ,)", s->p[1]) || !s->p[1])
		return false;
	s->p++;
	return true;
}

static int
parse_outputs(Parser *s, NodeText *t, NodeSpec *spec)
{
	do {
		if (spec->nout == OUTPUTS_MAX)
			return fail(s, "at most 3 outputs");
		t->out_name[spec->nout] = NULL;
		t->out[spec->nout] = (Value){0};
		if (!take_absent(s)) {
			if (new_value(s, &t->out[spec->nout]))
				return ERR_INPUT;
			t->out_name[spec->nout] = t->out[spec->nout].name;
		}
		spec->nout++;
	} while (take(s, ","));
	spec->out = t->out_name;
	spec->given = &t->out[0];
	return take(s, "=") ? OK : fail(s, "'='");
}

static int
parse_call(Parser *s, NodeText *t, NodeSpec *spec)
{
	const char *text;

	if (name(s, &text))
		return ERR_INPUT;
	if (!op_from_name(text, &spec->op))
		return err_set(s->e, ERR_INPUT, "line %d: no operator '%s'", s->line, text);
	if (!take(s, "("))
		return fail(s, "'('");
	do {
		if (spec->nin == INPUTS_MAX)
			return fail(s, "fewer inputs");
		t->in[spec->nin] = NO_VALUE;
		if (!take_absent(s) && old_value(s, &t->in[spec->nin]))
			return ERR_INPUT;
		spec->nin++;
	} while (take(s, ","));
	if (!take(s, ")"))
		return fail(s, "')'");
	for (blanks(s); *s->p && *s->p != '\n'; blanks(s)) {
		if (spec->nattr == OP_ATTRS_MAX)
			return fail(s, "fewer attributes");
		if (parse_attr(s, &t->attr[spec->nattr]))
			return ERR_INPUT;
		spec->nattr++;
	}
	spec->in = t->in;
	spec->attr = t->attr;
	return OK;
}

/* The outputs inference made are those that were written. */
static int
compare_outputs(Parser *s, const Node *n, const NodeText *t)
{
	for (int i = 0; i < n->nout; i++) {
		const Value *v = n->out[i] == NO_VALUE ? NULL : &s->g->value.v[n->out[i]];

		if (!v)
			continue;
		if (v->type != t->out[i].type || !value_same_shape(v, &t->out[i]))
			return err_set(s->e, ERR_INPUT,
				       "line %d: '%s' has another type or shape than inferred",
				       s->line, v->name);
		if (names_get(&s->names, v->name) != NAME_UNKNOWN)
			return err_set(s->e, ERR_INPUT, "line %d: '%s' is there twice", s->line,
				       v->name);
		names_put(s->g->arena, &s->names, v->name, n->out[i]);
	}
	return OK;
}

static int
parse_node(Parser *s)
{
	NodeText t;
	NodeSpec spec = {0};
	int node;

	if (name(s, &spec.name) || parse_outputs(s, &t, &spec) || parse_call(s, &t, &spec))
		return ERR_INPUT;
	node = graph_add_node(s->g, &spec, s->e);
	if (node < 0) {
		err_prefix(s->e, "line %d: node '%s': ", s->line, spec.name);
		return ERR_INPUT;
	}
	return compare_outputs(s, &s->g->node.v[node], &t);
}

static int
parse_line(Parser *s)
{
	static const struct {
		const char *word;
		int (*parse)(Parser *s);
	} list[] = {{"in ", parse_in},
		    {"const ", parse_const},
		    {"node ", parse_node},
		    {"out ", parse_out}};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (take(s, list[i].word))
			return list[i].parse(s) ? ERR_INPUT : end_line(s);
	return fail(s, "'in', 'const', 'node' or 'out'");
}

int
graph_parse(const char *text, Graph **g, Err *e)
{
	Parser s = {.p = text, .line = 1, .e = e, .g = graph_new("")};
	int rc = take(&s, "graph ") ? OK : fail(&s, "'graph'");

	*g = NULL;
	if (rc == OK)
		rc = name(&s, &s.g->name);
	if (rc == OK)
		rc = end_line(&s);
	while (rc == OK && *s.p)
		rc = parse_line(&s);
	if (rc == OK)
		rc = graph_check(s.g, e);
	if (rc) {
		graph_free(s.g);
		return ERR_INPUT;
	}
	*g = s.g;
	return OK;
}
