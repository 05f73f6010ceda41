/* Unpacking of ONNX files, and tensors in their three encodings: raw bytes, a typed list, a file.
 *
 * The unpacker of protobuf-c recurses without a limit, so nesting is measured first.
 */
#include "graph/onnx_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NESTING_MAX = 100 };

typedef struct Bytes {
	const uint8_t *p, *end;
} Bytes;

static bool
take_varint(Bytes *b, uint64_t *v)
{
	*v = 0;
	for (int shift = 0; shift < 64 && b->p < b->end; shift += 7) {
		uint8_t c = *b->p++;

		*v |= (uint64_t)(c & 127) << shift;
		if (!(c & 128))
			return true;
	}
	return false;
}

static bool
skip(Bytes *b, uint64_t n)
{
	if (n > (uint64_t)(b->end - b->p))
		return false;
	b->p += n;
	return true;
}

/* Whether the bytes have the form of a message and nest at most `depth` deep. */
static bool
scan(const ProtobufCMessageDescriptor *d, Bytes b, int depth)
{
	enum { VARINT, FIXED64, LENGTH, FIXED32 = 5 };

	while (b.p < b.end) {
		const ProtobufCFieldDescriptor *f;
		uint64_t tag, n;
		bool ok;

		if (!take_varint(&b, &tag))
			return false;
		switch (tag & 7) {
		case VARINT: ok = take_varint(&b, &n); break;
		case FIXED64: ok = skip(&b, 8); break;
		case FIXED32: ok = skip(&b, 4); break;
		case LENGTH:
			f = protobuf_c_message_descriptor_get_field(d, (unsigned)(tag >> 3));
			ok = take_varint(&b, &n) && skip(&b, n);
			if (ok && f && f->type == PROTOBUF_C_TYPE_MESSAGE)
				ok = depth > 0 &&
				     scan(f->descriptor, (Bytes){b.p - n, b.p}, depth - 1);
			break;
		default: ok = false;
		}
		if (!ok)
			return false;
	}
	return true;
}

static void *
take_memory(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void
leave_memory(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

static void *
unpack(Arena *a, const ProtobufCMessageDescriptor *d, const void *bytes, size_t size)
{
	ProtobufCAllocator alloc = {take_memory, leave_memory, a};

	if (!scan(d, (Bytes){bytes, (const uint8_t *)bytes + size}, NESTING_MAX))
		return NULL;
	return protobuf_c_message_unpack(d, &alloc, size, bytes);
}

int
onnx_unpack_model(Arena *a, const void *bytes, size_t size, Onnx__ModelProto **out, Err *e)
{
	*out = unpack(a, &onnx__model_proto__descriptor, bytes, size);
	return *out ? OK : err_set(e, ERR_INPUT, "no ONNX model: the bytes are not a ModelProto");
}

int
onnx_unpack_tensor(Arena *a, const void *bytes, size_t size, Onnx__TensorProto **out, Err *e)
{
	*out = unpack(a, &onnx__tensor_proto__descriptor, bytes, size);
	return *out ? OK : err_set(e, ERR_INPUT, "no ONNX tensor: the bytes are not a TensorProto");
}

const char *
onnx_type_name(int64_t number)
{
	static const char *const name[] = {
		"undefined",      "float32",  "uint8",        "int8",           "uint16",
		"int16",          "int32",    "int64",        "string",         "bool",
		"float16",        "float64",  "uint32",       "uint64",         "complex64",
		"complex128",     "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
		"float8e5m2fnuz", "uint4",    "int4",         "float4e2m1",
	};

	if (number < 0 || (size_t)number >= sizeof name / sizeof *name)
		return "unknown";
	return name[number];
}

/* The list that holds elements of v's type. */
static void
typed_list(const Onnx__TensorProto *t, DType type, const void **list, size_t *n, size_t *size)
{
	switch (type) {
	case DT_F32: *list = t->float_data, *n = t->n_float_data, *size = 4; break;
	case DT_F64: *list = t->double_data, *n = t->n_double_data, *size = 8; break;
	case DT_I64: *list = t->int64_data, *n = t->n_int64_data, *size = 8; break;
	case DT_U32:
	case DT_U64: *list = t->uint64_data, *n = t->n_uint64_data, *size = 8; break;
	default: *list = t->int32_data, *n = t->n_int32_data, *size = 4;
	}
}

typedef struct External {
	const char *location;
	int64_t offset, length; /* length -1: to the end */
} External;

static bool
parse_size(const char *text, int64_t *v)
{
	*v = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || *v > INT64_MAX / 10 - 1)
			return false;
		*v = *v * 10 + (*text - '0');
	}
	return true;
}

/* Relative, and no part of it is "..". */
static bool
stays_inside(const char *path)
{
	if (!*path || *path == '/')
		return false;
	while (*path) {
		size_t n = strcspn(path, "/\\");

		if (n == 2 && path[0] == '.' && path[1] == '.')
			return false;
		path += n + (path[n] != 0);
	}
	return true;
}

