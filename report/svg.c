/* Charts. Titles of axes are constants and tips come escaped; names are escaped here. */
#include "report/svg.h"

#include "report/text.h"

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
