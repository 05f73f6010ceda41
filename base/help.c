/* Help in two columns: what is typed, what it does. */
#include "base/help.h"

#include <string.h>

enum { COLUMN = 32, WIDTH = 79 };

static void
print_wrapped(const char *text, int column, FILE *out)
{
	const char *gap = "";

	while (*text) {
		size_t n = strcspn(text, " ");

		if (*gap && column + 1 + (int)n > WIDTH) {
			fprintf(out, "\n%*s", COLUMN, "");
			column = COLUMN;
			gap = "";
		}
		column += fprintf(out, "%s%.*s", gap, (int)n, text);
		gap = " ";
		text += n + (text[n] != 0);
	}
	fputc('\n', out);
}

void
help_entry(const char *head, const char *text, FILE *out)
{
	int n = fprintf(out, "  %-*s", COLUMN - 2, head);

	if (strlen(head) + 3 > COLUMN)
		n = fprintf(out, "\n%*s", COLUMN, "") - 1;
	print_wrapped(text, n, out);
}
