/* One character after the other: what is no UTF-8, controls something, or turns text around is
 * shown and not obeyed. */
#include "report/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes of the UTF-8 character at s, 0 when it is none. */
static int
utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		int n;
	} kind[] = {{0x80, 0x00, 1}, {0xe0, 0xc0, 2}, {0xf0, 0xe0, 3}, {0xf8, 0xf0, 4}};
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c;

	for (int k = 0; k < 4; k++) {
		int n = kind[k].n;

		if ((s[0] & kind[k].mask) != kind[k].lead)
			continue;
		c = s[0] & (unsigned char)~kind[k].mask;
		for (int i = 1; i < n; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		return n > 1 && (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) ? 0
											      : n;
	}
	return 0;
}

/* Pictures of control characters stand at U+2400; that of DEL at U+2421. Those of the second block
 * and marks that turn text around are taken for no text. */
static bool
is_trick(const unsigned char *s, int n)
{
	uint32_t c = n == 2   ? (uint32_t)(s[0] & 0x1f) << 6 | (s[1] & 0x3f)
		     : n == 3 ? (uint32_t)(s[0] & 0xf) << 12 | (uint32_t)(s[1] & 0x3f) << 6 |
					(s[2] & 0x3f)
			      : 0;

	return (c >= 0x80 && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfffe || c == 0xffff;
}

/* Appends one character of text, made harmless; returns how many bytes of it were read. */
static int
add_character(Str *out, const unsigned char *s)
{
	int n = utf8_length(s);

	if (!n || is_trick(s, n)) {
		str_add(out, "\xef\xbf\xbd");
		return n ? n : 1;
	}
	if (n == 1 && (*s < 32 || *s == 127)) {
		char picture[] = {'\xe2', '\x90', (char)(*s == 127 ? 0xa1 : 0x80 + *s), 0};

		str_add(out, picture);
		return 1;
	}
	str_addn(out, (const char *)s, (size_t)n);
	return n;
}

void
text_escape(Str *out, const char *text)
{
	static const struct {
		char c;
		const char *to;
	} list[] = {{'&', "&amp;"},  {'<', "&lt;"},  {'>', "&gt;"}, {'"', "&quot;"},
		    {'\'', "&#39;"}, {'`', "&#96;"}, {'\n', "\n"}};
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		size_t i = 0;

		while (i < sizeof list / sizeof *list && list[i].c != (char)*s)
			i++;
		if (i < sizeof list / sizeof *list) {
			str_add(out, list[i].to);
			s++;
		} else {
			s += add_character(out, s);
		}
	}
}

int
text_plain(Str *out, const char *text, int columns)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t cut = out->n;
	int used = 0;

	for (; *s && used < columns; used++) {
		if (used == columns - 3)
			cut = out->n;
		if (*s == '\n') {
			str_add(out, s[1] ? ";" : "");
			s++;
		} else {
			s += add_character(out, s);
		}
	}
	if (*s && columns > 3) {
		out->n = cut;
		out->s[cut] = 0;
		str_add(out, "...");
	}
	return used;
}

const char *
number_text(char out[NUMBER_TEXT], double v)
{
	static const struct {
		double unit;
		const char *text;
	} list[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
	double size = fabs(v);

	if (!(size < 1e16)) {
		snprintf(out, NUMBER_TEXT, "-");
		return out;
	}
	for (int i = 0; i < 4; i++)
		if (size >= list[i].unit * 0.9995) {
			snprintf(out, NUMBER_TEXT, "%.3g%s", v / list[i].unit, list[i].text);
			return out;
		}
	snprintf(out, NUMBER_TEXT, "%.3g", v);
	return out;
}

const char *
duration_text(char out[NUMBER_TEXT], double ns)
{
	static const struct {
		double ns;
		const char *unit;
	} list[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
	int i = 0;

	while (i < 3 && ns < list[i].ns * 0.9995)
		i++;
	if (ns > 0 && ns < 1e18)
		snprintf(out, NUMBER_TEXT, ns >= 999.5e9 ? "%.0f %s" : "%.3g %s", ns / list[i].ns,
			 list[i].unit);
	else
		snprintf(out, NUMBER_TEXT, "-");
	return out;
}
