/* Frames to structs: scan, then one walk over the bytes along the tables of fields.c; nothing is
 * built in between. What scan let pass is well-formed, so reading needs no checks of its own.
 * Whatever is allocated hangs in the struct at once, so that one schema_fini frees a half-decoded
 * one; all of it together is bounded by the length of the frame (DECODE_TIMES, DECODE_MORE). */
#include "wire/message.h"

#include <stdlib.h>
#include <string.h>

#include "wire/schema.h"

const ScanLimits scan_first = {FRAME_FIRST_MAX, 8, 1024, 64};
const ScanLimits scan_later = {FRAME_MAX, SCAN_DEPTH_MAX, 128 * 1024, 64};

const char *
method_name(uint32_t method)
{
	static const char *const names[] = {
#define X(name, number, request, response, event) [number] = #name,
		METHOD_LIST(X)
#undef X
	};
	return method < sizeof names / sizeof *names && names[method] ? names[method] : "?";
}

/* --- values --- */

typedef enum Type {
	NIL,
	BOOLEAN,
	UNSIGNED,
	SIGNED,
	FLOAT32,
	FLOAT64,
	TEXT,
	BINARY,
	ARRAY,
	MAP
} Type;

typedef struct Value {
	Type type;
	uint64_t u;       /* the number's bits; bytes of TEXT and BINARY; items; pairs */
	const uint8_t *p; /* TEXT, BINARY */
} Value;

typedef struct Cursor {
	const uint8_t *p;
	size_t room; /* that may still be allocated */
	Err *e;
} Cursor;

/* Leading bytes 0xc0 to 0xdf, and the bytes of the number or length that follows. NIL where scan
 * lets none pass. */
static const struct {
	uint8_t type, width;
} wide[32] = {
	{NIL, 0},      {NIL, 0},      {BOOLEAN, 0},  {BOOLEAN, 0},  {BINARY, 1},  {BINARY, 2},
	{BINARY, 4},   {NIL, 0},      {NIL, 0},      {NIL, 0},      {FLOAT32, 4}, {FLOAT64, 8},
	{UNSIGNED, 1}, {UNSIGNED, 2}, {UNSIGNED, 4}, {UNSIGNED, 8}, {SIGNED, 1},  {SIGNED, 2},
	{SIGNED, 4},   {SIGNED, 8},   {NIL, 0},      {NIL, 0},      {NIL, 0},     {NIL, 0},
	{NIL, 0},      {TEXT, 1},     {TEXT, 2},     {TEXT, 4},     {ARRAY, 2},   {ARRAY, 4},
	{MAP, 2},      {MAP, 4},
};

/* A signed number that is not negative is an unsigned one. */
static void
take_wide(Cursor *c, uint8_t head, Value *v)
{
	uint8_t width = wide[head - 0xc0].width;

	*v = (Value){.type = (Type)wide[head - 0xc0].type};
	for (int i = 0; i < width; i++)
		v->u = v->u << 8 | *c->p++;
	if (v->type == BOOLEAN)
		v->u = head & 1;
	if (v->type != SIGNED)
		return;
	if (v->u >> (8 * width - 1) == 0)
		v->type = UNSIGNED;
	else if (width < 8)
		v->u |= UINT64_MAX << 8 * width;
}

/* The next value; of an array or a map only its head. */
static Value
take(Cursor *c)
{
	uint8_t head = *c->p++;
	Value v;

	if (head < 0x80)
		v = (Value){.type = UNSIGNED, .u = head};
	else if (head < 0x90)
		v = (Value){.type = MAP, .u = head & 15};
	else if (head < 0xa0)
		v = (Value){.type = ARRAY, .u = head & 15};
	else if (head < 0xc0)
		v = (Value){.type = TEXT, .u = head & 31};
	else if (head >= 0xe0)
		v = (Value){.type = SIGNED, .u = (uint64_t)(int64_t)(int8_t)head};
	else
		take_wide(c, head, &v);
	if (v.type == TEXT || v.type == BINARY) {
		v.p = c->p;
		c->p += v.u;
	}
	return v;
}

/* The rest of a value whose head was taken. */
static void
skip(Cursor *c, const Value *v)
{
	uint64_t left = v->type == ARRAY ? v->u : v->type == MAP ? 2 * v->u : 0;

	while (left--) {
		Value inner = take(c);

		left += inner.type == ARRAY ? inner.u : inner.type == MAP ? 2 * inner.u : 0;
	}
}

/* --- memory --- */

