/* For the thread sanitizer only, and linked with --wrap=syscall: descriptors that are closed by a
 * system call, as libuv does, are closed by close(), which the sanitizer sees. Otherwise it takes
 * the next file of that number for the old one, used by two threads. Like syscall() itself this
 * takes six arguments, however many there are. */
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ARGS = 6 };

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long
__wrap_syscall(long number, ...)
{
	long arg[ARGS];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < ARGS; i++)
		arg[i] = va_arg(list, long);
	va_end(list);
	return number == SYS_close
		       ? close((int)arg[0])
		       : __real_syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
