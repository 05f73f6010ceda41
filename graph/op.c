/* The operator and attribute tables, both made from the X-macros of kernels/ops.h. */
#include <string.h>

#include "graph/graph.h"

static const OpInfo ops[] = {
#define X(name, ref, infer, stages, in_min, in_max, out_max, attrs) \
	{#name, ref_##ref, in_min, in_max, out_max, attrs},
	OP_LIST(X)
#undef X
};

static const struct {
	const char *name;
	AttrKind kind;
} attrs[] = {
#define X(name, kind) {#name, ATTR_KIND_##kind},
	ATTR_LIST(X)
#undef X
};

const OpInfo *
op_info(Op op)
{
	return &ops[op];
}

bool
op_from_name(const char *name, Op *op)
{
	for (int i = 0; i < OP_COUNT; i++)
		if (!strcmp(ops[i].name, name)) {
			*op = (Op)i;
			return true;
		}
	return false;
}

const char *
attr_name(AttrKey key)
{
	return attrs[key].name;
}

AttrKind
attr_kind(AttrKey key)
{
	return attrs[key].kind;
}

static bool
attr_from_name_n(const char *name, size_t n, AttrKey *key)
{
	for (int i = 0; i < ATTR_COUNT; i++)
		if (strlen(attrs[i].name) == n && !memcmp(attrs[i].name, name, n)) {
			*key = (AttrKey)i;
			return true;
		}
	return false;
}

bool
attr_from_name(const char *name, AttrKey *key)
{
	return attr_from_name_n(name, strlen(name), key);
}

int
op_attrs(Op op, AttrKey key[OP_ATTRS_MAX])
{
	const char *s = ops[op].attrs;
	int n = 0;

	while (*s) {
		size_t len = strcspn(s, " ");

		if (n < OP_ATTRS_MAX && attr_from_name_n(s, len, &key[n]))
			n++;
		s += len + (s[len] == ' ');
	}
	return n;
}

KAttr
attr_int(AttrKey key, const int64_t *v)
{
	return (KAttr){.key = (int32_t)key, .n = 1, .i = v};
}

KAttr
attr_ints(AttrKey key, const int64_t *v, int n)
{
	return (KAttr){.key = (int32_t)key, .n = n, .i = v};
}

KAttr
attr_float(AttrKey key, const double *v)
{
	return (KAttr){.key = (int32_t)key, .n = 1, .f = v};
}

KAttr
attr_floats(AttrKey key, const double *v, int n)
{
	return (KAttr){.key = (int32_t)key, .n = n, .f = v};
}
