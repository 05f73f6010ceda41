/* Markup and charts. Everything that comes from a log passes text_escape. */
#include "report/svg.h"

#include <stdint.h>
#include <string.h>

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

/* --- charts --- */

Plot
plot_init(int width, int height, PlotRange x, PlotRange y)
{
	return (Plot){.x = scale_init(x.log, x.lo, x.hi, PLOT_LEFT, width - PLOT_RIGHT),
		      .y = scale_init(y.log, y.lo, y.hi, height - PLOT_BOTTOM, PLOT_TOP),
		      .x_title = x.title,
		      .y_title = y.title,
		      .width = width,
		      .height = height};
}

static void
tick(const Plot *p, double v, bool along_x, Str *out)
{
	double at = scale_at(along_x ? &p->x : &p->y, v);
	char text[NUMBER_TEXT];

	number_text(text, v);
	if (along_x)
		str_printf(out,
			   "<path class=g d='M%.1f %dV%d'/><text class=t x=%.1f y=%d "
			   "text-anchor=middle>%s</text>",
			   at, PLOT_TOP, p->height - PLOT_BOTTOM, at, p->height - PLOT_BOTTOM + 14,
			   text);
	else
		str_printf(out,
			   "<path class=g d='M%d %.1fH%d'/><text class=t x=%d y=%.1f "
			   "text-anchor=end>%s</text>",
			   PLOT_LEFT, at, p->width - PLOT_RIGHT, PLOT_LEFT - 5, at + 3.5, text);
}

void
plot_begin(const Plot *p, const char *name, Str *out)
{
	double v[TICKS_MAX];
	int n = scale_ticks(&p->x, p->width / 70, v);

	str_printf(out, "<svg viewBox='0 0 %d %d' role=img aria-label='", p->width, p->height);
	text_escape(out, name);
	str_add(out, "'>");
	for (int i = 0; i < n; i++)
		tick(p, v[i], true, out);
	n = scale_ticks(&p->y, p->height / 45, v);
	for (int i = 0; i < n; i++)
		tick(p, v[i], false, out);
	str_printf(out, "<path class=x d='M%d %dV%dH%d'/>", PLOT_LEFT, PLOT_TOP,
		   p->height - PLOT_BOTTOM, p->width - PLOT_RIGHT);
	str_printf(out, "<text class=t x=%d y=%d text-anchor=end>%s</text>", p->width - PLOT_RIGHT,
		   p->height - 8, p->x_title);
	str_printf(out, "<text class=t transform='rotate(-90)' x=%d y=12 text-anchor=end>%s</text>",
		   -PLOT_TOP, p->y_title);
}

void
plot_end(Str *out)
{
	str_add(out, "</svg>\n");
}

void
plot_line(const Plot *p, double x0, double y0, double x1, double y1, const char *class, Str *out)
{
	str_printf(out, "<path class='%s' d='M%.1f %.1fL%.1f %.1f'/>", class, scale_at(&p->x, x0),
		   scale_at(&p->y, y0), scale_at(&p->x, x1), scale_at(&p->y, y1));
}

void
plot_dot(const Plot *p, double x, double y, double radius, const char *class, const char *tip,
	 Str *out)
{
	str_printf(out, "<circle class='%s' cx=%.1f cy=%.1f r=%g>", class, scale_at(&p->x, x),
		   scale_at(&p->y, y), radius);
	if (tip)
		str_printf(out, "<title>%s</title>", tip);
	str_add(out, "</circle>");
}

PlotPath
path_begin(const Plot *p, bool steps, const char *class, Str *out)
{
	str_printf(out, "<path class='%s' d='", class);
	return (PlotPath){.p = p, .out = out, .steps = steps};
}

void
path_to(PlotPath *path, double x, double y)
{
	double px = scale_at(&path->p->x, x), py = scale_at(&path->p->y, y);

	if (!path->begun)
		str_printf(path->out, "M%.1f %.1f", px, py);
	else if (path->steps)
		str_printf(path->out, "H%.1fV%.1f", px, py);
	else
		str_printf(path->out, "L%.1f %.1f", px, py);
	path->begun = true;
}

void
path_end(PlotPath *path)
{
	str_add(path->out, "'/>");
}
