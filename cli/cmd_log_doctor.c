/* hone log doctor: what is odd about a log, and what to do about it. */
#include <stdio.h>
#include <string.h>

#include "base/hardware.h"
#include "cli/finding.h"
#include "cli/log_commands.h"
#include "codegen/emit.h"
#include "wire/status.h"

static const double DRIFT = 0.1;        /* between sessions, of the highest */
static const int64_t MUCH_FREE = 4;     /* a fourth of the file */
static const int64_t LARGE = 100 << 20; /* bytes */

typedef struct Doctor {
	const char *path;
	Log *l;
	Arena *a;
	Findings f;
} Doctor;

static int
check_whole(Doctor *d, Err *e)
{
	Err own = {0};
	int64_t owner = 0;

	if (log_check(d->l, &own))
		finding_add(&d->f, VERDICT_PROBLEM, "file",
			    "export what can be read, and import it into a new one", "%s", own.msg);
	else
		finding_add(&d->f, VERDICT_OK, "file", "", "%s: sound", d->path);
	if (log_owner(d->path, &owner, e))
		return e->code;
	if (owner)
		finding_add(&d->f, VERDICT_NOTE, "owner", "another tune would be refused",
			    "process %lld is writing", (long long)owner);
	return OK;
}

/* "a (12), b (3) and 2 more" */
static const char *
listed(Arena *a, const LogCount *c, int n)
{
	Str s = {0};
	const char *kept;

	for (int i = 0; i < n && i < 3; i++)
		str_printf(&s, "%s%s (%lld)", i ? ", " : "", *c[i].value ? c[i].value : "none",
			   (long long)c[i].rows);
	if (n > 3)
		str_printf(&s, " and %d more", n - 3);
	kept = arena_strdup(a, str_get(&s));
	str_fini(&s);
	return kept;
}

/* Rows of other versions than `mine`, which may be "" when it is not known. */
static int
check_version(Doctor *d, const char *column, const char *topic, const char *mine, Err *e)
{
	VEC(LogCount) other = {0};
	LogCount *c;
	int n, rc = log_tally(d->l, d->a, column, &c, &n, e);

	for (int i = 0; i < n && !rc; i++)
		if (strcmp(c[i].value, mine) != 0)
			vec_push(d->a, &other, c[i]);
	if (!rc && other.n && *mine)
		finding_add(
			&d->f, VERDICT_NOTE, topic,
			"the same schedule may give other code now: tune again what matters, or "
			"forget them by --before",
			"rows of other versions: %s; this one is %s",
			listed(d->a, other.v, other.n), mine);
	else if (!rc)
		finding_add(&d->f, VERDICT_OK, topic, "", "%s", n ? listed(d->a, c, n) : "no rows");
	return rc;
}

static int
check_versions(Doctor *d, Err *e)
{
	Target host;
	Emit *emit = NULL;
	Err ignored = {0};
	const char *llvm = "";
	int rc;

	if (!target_host(&host, &ignored) && !emit_open("llvm", &host, &emit, &ignored))
		llvm = arena_strdup(d->a, emit_version(emit));
	emit_close(emit);
	rc = check_version(d, "generator", "generator", HONE_VERSION, e);
	return rc ? rc : check_version(d, "llvm", "compiler", llvm, e);
}

static int
check_devices(Doctor *d, Err *e)
{
	LogDrift *x;
	LogCount *c;
	int n, rc = log_tally(d->l, d->a, "device", &c, &n, e);

	for (int i = 0; i < n && !rc; i++)
		if (!strncmp(c[i].value, DEVICE_EMULATED, sizeof DEVICE_EMULATED - 1))
			finding_add(&d->f, VERDICT_NOTE, "emulated",
				    "they count for that emulated machine only; forget --device "
				    "emulated "
				    "when it is gone",
				    "%lld rows of %s", (long long)c[i].rows, c[i].value);
	if (!rc)
		rc = log_drifts(d->l, d->a, &x, &n, e);
	for (int i = 0; i < n && !rc; i++) {
		double apart = 1 - x[i].lowest / x[i].highest;

		finding_add(&d->f, apart > DRIFT ? VERDICT_NOTE : VERDICT_OK, "calibration",
			    apart > DRIFT ? "times of different sessions do not compare; races do. "
					    "Forget what was measured while the machine was slow"
					  : "",
			    "%s: %lld sessions, %.4g to %.4g GFLOPS, %.0f %% apart%s%s",
			    x[i].device, (long long)x[i].sessions, x[i].lowest, x[i].highest,
			    100 * apart, apart > DRIFT ? ", the least in " : "",
			    apart > DRIFT ? x[i].lowest_session : "");
	}
	return rc;
}

