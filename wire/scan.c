/* Pre-scan. One table says what each leading byte means; the stack holds how many values are
 * still missing at each level of nesting. */
#include "wire/scan.h"

static const char *const texts[] = {
#define X(name, text) text,
	SCAN_LIST(X)
#undef X
};

const char *
scan_text(ScanVerdict v)
{
	return v < SCAN_COUNT ? texts[v] : "?";
}

typedef enum Shape { PLAIN, TEXT, BINARY, ARRAY, MAP, BAD } Shape;

/* Leading bytes 0xc0 to 0xdf: what they start, the bytes of the length field that follows (TEXT,
 * BINARY, ARRAY, MAP) or of the payload (PLAIN). */
static const struct {
	uint8_t shape, width;
} wide[32] = {
	{PLAIN, 0},  {BAD, 0},    {PLAIN, 0},  {PLAIN, 0}, /* nil, unused, false, true */
	{BINARY, 1}, {BINARY, 2}, {BINARY, 4}, {BAD, 0},   /* bin 8, 16, 32; ext */
	{BAD, 0},    {BAD, 0},    {PLAIN, 4},  {PLAIN, 8}, /* ext; float 32, 64 */
	{PLAIN, 1},  {PLAIN, 2},  {PLAIN, 4},  {PLAIN, 8}, /* unsigned */
	{PLAIN, 1},  {PLAIN, 2},  {PLAIN, 4},  {PLAIN, 8}, /* signed */
	{BAD, 0},    {BAD, 0},    {BAD, 0},    {BAD, 0},   /* fixext */
	{BAD, 0},    {TEXT, 1},   {TEXT, 2},   {TEXT, 4},  /* fixext; str 8, 16, 32 */
	{ARRAY, 2},  {ARRAY, 4},  {MAP, 2},    {MAP, 4},
};

typedef struct Head {
	Shape shape;
	uint32_t n;    /* bytes of payload, or items, or pairs */
	size_t length; /* of the head itself */
} Head;

/* Reads the head at p; false when it reaches past the end. */
static bool
read_head(const uint8_t *p, size_t left, Head *h)
{
	uint8_t c = p[0];

	if (c < 0x80 || c >= 0xe0)
		*h = (Head){PLAIN, 0, 1};
	else if (c < 0x90)
		*h = (Head){MAP, c & 15, 1};
	else if (c < 0xa0)
		*h = (Head){ARRAY, c & 15, 1};
	else if (c < 0xc0)
		*h = (Head){TEXT, c & 31, 1};
	else {
		uint8_t width = wide[c - 0xc0].width;

		*h = (Head){(Shape)wide[c - 0xc0].shape, 0, 1};
		if (h->shape == PLAIN) {
			h->n = width;
			return true;
		}
		if (width >= left)
			return false;
		for (int i = 1; i <= width; i++)
			h->n = h->n << 8 | p[i];
		h->length += width;
	}
	return true;
}

bool
scan_utf8(const void *text, size_t n)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	const uint8_t *p = text;

	for (size_t i = 0; i < n;) {
		uint8_t c = p[i++];
		int more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
		uint32_t v = c & (more == 3 ? 7 : more == 2 ? 15 : more == 1 ? 31 : 127);

		if ((c >= 0x80 && c < 0xc0) || c >= 0xf8 || (size_t)more > n - i)
			return false;
		for (int k = 0; k < more; k++, i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			v = v << 6 | (p[i] & 63);
		}
		if (v < least[more] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
			return false;
	}
	return true;
}

typedef struct Scan {
	uint64_t missing[SCAN_DEPTH_MAX + 1]; /* values still to come; [0] is the frame's one */
	uint32_t depth;
	uint64_t elements; /* seen and announced */
} Scan;

static ScanVerdict
open_container(Scan *s, const Head *h, const ScanLimits *limits)
{
	uint64_t items = h->shape == MAP ? 2 * (uint64_t)h->n : h->n;

	if (h->shape == MAP && h->n > limits->keys)
		return SCAN_TOO_MANY_KEYS;
	if (s->depth >= limits->depth || s->depth >= SCAN_DEPTH_MAX)
		return SCAN_TOO_DEEP;
	s->elements += items;
	if (s->elements > limits->elements)
		return SCAN_TOO_MANY;
	s->missing[++s->depth] = items;
	return SCAN_FINE;
}

static ScanVerdict
skip_payload(const Head *h, const uint8_t *p, size_t left)
{
	if (h->n > left)
		return SCAN_TRUNCATED;
	return h->shape == TEXT && !scan_utf8(p, h->n) ? SCAN_BAD_TEXT : SCAN_FINE;
}

ScanVerdict
scan(const void *frame, size_t size, const ScanLimits *limits)
{
	const uint8_t *p = frame;
	Scan s = {.missing = {1}, .elements = 1};
	size_t at = 0;

	if (size > limits->bytes)
		return SCAN_TOO_LONG;
	for (;;) {
		ScanVerdict v;
		Head h;

		while (s.missing[s.depth] == 0) {
			if (s.depth == 0)
				return at == size ? SCAN_FINE : SCAN_TRAILING;
			s.depth--;
		}
		s.missing[s.depth]--;
		if (at == size || !read_head(p + at, size - at, &h))
			return SCAN_TRUNCATED;
		if (h.shape == BAD)
			return SCAN_BAD_TYPE;
		at += h.length;
		if (h.shape == ARRAY || h.shape == MAP) {
			v = open_container(&s, &h, limits);
		} else {
			v = skip_payload(&h, p + at, size - at);
			at += h.n;
		}
		if (v != SCAN_FINE)
			return v;
	}
}
