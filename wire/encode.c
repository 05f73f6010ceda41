/* Structs to msgpack: walks the tables of fields.c. A field that is zero is left out. */
#include "wire/message.h"

#include <string.h>

#include <msgpack.h>

#include "wire/schema.h"

typedef struct Encoder {
	msgpack_packer pk;
	Bytes *out;
	Err *e;
} Encoder;

static int encode_struct(Encoder *c, const Schema *s, const void *data);

static int
write_bytes(void *out, const char *data, size_t n)
{
	return bytes_add(out, data, n) ? 0 : -1;
}

static bool
is_absent(const Field *f, const char *at)
{
	static const char zero[sizeof(Nest)];

	if (f->list) {
		List list;

		memcpy(&list, at, sizeof list);
		return list.n == 0;
	}
	if (f->kind == KIND_TEXT) {
		const char *text = *(char *const *)at;

		return !text || !*text;
	}
	return f->kind != KIND_STRUCT && f->kind != KIND_NEST && !memcmp(at, zero, field_size(f));
}

static void
encode_nest(msgpack_packer *pk, const Nest *n)
{
	msgpack_pack_array(pk, 1 + 2 * (size_t)n->rank);
	msgpack_pack_int64(pk, n->offset);
	for (uint32_t i = 0; i < n->rank; i++)
		msgpack_pack_int64(pk, n->count[i]);
	for (uint32_t i = 0; i < n->rank; i++)
		msgpack_pack_int64(pk, n->stride[i]);
}

/* Texts of people and of runners end up here: what is not UTF-8 (cut in a letter, say) is sent as
 * question marks, since the other side would refuse the whole frame. */
static int
encode_text(Encoder *c, const Field *f, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n > f->limit)
		return err_set(c->e, ERR_INPUT, "%s: %zu bytes, at most %u", f->name, n, f->limit);
	if (scan_utf8(text, n)) {
		msgpack_pack_str_with_body(&c->pk, text, n);
		return OK;
	}
	msgpack_pack_str(&c->pk, n);
	for (size_t i = 0; i < n; i++)
		bytes_add(c->out, (text[i] & 0x80) ? "?" : &text[i], 1);
	return OK;
}

static int
encode_value(Encoder *c, const Field *f, const void *value)
{
	msgpack_packer *pk = &c->pk;

	switch (f->kind) {
	case KIND_U32:
		if (f->limit && *(const uint32_t *)value >= f->limit)
			return err_set(c->e, ERR_INPUT, "%s: %u is not known", f->name,
				       *(const uint32_t *)value);
		msgpack_pack_uint32(pk, *(const uint32_t *)value);
		return OK;
	case KIND_U64: msgpack_pack_uint64(pk, *(const uint64_t *)value); return OK;
	case KIND_F64: msgpack_pack_double(pk, *(const double *)value); return OK;
	case KIND_BOOL:
		if (*(const bool *)value)
			msgpack_pack_true(pk);
		else
			msgpack_pack_false(pk);
		return OK;
	case KIND_TEXT: return encode_text(c, f, *(char *const *)value);
	case KIND_DIGEST: msgpack_pack_bin_with_body(pk, value, sizeof(Digest)); return OK;
	case KIND_NEST:
		if (((const Nest *)value)->rank > NEST_RANK_MAX)
			return err_set(c->e, ERR_INPUT, "%s: rank above %d", f->name,
				       NEST_RANK_MAX);
		encode_nest(pk, value);
		return OK;
	default: return encode_struct(c, f->sub, value);
	}
}

static int
encode_list(Encoder *c, const Field *f, const void *at)
{
	int rc = OK;
	List list;

	memcpy(&list, at, sizeof list);
	if (list.n > f->count)
		return err_set(c->e, ERR_INPUT, "%s: %u, at most %u", f->name, list.n, f->count);
	if (f->kind == KIND_BYTE) {
		msgpack_pack_bin_with_body(&c->pk, list.v, list.n);
		return OK;
	}
	msgpack_pack_array(&c->pk, list.n);
	for (uint32_t i = 0; rc == OK && i < list.n; i++)
		rc = encode_value(c, f, (const char *)list.v + i * field_size(f));
	return rc;
}

static int
encode_struct(Encoder *c, const Schema *s, const void *data)
{
	size_t present = 0;
	int rc = OK;

	for (uint32_t i = 0; i < s->fields; i++)
		present += !is_absent(&s->field[i], (const char *)data + s->field[i].offset);
	msgpack_pack_map(&c->pk, present);
	for (uint32_t i = 0; rc == OK && i < s->fields; i++) {
		const Field *f = &s->field[i];
		const char *at = (const char *)data + f->offset;

		if (is_absent(f, at))
			continue;
		msgpack_pack_uint8(&c->pk, f->key);
		rc = f->list ? encode_list(c, f, at) : encode_value(c, f, at);
		if (rc)
			err_prefix(c->e, "%s: ", s->name);
	}
	return rc;
}

static int
encode_body(Encoder *c, MessageKind kind, uint32_t id, Method method, const void *args)
{
	const Schema *s = schema_of(kind, method);

	if (!s)
		return err_set(c->e, ERR_INTERNAL, "message %s is not sent as kind %d",
			       method_name(method), (int)kind);
	msgpack_packer_init(&c->pk, c->out, write_bytes);
	msgpack_pack_array(&c->pk, 4);
	msgpack_pack_uint32(&c->pk, kind);
	msgpack_pack_uint32(&c->pk, id);
	msgpack_pack_uint32(&c->pk, method);
	return encode_struct(c, s, args);
}

int
message_encode(Bytes *out, MessageKind kind, uint32_t id, Method method, const void *args, Err *e)
{
	static const uint8_t room[FRAME_HEAD];
	Encoder c = {.out = out, .e = e};
	size_t start = out->n, size;
	int rc;

	bytes_add(out, room, sizeof room);
	rc = encode_body(&c, kind, id, method, args);
	if (out->failed)
		rc = err_set(e, ERR_NOMEM, "message %s: out of memory", method_name(method));
	size = out->n - start - (out->failed ? 0 : FRAME_HEAD);
	if (rc == OK && size > FRAME_MAX)
		rc = err_set(e, ERR_INPUT, "message %s: %zu bytes, at most %d", method_name(method),
			     size, FRAME_MAX);
	if (rc == OK &&
	    schema_weight(schema_of(kind, method), args) > DECODE_TIMES * size + DECODE_MORE)
		rc = err_set(e, ERR_INPUT, "message %s: more than %d times its length in memory",
			     method_name(method), DECODE_TIMES);
	if (rc) {
		out->n = start;
		out->failed = false;
		return rc;
	}
	for (int i = 0; i < FRAME_HEAD; i++)
		out->p[start + (size_t)i] = (uint8_t)(size >> 8 * i);
	return OK;
}
