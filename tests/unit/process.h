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

/* The same, waiting up to 5 s for it to appear. */
static inline pid_t
process_await_child(pid_t parent, const char *name)
{
	pid_t pid = 0;

	for (int i = 0; i < 5000 && !(pid = process_child(parent, name)); i++)
		clock_sleep_ns(1000000);
	return pid;
}

/* False when there still is one after 5 s. */
static inline bool
process_await_no_child(pid_t parent, const char *name)
{
	for (int i = 0; i < 5000 && process_child(parent, name); i++)
		clock_sleep_ns(1000000);
	return !process_child(parent, name);
}

/* Orphans of this test become its children, so that none goes unnoticed. */
static inline void
process_adopt_orphans(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* True when no child, adopted ones included, is left after at most 5 s. */
static inline bool
process_all_gone(void)
{
	for (int i = 0; i < 5000; i++) {
		pid_t pid;

		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0)
			return true;
		clock_sleep_ns(1000000);
	}
	return false;
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

/* True when the process has that many descriptors, or comes to have them within 5 s. */
static inline bool
process_await_descriptors(pid_t pid, unsigned n)
{
	for (int i = 0; i < 5000 && process_descriptors(pid) != n; i++)
		clock_sleep_ns(1000000);
	return process_descriptors(pid) == n;
}

static inline unsigned
process_threads(pid_t pid)
{
	char folder[64];

	snprintf(folder, sizeof folder, "/proc/%d/task", pid);
	return process_entries(folder);
}

#endif
