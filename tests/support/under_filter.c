/* under_filter FILE PROGRAM ARGUMENT...: runs a program as a service manager would that allows only
 * the system calls named in FILE, one a line, and of name spaces those of users, IPC and processes.
 * What is not allowed fails with EPERM. */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int
allow(scmp_filter_ctx filter, const char *path)
{
	FILE *f = fopen(path, "r");
	char name[128];
	int rc = f ? 0 : -errno;

	while (f && !rc && fgets(name, sizeof name, f)) {
		int call;

		name[strcspn(name, "\n")] = 0;
		call = seccomp_syscall_resolve_name(name);
		if (call >= 0 && strcmp(name, "clone3") != 0 && strcmp(name, "unshare") != 0)
			rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
	}
	if (f)
		fclose(f);
	return rc;
}

int
main(int argc, char **argv)
{
	const unsigned others = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWCGROUP;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = filter && argc > 2 ? allow(filter, argv[1]) : -EINVAL;

	/* clone3's flags lie in memory, so that no filter sees them: libraries fall back to clone.
	 */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(unshare), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, others, 0));
	if (!rc && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		rc = -errno;
	if (!rc)
		rc = seccomp_load(filter);
	if (!rc) {
		execv(argv[2], argv + 2);
		rc = -errno;
	}
	fprintf(stderr, "under_filter: %s\n", strerror(-rc));
	return 2;
}
