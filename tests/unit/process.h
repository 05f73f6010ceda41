/* Processes under a test, found in /proc. */
#ifndef TESTS_UNIT_PROCESS_H
#define TESTS_UNIT_PROCESS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* What a test waits for comes at once, or on a machine with much else to do a little later: a limit
 * is for what never comes. */
#define PROCESS_PATIENCE_NS UINT64_C(30000000000)

/* Until then; to be called between two looks. False when the time is over. */
static inline bool
process_look_again(uint64_t end)
{
	clock_sleep_ns(1000000);
	return clock_ns() < end;
}

/* A child of parent whose program has that name (its first 15 bytes); 0 when there is none. */
static inline pid_t
process_child(pid_t parent, const char *name)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (d && !found && (entry = readdir(d))) {
		char path[300], comm[32], state;
		int pid, up;
		FILE *f;

		snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fscanf(f, "%d (%31[^)]) %c %d", &pid, comm, &state, &up) == 4 && up == parent &&
		    state != 'Z' && !strncmp(comm, name, 15))
			found = pid;
		fclose(f);
	}
	if (d)
		closedir(d);
	return found;
}

/* The same, waiting for it to appear. */
static inline pid_t
process_await_child(pid_t parent, const char *name)
{
	uint64_t end = clock_ns() + PROCESS_PATIENCE_NS;
	pid_t pid;

	while (!(pid = process_child(parent, name)) && process_look_again(end))
		;
	return pid;
}

/* False when there still is one after all this time. */
static inline bool
process_await_no_child(pid_t parent, const char *name)
{
	uint64_t end = clock_ns() + PROCESS_PATIENCE_NS;

	while (process_child(parent, name))
		if (!process_look_again(end))
			return false;
	return true;
}

/* Orphans of this test become its children, so that none goes unnoticed. */
static inline void
process_adopt_orphans(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* True when no child, adopted ones included, is left. */
static inline bool
process_all_gone(void)
{
	uint64_t end = clock_ns() + PROCESS_PATIENCE_NS;
	pid_t pid;

	do
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
	while (pid == 0 && process_look_again(end));
	return pid < 0;
}

static inline unsigned
process_entries(const char *folder)
{
	DIR *d = opendir(folder);
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static inline unsigned
process_descriptors(pid_t pid)
{
	char folder[64];

	snprintf(folder, sizeof folder, "/proc/%d/fd", pid);
	return process_entries(folder);
}

/* How many it has when it neither opens nor closes any: one that has just begun may still. */
static inline unsigned
process_settled_descriptors(pid_t pid)
{
	uint64_t end = clock_ns() + PROCESS_PATIENCE_NS;
	unsigned n = process_descriptors(pid), same = 0;

	while (same < 50 && process_look_again(end)) {
		unsigned now = process_descriptors(pid);

		same = now == n ? same + 1 : 0;
		n = now;
	}
	return n;
}

/* True when the process has that many descriptors, or comes to have them. */
static inline bool
process_await_descriptors(pid_t pid, unsigned n)
{
	uint64_t end = clock_ns() + PROCESS_PATIENCE_NS;

	while (process_descriptors(pid) != n)
		if (!process_look_again(end))
			return false;
	return true;
}

static inline unsigned
process_threads(pid_t pid)
{
	char folder[64];

	snprintf(folder, sizeof folder, "/proc/%d/task", pid);
	return process_entries(folder);
}

#endif