static int
check_access(Doctor *d, Err *e)
{
	LogCount *c;
	int n, rc = log_tally(d->l, d->a, "insecure", &c, &n, e);

	for (int i = 0; i < n && !rc; i++)
		if (!strcmp(c[i].value, "1"))
			finding_add(
				&d->f, VERDICT_NOTE, "insecure",
				"anybody could have answered: forget --insecure, and tune with a "
				"key",
				"%lld rows of agents that were open to anybody",
				(long long)c[i].rows);
	return rc;
}

static bool
is_status(const char *name)
{
	for (int i = 0; i < STATUS_COUNT; i++)
		if (!strcmp(status_name((Status)i), name))
			return true;
	return false;
}

static int
check_statuses(Doctor *d, Err *e)
{
	LogCount *c;
	int n, rc = log_tally(d->l, d->a, "status", &c, &n, e);

	for (int i = 0; i < n && !rc; i++)
		if (!is_status(c[i].value))
			finding_add(&d->f, VERDICT_NOTE, "status",
				    "a newer version wrote it, or a fault: see hone log verify",
				    "%lld rows of status '%s', which is not known here",
				    (long long)c[i].rows, c[i].value);
		else if (!strcmp(c[i].value, status_name(STATUS_STALE)))
			finding_add(&d->f, VERDICT_NOTE, "stale",
				    "they never count: forget --status STALE",
				    "%lld rows that were measured beside a lease",
				    (long long)c[i].rows);
	return rc;
}

static void
check_tasks(Doctor *d, const LogSizes *x)
{
	long long bare = (long long)(x->keys - x->keys_right);
	long long open = (long long)(x->keys_right - x->keys_won);

	finding_add(&d->f, VERDICT_OK, "rows", "", "%lld rows of %lld tasks, by device and mode",
		    (long long)x->rows, (long long)x->keys);
	if (bare > 0)
		finding_add(&d->f, VERDICT_NOTE, "no kernel",
			    "hone log show says why; compile takes the cost model's choice",
			    "%lld tasks without a right row", bare);
	if (open > 0)
		finding_add(&d->f, VERDICT_NOTE, "no winner",
			    "tune again: it goes on where it was stopped, and races the best",
			    "%lld tasks whose best was in no race", open);
	if (x->lacking)
		finding_add(&d->f, VERDICT_NOTE, "texts",
			    "tune the model again, it puts them there; see hone log verify",
			    "%lld tasks whose text is not in the log", (long long)x->lacking);
}

static double
mega(int64_t bytes)
{
	return (double)bytes / 1e6;
}

static void
check_size(Doctor *d, const LogSizes *x)
{
	bool loose = x->free > x->file / MUCH_FREE && x->free > LARGE / 100;
	bool large = x->file > LARGE;

	finding_add(
		&d->f, loose || large ? VERDICT_NOTE : VERDICT_OK, "size",
		loose   ? "hone log forget with --yes gives it back; so does a merge into a new log"
		: large ? "hone log forget --status removes failures of tasks that are decided"
			: "",
		"%.2f MB: %.2f of samples, %.2f of texts, %.2f unused; %lld rows failed beside a "
		"winner",
		mega(x->file), mega(x->samples), mega(x->texts), mega(x->free),
		(long long)x->failed);
}

static int
examine(Doctor *d, Err *e)
{
	LogSizes x;
	int rc = check_whole(d, e);

	if (!rc)
		rc = log_sizes(d->l, &x, e);
	if (!rc)
		check_tasks(d, &x);
	if (!rc)
		rc = check_versions(d, e);
	if (!rc)
		rc = check_devices(d, e);
	if (!rc)
		rc = check_access(d, e);
	if (!rc)
		rc = check_statuses(d, e);
	if (!rc)
		check_size(d, &x);
	return rc;
}

static int
run(const Args *a, Err *e)
{
	Doctor d = {.path = a->operand.v[0], .a = a->arena, .f = {.arena = a->arena}};
	int rc = log_open_read(d.path, &d.l, e);

	if (!rc)
		rc = examine(&d, e);
	log_close(d.l);
	return rc ? rc
		  : findings_end(&d.f, args_has(a, "json") ? json_object(NULL, NULL) : NULL, e);
}

static const ArgOption options[] = {
	{.name = "json", .help = "print JSON"},
	{0},
};

const Command log_doctor_command = {
	.name = "doctor",
	.summary = "Say what is odd about a log, and what to do about it",
	.operands = "LOG",
	.min = 1,
	.max = 1,
	.text = "Rows of other versions, devices whose calibration drifted, tasks without a "
		"winner,\n"
		"rows that prove little, and what takes the room. Every line is ok, a note, or a\n"
		"problem; exit status 1 when there is a problem.",
	.option = options,
	.run = run,
};