static int
external_init(const Onnx__TensorProto *t, External *x, Err *e)
{
	*x = (External){.location = "", .length = -1};
	for (size_t i = 0; i < t->n_external_data; i++) {
		const char *key = onnx_text(t->external_data[i]->key);
		const char *text = onnx_text(t->external_data[i]->value);
		bool ok = true;

		if (!strcmp(key, "location"))
			x->location = text;
		else if (!strcmp(key, "offset"))
			ok = parse_size(text, &x->offset);
		else if (!strcmp(key, "length"))
			ok = parse_size(text, &x->length);
		if (!ok)
			return err_set(e, ERR_INPUT, "external data: %s is '%s', expected a number",
				       key, text);
	}
	if (!stays_inside(x->location))
		return err_set(e, ERR_INPUT,
			       "external data: location '%s' is not below the model's folder",
			       x->location);
	return OK;
}

static bool
is_external(const Onnx__TensorProto *t)
{
	return t->has_data_location &&
	       t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

/* Opens the tensor's file and makes sure that it holds `size` bytes at x->offset. */
static int
external_open(const Onnx__TensorProto *t, size_t size, const char *dir, External *x, int *fd,
	      Err *e)
{
	Str path = {0};
	struct stat st;
	int rc;

	if (!dir)
		return err_set(e, ERR_UNSUPPORTED, "external data of a model that is not a file");
	rc = external_init(t, x, e);
	if (rc)
		return rc;
	if (x->length >= 0 && (uint64_t)x->length != size)
		return err_set(e, ERR_INPUT, "external data: %lld bytes, the shape says %zu",
			       (long long)x->length, size);
	str_printf(&path, "%s/%s", dir, x->location);
	*fd = open(path.s, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		rc = err_set(e, ERR_IO, "%s: %s", path.s, strerror(errno));
	else if (fstat(*fd, &st) || !S_ISREG(st.st_mode))
		rc = err_set(e, ERR_IO, "%s: not a regular file", path.s);
	else if (st.st_size < x->offset || (uint64_t)(st.st_size - x->offset) < size)
		rc = err_set(e, ERR_INPUT, "%s: %zu bytes at %lld are beyond its end", path.s, size,
			     (long long)x->offset);
	if (rc && *fd >= 0)
		close(*fd);
	str_fini(&path);
	return rc;
}

static int
check_contents(const Onnx__TensorProto *t, const Value *v, const char *dir, Err *e)
{
	size_t n, size, bytes = value_bytes(v);
	const void *list;
	External x;
	int fd, rc;

	if (is_external(t)) {
		rc = external_open(t, bytes, dir, &x, &fd, e);
		if (rc == OK)
			close(fd);
		return rc;
	}
	if (t->has_raw_data)
		return t->raw_data.len == bytes
			       ? OK
			       : err_set(e, ERR_INPUT, "%zu bytes of contents, the shape says %zu",
					 t->raw_data.len, bytes);
	typed_list(t, v->type, &list, &n, &size);
	return n == (size_t)value_count(v)
		       ? OK
		       : err_set(e, ERR_INPUT, "%zu elements, the shape says %lld", n,
				 (long long)value_count(v));
}

int
onnx_tensor_shape(const Onnx__TensorProto *t, const char *dir, Value *v, Err *e)
{
	int rc;

	if (!dtype_from_onnx(t->data_type, &v->type))
		return err_set(e, ERR_UNSUPPORTED, "element type %s", onnx_type_name(t->data_type));
	if (t->segment)
		return err_set(e, ERR_UNSUPPORTED, "a tensor in segments");
	if (t->n_dims > KERNEL_RANK_MAX)
		return shape_check((int)t->n_dims, NULL, e);
	v->rank = (int)t->n_dims;
	for (int i = 0; i < v->rank; i++)
		v->dim[i] = t->dims[i];
	rc = shape_check(v->rank, v->dim, e);
	return rc ? rc : check_contents(t, v, dir, e);
}

static int
read_external(const Onnx__TensorProto *t, size_t size, const char *dir, char *dst, Err *e)
{
	size_t got = 0;
	ssize_t n = 1;
	External x;
	int fd, rc = external_open(t, size, dir, &x, &fd, e);

	if (rc)
		return rc;
	while (got < size && n > 0) {
		n = pread(fd, dst + got, size - got, x.offset + (off_t)got);
		got += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	return got == size ? OK : err_set(e, ERR_IO, "%s/%s: cut off", dir, x.location);
}

int
onnx_tensor_data(const Onnx__TensorProto *t, const char *dir, const Value *v, void *dst, Err *e)
{
	size_t n, size, own = dtype_size(v->type), bytes = value_bytes(v);
	const void *list;

	if (is_external(t))
		return read_external(t, bytes, dir, dst, e);
	if (t->has_raw_data) {
		if (bytes)
			memcpy(dst, t->raw_data.data, bytes);
		return OK;
	}
	typed_list(t, v->type, &list, &n, &size);
	for (size_t i = 0; i < n; i++) /* narrower types: little-endian, the low bytes come first */
		memcpy((char *)dst + i * own, (const char *)list + i * size, own);
	return OK;
}
