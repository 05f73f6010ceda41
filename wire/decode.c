/* msgpack to structs: scan, unpack into a tree, then walk the tables of fields.c. Whatever is
 * allocated hangs in the struct at once, so that one schema_fini frees a half-decoded one. */
#include "wire/message.h"

#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "wire/schema.h"

const ScanLimits scan_first = {FRAME_FIRST_MAX, 8, 1024, 64};
const ScanLimits scan_later = {FRAME_MAX, SCAN_DEPTH_MAX, 128 * 1024, 64};

static int decode_struct(const msgpack_object *o, const Schema *s, void *data, Err *e);

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

static int
wrong_type(const Field *f, Err *e)
{
	static const char *const names[] = {
#define X(name, type) [KIND_##name] = #name,
		KIND_LIST(X)
#undef X
	};
	return err_set(e, ERR_INPUT, "%s: not %s%s", f->name, f->list ? "a list of " : "",
		       names[f->kind]);
}

static int
no_memory(Err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory");
}

static int
decode_text(const msgpack_object *o, const Field *f, char **text, Err *e)
{
	uint32_t n = o->type == MSGPACK_OBJECT_STR ? o->via.str.size : 0;
	const char *s = n ? o->via.str.ptr : ""; /* msgpack points nowhere for an empty text */

	if (o->type != MSGPACK_OBJECT_STR || memchr(s, 0, n))
		return wrong_type(f, e);
	if (n > f->limit)
		return err_set(e, ERR_INPUT, "%s: %u bytes, at most %u", f->name, n, f->limit);
	*text = strndup(s, n);
	return *text ? OK : no_memory(e);
}

static bool
to_int64(const msgpack_object *o, int64_t *v)
{
	*v = o->via.i64;
	return o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ||
	       (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= INT64_MAX);
}

static int
decode_nest(const msgpack_object *o, const Field *f, Nest *n, Err *e)
{
	uint32_t size = o->type == MSGPACK_OBJECT_ARRAY ? o->via.array.size : 0;
	const msgpack_object *v = o->via.array.ptr;

	if (size % 2 == 0 || size / 2 > NEST_RANK_MAX || !to_int64(&v[0], &n->offset))
		return wrong_type(f, e);
	n->rank = size / 2;
	for (uint32_t i = 0; i < n->rank; i++)
		if (!to_int64(&v[1 + i], &n->count[i]) ||
		    !to_int64(&v[1 + n->rank + i], &n->stride[i]))
			return wrong_type(f, e);
	return OK;
}

static int
decode_u32(const msgpack_object *o, const Field *f, uint32_t *v, Err *e)
{
	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > UINT32_MAX)
		return wrong_type(f, e);
	*v = (uint32_t)o->via.u64;
	if (f->limit && *v >= f->limit)
		return err_set(e, ERR_INPUT, "%s: %u is not known", f->name, *v);
	return OK;
}

static int
decode_value(const msgpack_object *o, const Field *f, void *v, Err *e)
{
	switch (f->kind) {
	case KIND_U32: return decode_u32(o, f, v, e);
	case KIND_U64:
		if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
			return wrong_type(f, e);
		*(uint64_t *)v = o->via.u64;
		return OK;
	case KIND_F64:
		if (o->type != MSGPACK_OBJECT_FLOAT64)
			return wrong_type(f, e);
		*(double *)v = o->via.f64;
		return OK;
	case KIND_BOOL:
		if (o->type != MSGPACK_OBJECT_BOOLEAN)
			return wrong_type(f, e);
		*(bool *)v = o->via.boolean;
		return OK;
	case KIND_TEXT: return decode_text(o, f, v, e);
	case KIND_DIGEST:
		if (o->type != MSGPACK_OBJECT_BIN || o->via.bin.size != sizeof(Digest))
			return wrong_type(f, e);
		memcpy(v, o->via.bin.ptr, sizeof(Digest));
		return OK;
	case KIND_NEST: return decode_nest(o, f, v, e);
	default: return decode_struct(o, f->sub, v, e);
	}
}

/* Allocates room for n values and hangs it at `at`; the values are zero. */
static int
make_list(const Field *f, uint32_t n, void *at, List *list, Err *e)
{
	if (n > f->count)
		return err_set(e, ERR_INPUT, "%s: %u, at most %u", f->name, n, f->count);
	*list = (List){n ? calloc(n, field_size(f)) : NULL, n};
	if (n && !list->v)
		return no_memory(e);
	memcpy(at, list, sizeof *list);
	return OK;
}

