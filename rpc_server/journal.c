/* The journal's files and rules.
 *
 * Invariants: `disk` is what the file `running` holds, as far as `certain` says so; the file is as
 * long as it ever gets, so that writing to it needs no room. The list in memory is the truth;
 * `unsaved` when the file `poison` lags behind. One agent has the folder: it holds a lock on the
 * file `lock`.
 *
 * One record names all candidates of a batch, so there is one sync per batch: a sync takes from 0.1
 * to 5 ms on good disks and more on cards, a trial about 30. Which of them runs is written without
 * one. That is lost with the board, so a reset makes all of them suspects; they then run with a
 * record of their own, which tells the one from the others. */
#include "rpc_server/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folders.h"
#include "base/str.h"
#include "rpc_server/poison.h"
#include "rpc_server/record.h"

enum { PATH_ROOM = FOLDER_MAX + 32, LOCK_TRIES = 100, LOCK_PAUSE_NS = 20000000 };

struct Journal {
	char folder[FOLDER_MAX], boot[RECORD_BOOT];
	void *self;
	void (*note)(void *self, const char *line);
	int fd, lock;
	Record disk;
	bool certain, unsaved;
	bool lost[2]; /* the last write of record, of list failed, and that was told */
	PoisonList list;
	char text[POISON_TEXT]; /* of a file on its way */
};

