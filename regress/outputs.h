/* Outputs: one Result in the forms that people, pipelines and other programs read. One function,
 * one file, one line of the table each. Nothing is measured or decided here. */
#ifndef REGRESS_OUTPUTS_H
#define REGRESS_OUTPUTS_H

#include "base/str.h"
#include "regress/result.h"

typedef struct RegressView {
	int width;  /* columns of a terminal; at least 80 */
	bool color; /* escape sequences */
} RegressView;

/* name of --format, function, usual name of the file, what reads it */
#define REGRESS_OUTPUT_LIST(X)                                                              \
	X(terminal, "-", "people")                                                          \
	X(json, "regress.json", "programs: everything, every pair (docs/regress_forms.md)") \
	X(junit, "regress.xml", "pipelines: JUnit XML, a case a kernel")                    \
	X(markdown, "regress.md", "summaries of a pipeline's step")                         \
	X(github, "-", "GitHub Actions: annotations on standard output")                    \
	X(sarif, "regress.sarif", "code scanning: SARIF 2.1.0")                             \
	X(csv, "regress.csv", "spreadsheets: a row a kernel")                               \
	X(html, "regress.html", "people: a page with the pairs and the history of each kernel")

typedef void RegressWrite(const RegressResult *r, const RegressView *v, Arena *a, Str *out);

#define X(name, file, text) RegressWrite regress_##name;
REGRESS_OUTPUT_LIST(X)
#undef X

typedef struct RegressOutput {
	const char *name, *file, *text;
	RegressWrite *write;
} RegressOutput;

const RegressOutput *regress_output(int i);               /* NULL behind the last */
const RegressOutput *regress_output_of(const char *name); /* NULL: no such format */

#endif