static int
decode_list(const msgpack_object *o, const Field *f, void *at, Err *e)
{
	List list = {0};
	int rc;

	if (f->kind == KIND_BYTE) {
		if (o->type != MSGPACK_OBJECT_BIN)
			return wrong_type(f, e);
		rc = make_list(f, o->via.bin.size, at, &list, e);
		if (rc == OK && list.n)
			memcpy(list.v, o->via.bin.ptr, list.n);
		return rc;
	}
	if (o->type != MSGPACK_OBJECT_ARRAY)
		return wrong_type(f, e);
	rc = make_list(f, o->via.array.size, at, &list, e);
	for (uint32_t i = 0; rc == OK && i < list.n; i++)
		rc = decode_value(&o->via.array.ptr[i], f, (char *)list.v + i * field_size(f), e);
	return rc;
}

/* Absent texts become "", also those of structs that are absent themselves. */
static int
default_texts(const Schema *s, void *data, Err *e)
{
	int rc = OK;

	for (uint32_t i = 0; rc == OK && i < s->fields; i++) {
		const Field *f = &s->field[i];
		void *at = (char *)data + f->offset;

		if (f->list)
			continue;
		if (f->kind == KIND_STRUCT)
			rc = default_texts(f->sub, at, e);
		else if (f->kind == KIND_TEXT && !*(char **)at && !(*(char **)at = strdup("")))
			rc = no_memory(e);
	}
	return rc;
}

static const Field *
find_field(const Schema *s, const msgpack_object *key, uint32_t *index)
{
	if (key->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		for (uint32_t i = 0; i < s->fields; i++)
			if (s->field[i].key == key->via.u64) {
				*index = i;
				return &s->field[i];
			}
	return NULL;
}

static int
decode_struct(const msgpack_object *o, const Schema *s, void *data, Err *e)
{
	uint64_t seen = 0;
	int rc = OK;

	if (o->type != MSGPACK_OBJECT_MAP)
		return err_set(e, ERR_INPUT, "%s: not a map", s->name);
	for (uint32_t k = 0; rc == OK && k < o->via.map.size; k++) {
		const msgpack_object_kv *kv = &o->via.map.ptr[k];
		uint32_t index;
		const Field *f = find_field(s, &kv->key, &index);
		void *at;

		if (!f)
			continue;
		at = (char *)data + f->offset;
		if (seen >> index & 1)
			rc = err_set(e, ERR_INPUT, "%s: twice", f->name);
		else
			rc = f->list ? decode_list(&kv->val, f, at, e)
				     : decode_value(&kv->val, f, at, e);
		seen |= (uint64_t)1 << index;
	}
	if (rc == OK)
		rc = default_texts(s, data, e);
	if (rc)
		err_prefix(e, "%s: ", s->name);
	return rc;
}

static int
decode_head(const msgpack_object *o, Message *m, Err *e)
{
	uint32_t *const head[] = {&m->kind, &m->id, &m->method};

	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size != 4)
		return err_set(e, ERR_INPUT, "frame: not [kind, id, method, args]");
	for (int i = 0; i < 3; i++) {
		const msgpack_object *v = &o->via.array.ptr[i];

		if (v->type != MSGPACK_OBJECT_POSITIVE_INTEGER || v->via.u64 > UINT32_MAX)
			return err_set(e, ERR_INPUT, "frame: not [kind, id, method, args]");
		*head[i] = (uint32_t)v->via.u64;
	}
	if (m->kind >= MESSAGE_KINDS)
		return err_set(e, ERR_INPUT, "frame: kind %u is not known", m->kind);
	return OK;
}

static int
decode_tree(const msgpack_object *o, Message *m, Err *e)
{
	int rc = decode_head(o, m, e);
	const Schema *s;

	if (rc)
		return rc;
	s = schema_of(m->kind, m->method);
	if (!s)
		return NOT_APPLICABLE;
	rc = decode_struct(&o->via.array.ptr[3], s, &m->u, e);
	if (rc)
		schema_fini(s, &m->u);
	return rc;
}

int
message_decode(const void *body, size_t size, const ScanLimits *limits, Message *m, Err *e)
{
	ScanVerdict v = scan(body, size, limits);
	msgpack_unpacked tree;
	size_t at = 0;
	int rc;

	memset(m, 0, sizeof *m);
	if (v != SCAN_FINE)
		return err_set(e, ERR_INPUT, "frame: %s", scan_text(v));
	msgpack_unpacked_init(&tree);
	switch (msgpack_unpack_next(&tree, body, size, &at)) {
	case MSGPACK_UNPACK_SUCCESS: rc = decode_tree(&tree.data, m, e); break;
	case MSGPACK_UNPACK_NOMEM_ERROR: rc = no_memory(e); break;
	default: rc = err_set(e, ERR_INPUT, "frame: not msgpack"); break;
	}
	msgpack_unpacked_destroy(&tree);
	return rc;
}

void
message_fini(Message *m)
{
	const Schema *s = schema_of(m->kind, m->method);

	if (s)
		schema_fini(s, &m->u);
}