static void note(const Journal *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
note(const Journal *j, const char *fmt, ...)
{
	char line[ERR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	if (j->note)
		j->note(j->self, line);
}

static void
path_of(const Journal *j, const char *name, char path[PATH_ROOM])
{
	snprintf(path, PATH_ROOM, "%s/%s", j->folder, name);
}

/* --- writing --- */

static bool
sync_folder(const Journal *j)
{
	int fd = open(j->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The whole file or what was there before, whatever happens meanwhile. */
static bool
replace_file(const Journal *j, const char *name, const char *text, size_t n)
{
	char path[PATH_ROOM], fresh[PATH_ROOM + 1];
	bool ok;
	int fd;

	path_of(j, name, path);
	snprintf(fresh, sizeof fresh, "%s~", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	ok = fd_write(fd, text, n) && fsync(fd) == 0;
	ok &= close(fd) == 0;
	ok = ok && rename(fresh, path) == 0;
	if (!ok) {
		int why = errno;

		unlink(fresh);
		errno = why;
	}
	return ok && sync_folder(j);
}

/* Tells the first failure in a row, and its end. */
static bool
wrote(Journal *j, bool *lost, bool ok)
{
	if (!ok && !*lost)
		note(j,
		     "journal in %s: %s; candidates run, but a reset by one of them may go "
		     "unnoticed",
		     j->folder, strerror(errno));
	else if (ok && *lost)
		note(j, "journal in %s: is written again", j->folder);
	*lost = !ok;
	return ok;
}

static void
save_list(Journal *j)
{
	if (j->unsaved)
		j->unsaved =
			!wrote(j, &j->lost[1],
			       replace_file(j, "poison", j->text, poison_print(&j->list, j->text)));
}

/* Puts a record on disk unless it is there. */
static void
save_record(Journal *j, const Record *r)
{
	char text[RECORD_BYTES];
	ssize_t n;

	if (j->certain && r->n == j->disk.n && !memcmp(r->run, j->disk.run, r->n * sizeof *r->run))
		return;
	n = (ssize_t)record_print(r, text);
	j->disk = *r;
	j->certain = wrote(j, &j->lost[0],
			   pwrite(j->fd, text, (size_t)n, 0) == n && fdatasync(j->fd) == 0);
}

/* --- what runs --- */

/* A record of nothing. */
static void
set_idle(const Journal *j, Record *r)
{
	*r = (Record){.pid = getpid(), .began = clock_wall_s()};
	memcpy(r->boot, j->boot, sizeof r->boot);
}

static bool
is_suspect(const Journal *j, const Digest *d)
{
	return poison_find(&j->list, d) != NULL;
}

void
journal_running(Journal *j, const Digest *run, uint32_t n, uint32_t at)
{
	char digits[RECORD_AT_LEN + 1];
	Record r;

	if (!j)
		return;
	save_list(j);
	set_idle(j, &r);
	for (uint32_t i = 0; i < n; i++) {
		if (is_suspect(j, &run[at]) ? i != at : is_suspect(j, &run[i]))
			continue;
		r.at = i == at ? r.n : r.at;
		r.run[r.n++] = run[i];
	}
	save_record(j, &r);
	record_print_at(r.at, digits);
	if (r.at != j->disk.at && pwrite(j->fd, digits, RECORD_AT_LEN, RECORD_AT) > 0)
		j->disk.at = r.at;
}

void
journal_passed(Journal *j, const Digest *d)
{
	if (!j || !is_suspect(j, d) || poison_fatal(poison_find(&j->list, d)))
		return;
	poison_remove(&j->list, d);
	j->unsaved = true;
}

void
journal_idle(Journal *j)
{
	Record r;

	if (!j || (j->certain && !j->disk.n && !j->unsaved))
		return;
	save_list(j);
	set_idle(j, &r);
	save_record(j, &r);
}

bool
journal_refuses(const Journal *j, const Digest *d, Reason why)
{
	const PoisonEntry *p = j ? poison_find(&j->list, d) : NULL;

	if (!poison_fatal(p))
		return false;
	snprintf(why, sizeof(Reason),
		 "while it ran here, the board was reset %u times and the agent killed %u times, "
		 "last %s",
		 p->resets, p->kills, p->when);
	return true;
}

uint32_t
journal_refused(const Journal *j)
{
	return j ? poison_fatal_count(&j->list) : 0;
}

/* --- what was left behind --- */

static void
blame(Journal *j, const Digest *d, const char *reset_of)
{
	char hex[DIGEST_TEXT], when[CLOCK_TEXT];
	const PoisonEntry *p;

	clock_text(when, "%Y-%m-%dT%H:%M:%SZ", clock_wall_s());
	if (!(reset_of ? poison_reset(&j->list, d, reset_of, when)
		       : poison_kill(&j->list, d, when)))
		note(j, "poison: the list is full; its oldest entry may run again");
	p = poison_find(&j->list, d);
	digest_print(d, hex);
	if (poison_fatal(p))
		note(j, "poison: %s is not run again: %u resets, %u kills", hex, p->resets,
		     p->kills);
	j->unsaved = true;
}

/* Of another boot id all may be at fault; of this one, the file says which. */
static void
judge(Journal *j, const Record *left)
{
	bool reset = *left->boot && *j->boot && strcmp(left->boot, j->boot) != 0;

	if (!left->n)
		return;
	note(j,
	     reset ? "BOARD_RESET: the board was reset while one of %u candidates ran"
		   : "the agent was killed while one of %u candidates ran",
	     left->n);
	for (uint32_t i = 0; i < left->n; i++)
		if (reset || i == left->at)
			blame(j, &left->run[i], reset ? left->boot : NULL);
}

static int
read_record(Journal *j, Err *e)
{
	char path[PATH_ROOM], *text = NULL;
	size_t size = 0;
	Record left;
	int rc;

	path_of(j, "running", path);
	if (access(path, F_OK) && errno == ENOENT)
		return OK;
	rc = file_read(path, RECORD_BYTES, &text, &size, e);
	if (rc)
		return rc;
	if (record_parse(&left, text, size))
		note(j, "journal: %s is damaged: what ran last, if anything, is not known", path);
	else
		judge(j, &left);
	free(text);
	return OK;
}

static int
read_list(Journal *j, Err *e)
{
	char path[PATH_ROOM], damaged[PATH_ROOM + 8], why[POISON_LINE], *text = NULL;
	size_t size = 0;
	int rc;

	path_of(j, "poison", path);
	if (access(path, F_OK) && errno == ENOENT)
		return OK;
	rc = file_read(path, 2 * POISON_TEXT, &text, &size, e);
	if (rc)
		return rc;
	if (!poison_parse(&j->list, text, size, why)) {
		snprintf(damaged, sizeof damaged, "%s.damaged", path);
		note(j, "poison: %s: %s: what stood there may run again; kept as %s", path, why,
		     damaged);
		unlink(damaged);
		if (link(path, damaged))
			note(j, "poison: %s: %s", damaged, strerror(errno));
		j->unsaved = true;
	}
	free(text);
	return OK;
}

/* --- opening and closing --- */

/* Without one, or with one that cannot be read, everything left behind counts as a kill. */
static void
read_boot_id(Journal *j, const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f || fscanf(f, "%39s", j->boot) != 1)
		note(j, "journal: %s tells no boot id: a reset looks like a kill of the agent",
		     path);
	if (f)
		fclose(f);
}

static int
take_folder(Journal *j, Err *e)
{
	char path[PATH_ROOM];
	struct stat st;
	int rc = OK;

	if (access(j->folder, F_OK)) {
		rc = dir_make(j->folder, e);
		if (!rc && chmod(j->folder, 0700))
			rc = err_set(e, ERR_IO, "%s: %s", j->folder, strerror(errno));
	}
	if (!rc && stat(j->folder, &st))
		rc = err_set(e, ERR_IO, "%s: %s", j->folder, strerror(errno));
	if (!rc && (!S_ISDIR(st.st_mode) || st.st_mode & 077 || st.st_uid != geteuid()))
		rc = err_set(e, ERR_INPUT, "%s: expected a folder of this user, mode 0700",
			     j->folder);
	if (rc)
		return rc;
	path_of(j, "lock", path);
	j->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (j->lock < 0)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	/* A runner that was being started when the last agent was killed may hold it still. */
	for (int i = 0; i < LOCK_TRIES && (rc = flock(j->lock, LOCK_EX | LOCK_NB)) != 0; i++)
		clock_sleep_ns(LOCK_PAUSE_NS);
	if (rc)
		return err_set(e, ERR_BUSY, "%s: another agent uses it", j->folder);
	return OK;
}

/* A file of its final length, written before it gets its name. */
static int
open_record(Journal *j, Err *e)
{
	char path[PATH_ROOM], text[RECORD_BYTES] = "";

	path_of(j, "running", path);
	set_idle(j, &j->disk);
	record_print(&j->disk, text);
	j->certain = wrote(j, &j->lost[0], replace_file(j, "running", text, sizeof text));
	j->fd = open(path, O_RDWR | O_CLOEXEC);
	if (j->fd < 0)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	return OK;
}

static int
start(Journal *j, const JournalConfig *c, Err *e)
{
	int rc;

	if (snprintf(j->folder, sizeof j->folder, "%s", c->folder) >= (int)sizeof j->folder)
		return err_set(e, ERR_INPUT, "--state: too long");
	read_boot_id(j, c->boot_id ? c->boot_id : JOURNAL_BOOT_ID);
	rc = take_folder(j, e);
	if (!rc)
		rc = read_list(j, e);
	if (!rc)
		rc = read_record(j, e);
	if (rc)
		return rc;
	save_list(j); /* before the record that it was made of goes */
	return open_record(j, e);
}

static void
release(Journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	if (j->lock >= 0)
		close(j->lock);
	free(j);
}

int
journal_open(const JournalConfig *c, Journal **out, Err *e)
{
	Journal *j = calloc(1, sizeof *j);
	int rc;

	*out = NULL;
	if (!j)
		return err_set(e, ERR_NOMEM, "journal: out of memory");
	j->fd = j->lock = -1;
	j->self = c->self;
	j->note = c->note;
	rc = start(j, c, e);
	if (rc)
		release(j);
	else
		*out = j;
	return rc;
}

void
journal_close(Journal *j)
{
	if (!j)
		return;
	journal_idle(j);
	release(j);
}
