/* The few shapes that charts are made of. Places are in user units with y downwards; colours are
 * classes of page.css, so that they follow light and dark. */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include "base/str.h"
#include "report/scale.h"

/* A frame with axes. */
typedef struct Plot {
	Scale x, y;
	const char *x_title, *y_title; /* written as they are */
	int width, height;
} Plot;

enum { PLOT_LEFT = 52, PLOT_RIGHT = 14, PLOT_TOP = 12, PLOT_BOTTOM = 38 };

/* Ranges of the data to be shown. */
typedef struct PlotRange {
	bool log;
	double lo, hi;
	const char *title;
} PlotRange;

Plot plot_init(int width, int height, PlotRange x, PlotRange y);

/* <svg>, grid, ticks and titles; name is for those who cannot see it. */
void plot_begin(const Plot *p, const char *name, Str *out);
void plot_end(Str *out);

void plot_line(const Plot *p, double x0, double y0, double x1, double y1, const char *class,
	       Str *out);
/* A dot at data x, y. tip: already escaped text that is shown when pointed at, or NULL. */
void plot_dot(const Plot *p, double x, double y, double radius, const char *class, const char *tip,
	      Str *out);

/* A path through points, one after the other: "M", then "L", or steps where the value holds until
 * the next point. */
typedef struct PlotPath {
	const Plot *p;
	Str *out;
	bool steps, begun;
} PlotPath;

PlotPath path_begin(const Plot *p, bool steps, const char *class, Str *out);
void path_to(PlotPath *path, double x, double y);
void path_end(PlotPath *path);

#endif
