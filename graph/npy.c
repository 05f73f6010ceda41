/* NumPy's .npy files: a magic, a header that is a Python dictionary literal, and raw elements.
 *
 * The header parser takes what NumPy writes: the three keys in any order, single or double quotes,
 * blanks anywhere. Nothing in a file is believed before it was compared with the file's size.
 */
#include "graph/npy.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "graph/graph.h"

enum { MAGIC_SIZE = 6, HEADER_ALIGN = 64 };

static const char magic[] = "\x93NUMPY";

typedef struct Header {
	char descr[16];
	bool fortran, has_descr, has_order, has_shape;
	int rank;
	int64_t dim[KERNEL_RANK_MAX];
} Header;

void
npy_fini(Npy *t)
{
	free(t->data);
	*t = (Npy){0};
}

int64_t
npy_count(const Npy *t)
{
	int64_t n = 1;

	for (int i = 0; i < t->rank; i++)
		n *= t->dim[i];
	return n;
}

size_t
npy_bytes(const Npy *t)
{
	return (size_t)npy_count(t) * dtype_size(t->type);
}

int
npy_init(Npy *t, DType type, int rank, const int64_t *dim, Err *e)
{
	size_t size;

	*t = (Npy){.type = type};
	if (shape_check(rank, dim, e))
		return ERR_UNSUPPORTED;
	t->rank = rank;
	for (int i = 0; i < rank; i++)
		t->dim[i] = dim[i];
	size = (npy_bytes(t) + 64) & ~(size_t)63;
	t->data = aligned_alloc(64, size);
	if (!t->data)
		return err_set(e, ERR_NOMEM, "a tensor of %zu bytes", size);
	memset(t->data, 0, size);
	return OK;
}

static void
skip_blanks(const char **p)
{
	*p += strspn(*p, " \t\r\n");
}

static bool
take(const char **p, char c)
{
	skip_blanks(p);
	if (**p != c)
		return false;
	++*p;
	return true;
}

/* A quoted text into out; cut off text is no text. */
static bool
take_text(const char **p, char *out, size_t size)
{
	const char *end;
	char quote;

	skip_blanks(p);
	quote = **p;
	if (quote != '\'' && quote != '"')
		return false;
	end = strchr(*p + 1, quote);
	if (!end || (size_t)(end - *p) > size)
		return false;
	memcpy(out, *p + 1, (size_t)(end - *p - 1));
	out[end - *p - 1] = 0;
	*p = end + 1;
	return true;
}

static bool
take_bool(const char **p, bool *v)
{
	skip_blanks(p);
	*v = !strncmp(*p, "True", 4);
	if (!*v && strncmp(*p, "False", 5))
		return false;
	*p += *v ? 4 : 5;
	return true;
}

static bool
take_shape(const char **p, Header *h)
{
	if (!take(p, '('))
		return false;
	while (!take(p, ')')) {
		int64_t d = 0;

		if (**p < '0' || **p > '9' || h->rank == KERNEL_RANK_MAX)
			return false;
		for (; **p >= '0' && **p <= '9'; ++*p)
			d = d <= DIM_MAX ? d * 10 + (**p - '0') : d;
		if (**p == 'L') /* Python 2 wrote long numbers so */
			++*p;
		h->dim[h->rank++] = d;
		if (!take(p, ',') && *(skip_blanks(p), *p) != ')')
			return false;
	}
	return true;
}

static bool
parse_header(const char *p, Header *h)
{
	char key[16];

	if (!take(&p, '{'))
		return false;
	while (!take(&p, '}')) {
		bool ok = take_text(&p, key, sizeof key) && take(&p, ':');

		if (ok && !strcmp(key, "descr") && !h->has_descr)
			ok = h->has_descr = take_text(&p, h->descr, sizeof h->descr);
		else if (ok && !strcmp(key, "fortran_order") && !h->has_order)
			ok = h->has_order = take_bool(&p, &h->fortran);
		else if (ok && !strcmp(key, "shape") && !h->has_shape)
			ok = h->has_shape = take_shape(&p, h);
		else
			ok = false;
		if (!ok || (!take(&p, ',') && *(skip_blanks(&p), p) != '}'))
			return false;
	}
	return h->has_descr && h->has_order && h->has_shape;
}

static int
type_from_descr(const char *descr, DType *type, Err *e)
{
	for (int i = 0; i < DT_COUNT; i++) {
		const char *own = dtype_npy((DType)i);

		/* '=' and '|' mean nothing else here than '<' */
		if (!strcmp(own + 1, descr + 1) && strchr("<=|", descr[0]) && descr[0]) {
			*type = (DType)i;
			return OK;
		}
	}
	if (descr[0] == '>')
		return err_set(e, ERR_UNSUPPORTED, "big-endian elements '%s'", descr);
	return err_set(e, ERR_UNSUPPORTED, "element type '%s'", descr);
}