static int
no_memory(Err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory");
}

/* Whether so many bytes may be allocated. */
static int
charge(Cursor *c, size_t bytes)
{
	size_t cost = bytes + ALLOC_COST;

	if (cost > c->room)
		return err_set(c->e, ERR_INPUT, "more than %d times its length", DECODE_TIMES);
	c->room -= cost;
	return OK;
}

static int
copy_text(Cursor *c, const void *s, size_t n, char **text)
{
	int rc = charge(c, n + 1);

	if (rc == OK && !(*text = n ? strndup(s, n) : strdup("")))
		rc = no_memory(c->e);
	return rc;
}

/* --- fields --- */

static int decode_struct(Cursor *c, const Value *v, const Schema *s, void *data);

static int
wrong_type(const Cursor *c, const Field *f)
{
	static const char *const kind_names[] = {
#define X(name, type) [KIND_##name] = #name,
		KIND_LIST(X)
#undef X
	};
	return err_set(c->e, ERR_INPUT, "%s: not %s%s", f->name, f->list ? "a list of " : "",
		       kind_names[f->kind]);
}

static int
decode_text(Cursor *c, const Value *v, const Field *f, char **text)
{
	if (v->type != TEXT || memchr(v->p, 0, v->u))
		return wrong_type(c, f);
	if (v->u > f->limit)
		return err_set(c->e, ERR_INPUT, "%s: %llu bytes, at most %u", f->name,
			       (unsigned long long)v->u, f->limit);
	return copy_text(c, v->p, v->u, text);
}

static bool
take_int64(Cursor *c, int64_t *out)
{
	Value v = take(c);

	*out = (int64_t)v.u;
	return v.type == SIGNED || (v.type == UNSIGNED && v.u <= INT64_MAX);
}

static int
decode_nest(Cursor *c, const Value *v, const Field *f, Nest *n)
{
	uint64_t size = v->type == ARRAY ? v->u : 0;

	if (size % 2 == 0 || size / 2 > NEST_RANK_MAX || !take_int64(c, &n->offset))
		return wrong_type(c, f);
	n->rank = (uint32_t)(size / 2);
	for (uint32_t i = 0; i < n->rank; i++)
		if (!take_int64(c, &n->count[i]))
			return wrong_type(c, f);
	for (uint32_t i = 0; i < n->rank; i++)
		if (!take_int64(c, &n->stride[i]))
			return wrong_type(c, f);
	return OK;
}

static int
decode_u32(Cursor *c, const Value *v, const Field *f, uint32_t *out)
{
	if (v->type != UNSIGNED || v->u > UINT32_MAX)
		return wrong_type(c, f);
	*out = (uint32_t)v->u;
	if (f->limit && *out >= f->limit)
		return err_set(c->e, ERR_INPUT, "%s: %u is not known", f->name, *out);
	return OK;
}

static int
decode_value(Cursor *c, const Value *v, const Field *f, void *at)
{
	switch (f->kind) {
	case KIND_U32: return decode_u32(c, v, f, at);
	case KIND_U64:
		if (v->type != UNSIGNED)
			return wrong_type(c, f);
		*(uint64_t *)at = v->u;
		return OK;
	case KIND_F64:
		if (v->type != FLOAT64)
			return wrong_type(c, f);
		memcpy(at, &v->u, sizeof(double));
		return OK;
	case KIND_BOOL:
		if (v->type != BOOLEAN)
			return wrong_type(c, f);
		*(bool *)at = v->u;
		return OK;
	case KIND_TEXT: return decode_text(c, v, f, at);
	case KIND_DIGEST:
		if (v->type != BINARY || v->u != sizeof(Digest))
			return wrong_type(c, f);
		memcpy(at, v->p, sizeof(Digest));
		return OK;
	case KIND_NEST: return decode_nest(c, v, f, at);
	default: return decode_struct(c, v, f->sub, at);
	}
}

/* Allocates room for n values and hangs it at `at`; the values are zero. */
static int
make_list(Cursor *c, const Field *f, uint64_t n, void *at, List *list)
{
	int rc;

	if (n > f->count)
		return err_set(c->e, ERR_INPUT, "%s: %llu, at most %u", f->name,
			       (unsigned long long)n, f->count);
	*list = (List){NULL, (uint32_t)n};
	if (!n)
		return OK;
	rc = charge(c, n * field_size(f));
	if (rc)
		return rc;
	list->v = calloc(n, field_size(f));
	if (!list->v)
		return no_memory(c->e);
	memcpy(at, list, sizeof *list);
	return OK;
}

