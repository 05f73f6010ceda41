/* The peak is what the agent's calibration loop says. A spill is seen in the listing of the object,
 * so that it is a statement about the code that was timed. */
#include "bench/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc_server/calibrate.h"

enum { LABEL_MAX = 32 };

double
bench_peak_gflops(void)
{
	return calibrate_gflops();
}

static const char *
next_line(const char *at)
{
	const char *end = strchr(at, '\n');

	return end ? end + 1 : at + strlen(at);
}

/* The label that a line jumps to: false when it does not jump. */
static bool
jump_of(const char *line, char label[LABEL_MAX])
{
	return sscanf(line, " j%*[a-z] %31[.A-Za-z0-9_]", label) == 1;
}

/* Where `label:` stands before `line`, or NULL. */
static const char *
label_before(const char *text, const char *line, const char *label)
{
	size_t n = strlen(label);

	for (const char *at = text; at < line; at = next_line(at))
		if (!strncmp(at, label, n) && at[n] == ':')
			return at;
	return NULL;
}

static bool
in_line(const char *line, const char *end, const char *word)
{
	const char *at = strstr(line, word);

	return at && at < end;
}

int
bench_spills(const char *assembly)
{
	const char *inner = NULL; /* start of the newest loop that is closed */
	int total = 0;

	for (const char *line = assembly; *line; line = next_line(line)) {
		char label[LABEL_MAX];
		const char *head;
		int spills = 0;
		bool fma = false;

		if (!jump_of(line, label) || !(head = label_before(assembly, line, label)) ||
		    (inner && inner >= head))
			continue;
		inner = head;
		for (const char *at = head; at < line; at = next_line(at)) {
			const char *end = next_line(at);
			bool wide = in_line(at, end, "%zmm") || in_line(at, end, "%ymm");

			fma |= in_line(at, end, "vfmadd");
			spills += wide && (in_line(at, end, "(%rsp") || in_line(at, end, "(%rbp"));
		}
		total += fma ? spills : 0;
	}
	return total;
}

bool
bench_wanted(const char *name, int n, char **list)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return n == 0;
}

static void
take_out(int *argc, char **argv, int at, int n)
{
	for (int i = at; i + n <= *argc; i++)
		argv[i] = argv[i + n];
	*argc -= n;
}

bool
bench_flag(int *argc, char **argv, const char *name)
{
	for (int i = 1; i < *argc; i++)
		if (!strcmp(argv[i], name)) {
			take_out(argc, argv, i, 1);
			return true;
		}
	return false;
}

const char *
bench_text(int *argc, char **argv, const char *name)
{
	for (int i = 1; i + 1 < *argc; i++)
		if (!strcmp(argv[i], name)) {
			const char *text = argv[i + 1];

			take_out(argc, argv, i, 2);
			return text;
		}
	return NULL;
}

int
bench_number(int *argc, char **argv, const char *name, int otherwise)
{
	const char *text = bench_text(argc, argv, name);

	return text ? atoi(text) : otherwise;
}

void
bench_one_line(const char *sched, char *out, int room)
{
	int n = 0;

	if (!strncmp(sched, "direct\n", 7))
		sched += 7;
	for (; *sched && n < room - 3; sched++)
		if (*sched != '\n')
			out[n++] = *sched;
		else if (sched[1])
			n += snprintf(out + n, (size_t)(room - n), "; ");
	out[n] = 0;
}