/* Column-major src into row-major dst. */
static void
transpose(const Npy *t, const char *src)
{
	size_t size = dtype_size(t->type);
	int64_t stride[KERNEL_RANK_MAX], at[KERNEL_RANK_MAX] = {0}, from = 0, step = 1;

	for (int i = 0; i < t->rank; i++) {
		stride[i] = step;
		step *= t->dim[i];
	}
	for (int64_t n = 0; n < step; n++) {
		memcpy((char *)t->data + (size_t)n * size, src + (size_t)from * size, size);
		for (int i = t->rank - 1; i >= 0; i--) {
			from += stride[i];
			if (++at[i] < t->dim[i])
				break;
			from -= stride[i] * t->dim[i];
			at[i] = 0;
		}
	}
}

/* Where the header's text begins and ends within the file. */
static int
find_header(const unsigned char *b, size_t size, size_t *begin, size_t *end, Err *e)
{
	size_t len;

	if (size < MAGIC_SIZE + 4 || memcmp(b, magic, MAGIC_SIZE))
		return err_set(e, ERR_INPUT, "no .npy file: the magic is missing");
	if (b[6] < 1 || b[6] > 3)
		return err_set(e, ERR_UNSUPPORTED, ".npy version %d.%d, expected 1.0 to 3.0", b[6],
			       b[7]);
	*begin = b[6] == 1 ? 10 : 12;
	if (size < *begin)
		return err_set(e, ERR_INPUT, ".npy header is cut off");
	len = b[8] | (size_t)b[9] << 8;
	if (b[6] > 1)
		len |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
	if (len > size - *begin)
		return err_set(e, ERR_INPUT, ".npy header of %zu bytes in a file of %zu", len,
			       size);
	*end = *begin + len;
	return OK;
}

int
npy_decode(const void *bytes, size_t size, Npy *t, Err *e)
{
	Header h = {0};
	Npy want = {0};
	size_t begin = 0, end = 0;
	Str text = {0};
	DType type = DT_F32;
	bool ok;
	int rc;

	*t = (Npy){0};
	rc = find_header(bytes, size, &begin, &end, e);
	if (rc)
		return rc;
	str_addn(&text, (const char *)bytes + begin, end - begin);
	ok = parse_header(text.s, &h);
	str_fini(&text);
	if (!ok)
		return err_set(e, ERR_INPUT, ".npy header is not the expected dictionary");
	if (type_from_descr(h.descr, &type, e) || shape_check(h.rank, h.dim, e))
		return ERR_UNSUPPORTED;
	want.type = type;
	want.rank = h.rank;
	memcpy(want.dim, h.dim, sizeof want.dim);
	if (size - end != npy_bytes(&want))
		return err_set(e, ERR_INPUT, ".npy holds %zu bytes of elements, expected %zu",
			       size - end, npy_bytes(&want));
	rc = npy_init(t, type, h.rank, h.dim, e);
	if (rc)
		return rc;
	if (h.fortran && h.rank > 1)
		transpose(t, (const char *)bytes + end);
	else
		memcpy(t->data, (const char *)bytes + end, size - end);
	return OK;
}

int
npy_read(const char *path, Npy *t, Err *e)
{
	size_t size;
	char *bytes;
	int rc = file_read(path, (size_t)1 << 34, &bytes, &size, e);

	*t = (Npy){0};
	if (rc)
		return rc;
	rc = npy_decode(bytes, size, t, e);
	free(bytes);
	if (rc)
		err_prefix(e, "%s: ", path);
	return rc;
}

int
npy_write(const char *path, const Npy *t, Err *e)
{
	Str s = {0};
	size_t len;
	int rc;

	str_addn(&s, magic, MAGIC_SIZE);
	str_addn(&s, "\x01\x00\x00\x00", 4);
	str_printf(&s, "{'descr': '%s', 'fortran_order': False, 'shape': (", dtype_npy(t->type));
	for (int i = 0; i < t->rank; i++)
		str_printf(&s, "%s%lld", i ? ", " : "", (long long)t->dim[i]);
	str_add(&s, t->rank == 1 ? ",), }" : "), }");
	while ((s.n + 1) % HEADER_ALIGN)
		str_add(&s, " ");
	str_add(&s, "\n");
	len = s.n - 10;
	s.s[8] = (char)(len & 255);
	s.s[9] = (char)(len >> 8);
	str_addn(&s, t->data, npy_bytes(t));
	rc = file_write(path, s.s, s.n, e);
	str_fini(&s);
	return rc;
}