static int
decode_list(Cursor *c, const Value *v, const Field *f, void *at)
{
	List list = {0};
	int rc;

	if (v->type != (f->kind == KIND_BYTE ? BINARY : ARRAY))
		return wrong_type(c, f);
	rc = make_list(c, f, v->u, at, &list);
	if (rc == OK && list.n && f->kind == KIND_BYTE)
		memcpy(list.v, v->p, list.n);
	for (uint32_t i = 0; rc == OK && i < list.n && f->kind != KIND_BYTE; i++) {
		Value item = take(c);

		rc = decode_value(c, &item, f, (char *)list.v + i * field_size(f));
	}
	return rc;
}

/* Absent texts become "", also those of structs that are absent themselves. */
static int
default_texts(Cursor *c, const Schema *s, void *data)
{
	int rc = OK;

	for (uint32_t i = 0; rc == OK && i < s->fields; i++) {
		const Field *f = &s->field[i];
		void *at = (char *)data + f->offset;

		if (f->list)
			continue;
		if (f->kind == KIND_STRUCT)
			rc = default_texts(c, f->sub, at);
		else if (f->kind == KIND_TEXT && !*(char **)at)
			rc = copy_text(c, "", 0, at);
	}
	return rc;
}

static const Field *
find_field(const Schema *s, const Value *key, uint32_t *index)
{
	if (key->type == UNSIGNED)
		for (uint32_t i = 0; i < s->fields; i++)
			if (s->field[i].key == key->u) {
				*index = i;
				return &s->field[i];
			}
	return NULL;
}

static int
decode_field(Cursor *c, const Schema *s, void *data, uint64_t *seen)
{
	Value key = take(c), v;
	uint32_t index;
	const Field *f = find_field(s, &key, &index);

	skip(c, &key);
	v = take(c);
	if (!f) {
		skip(c, &v);
		return OK;
	}
	if (*seen >> index & 1)
		return err_set(c->e, ERR_INPUT, "%s: twice", f->name);
	*seen |= (uint64_t)1 << index;
	return f->list ? decode_list(c, &v, f, (char *)data + f->offset)
		       : decode_value(c, &v, f, (char *)data + f->offset);
}

static int
decode_struct(Cursor *c, const Value *v, const Schema *s, void *data)
{
	uint64_t seen = 0;
	int rc = OK;

	if (v->type != MAP)
		return err_set(c->e, ERR_INPUT, "%s: not a map", s->name);
	for (uint64_t k = 0; rc == OK && k < v->u; k++)
		rc = decode_field(c, s, data, &seen);
	if (rc == OK)
		rc = default_texts(c, s, data);
	if (rc)
		err_prefix(c->e, "%s: ", s->name);
	return rc;
}

/* --- messages --- */

static int
decode_head(Cursor *c, Message *m)
{
	uint32_t *const head[] = {&m->kind, &m->id, &m->method};
	Value v = take(c);
	bool fine = v.type == ARRAY && v.u == 4;

	for (int i = 0; i < 3 && fine; i++) {
		v = take(c);
		fine = v.type == UNSIGNED && v.u <= UINT32_MAX;
		*head[i] = (uint32_t)v.u;
	}
	if (!fine)
		return err_set(c->e, ERR_INPUT, "frame: not [kind, id, method, args]");
	if (m->kind >= MESSAGE_KINDS)
		return err_set(c->e, ERR_INPUT, "frame: kind %u is not known", m->kind);
	return OK;
}

int
message_decode(const void *body, size_t size, const ScanLimits *limits, Message *m, Err *e)
{
	Cursor c = {body, DECODE_TIMES * size + DECODE_MORE, e};
	ScanVerdict verdict = scan(body, size, limits);
	const Schema *s;
	Value args;
	int rc;

	memset(m, 0, sizeof *m);
	if (verdict != SCAN_FINE)
		return err_set(e, ERR_INPUT, "frame: %s", scan_text(verdict));
	rc = decode_head(&c, m);
	if (rc)
		return rc;
	s = schema_of(m->kind, m->method);
	if (!s)
		return NOT_APPLICABLE;
	args = take(&c);
	rc = decode_struct(&c, &args, s, &m->u);
	if (rc)
		schema_fini(s, &m->u);
	return rc;
}

void
message_fini(Message *m)
{
	const Schema *s = schema_of(m->kind, m->method);

	if (s)
		schema_fini(s, &m->u);
}
