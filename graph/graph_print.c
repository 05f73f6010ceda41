/* Graph to text: docs/text_forms.md, section Graph. */
#include <string.h>

#include "graph/graph.h"

Digest
value_digest(const Value *v)
{
	if (v->digest && !v->data)
		return *v->digest;
	return digest_of(v->data ? v->data : "", v->data ? value_bytes(v) : 0);
}

static bool
is_bare(const char *s)
{
	if (!*s || !strcmp(s, "-"))
		return false;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || strchr("_./:%+-", *s)))
			return false;
	return true;
}

static void
print_name(Str *out, const char *s)
{
	if (is_bare(s)) {
		str_add(out, s);
		return;
	}
	str_add(out, "\"");
	for (; *s; s++)
		if (*s == '"' || *s == '\\')
			str_printf(out, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			str_printf(out, "\\x%02x", (unsigned char)*s);
		else
			str_addn(out, s, 1);
	str_add(out, "\"");
}

static void
print_value(Str *out, const Value *v)
{
	print_name(out, v->name);
	str_add(out, " ");
	shape_print(out, v->type, v->rank, v->dim);
}

static void
print_attr(Str *out, const KAttr *a)
{
	AttrKind kind = attr_kind((AttrKey)a->key);
	bool list = kind == ATTR_KIND_INTS || kind == ATTR_KIND_FLOATS;

	str_printf(out, " %s=%s", attr_name((AttrKey)a->key), list ? "[" : "");
	for (int i = 0; i < a->n; i++) {
		if (i)
			str_add(out, ",");
		if (kind == ATTR_KIND_INT || kind == ATTR_KIND_INTS)
			str_printf(out, "%lld", (long long)a->i[i]);
		else
			str_double(out, a->f[i]);
	}
	if (list)
		str_add(out, "]");
}

static void
print_node(Str *out, const Graph *g, const Node *n)
{
	str_add(out, "node ");
	print_name(out, n->name);
	for (int i = 0; i < n->nout; i++) {
		str_add(out, i ? ", " : " ");
		if (n->out[i] == NO_VALUE)
			str_add(out, "-");
		else
			print_value(out, &g->value.v[n->out[i]]);
	}
	str_printf(out, " = %s(", op_info(n->op)->name);
	for (int i = 0; i < n->nin; i++) {
		str_add(out, i ? ", " : "");
		if (n->in[i] == NO_VALUE)
			str_add(out, "-");
		else
			print_name(out, g->value.v[n->in[i]].name);
	}
	str_add(out, ")");
	for (int i = 0; i < n->nattr; i++)
		print_attr(out, &n->attr[i]);
	str_add(out, "\n");
}

void
graph_print(const Graph *g, Str *out)
{
	char text[DIGEST_TEXT];

	str_add(out, "graph ");
	print_name(out, g->name);
	str_add(out, "\n");
	for (int i = 0; i < g->input.n; i++) {
		str_add(out, "in ");
		print_value(out, &g->value.v[g->input.v[i]]);
		str_add(out, "\n");
	}
	for (int i = 0; i < g->value.n; i++) {
		const Value *v = &g->value.v[i];
		Digest d;

		if (!v->is_const)
			continue;
		d = value_digest(v);
		digest_print(&d, text);
		str_add(out, "const ");
		print_value(out, v);
		str_printf(out, " %s\n", text);
	}
	for (int i = 0; i < g->node.n; i++)
		print_node(out, g, &g->node.v[i]);
	for (int i = 0; i < g->output.n; i++) {
		str_add(out, "out ");
		print_name(out, g->value.v[g->output.v[i]].name);
		str_add(out, "\n");
	}
}

Digest
graph_digest(const Graph *g)
{
	Str s = {0};
	Digest d;

	graph_print(g, &s);
	d = digest_of_text(str_get(&s));
	str_fini(&s);
	return d;
}
