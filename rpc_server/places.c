/* Names for faults. The handler runs on its own stack (the kernel's may be the very thing that is
 * broken), touches only memory prepared before, and lets the signal end the process afterwards.
 *
 * A signal handler has no argument of ours, hence the two static pointers, set once. */
#include "rpc_server/places.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <ucontext.h>

static const Places *watched;
static Control *report;

enum { STACK_SLACK = 1 << 20, HANDLER_STACK = 64 * 1024 };

void
places_add(Places *p, Place place, uint32_t index, const void *base, size_t span, const void *data)
{
	for (uint32_t i = 0; i < PLACES_MAX; i++)
		if (i == p->n || !p->entry[i].base) {
			p->entry[i] = (PlaceEntry){base, data, span, place, index};
			if (i == p->n)
				p->n++;
			return;
		}
}

void
places_remove(Places *p, const void *base)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->entry[i].base == base)
			p->entry[i] = (PlaceEntry){0};
}

/* Address of the instruction that was interrupted. */
static uintptr_t
instruction(const ucontext_t *u)
{
#if defined(__x86_64__)
	return (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (uintptr_t)u->uc_mcontext.pc;
#elif defined(__arm__)
	return (uintptr_t)u->uc_mcontext.arm_pc;
#elif defined(__riscv)
	return (uintptr_t)u->uc_mcontext.__gregs[REG_PC];
#else
	(void)u;
	return 0;
#endif
}

static const PlaceEntry *
find(uintptr_t at)
{
	for (uint32_t i = 0; i < watched->n; i++) {
		const PlaceEntry *e = &watched->entry[i];

		if (e->base && at - (uintptr_t)e->base < e->span)
			return e;
	}
	return NULL;
}

static void
on_signal(int signal, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr, code = instruction(context);
	Fault f = {.signal = signal, .code = -1};
	const PlaceEntry *e = find(at);

	if (e) {
		f.place = e->place;
		f.index = e->index;
		f.distance = (int64_t)(at - (uintptr_t)e->data);
	}
	e = find(code);
	if (e && e->place == PLACE_CODE)
		f.code = (int64_t)(code - (uintptr_t)e->data);
	report->fault = f;
	/* SA_RESETHAND: the same instruction faults again, now for good; a signal that was sent is
	 * sent again */
	if (info->si_code <= 0)
		raise(signal);
}

/* The stack grows down from here. */
static void
add_stack(Places *p)
{
	struct rlimit limit = {0};
	uintptr_t here = (uintptr_t)&limit;
	uintptr_t size = 8u << 20;

	if (!getrlimit(RLIMIT_STACK, &limit) && limit.rlim_cur < here / 2)
		size = limit.rlim_cur;
	places_add(p, PLACE_STACK, 0, (void *)(here - size - STACK_SLACK), size + 2 * STACK_SLACK,
		   (void *)here);
}

int
places_watch(Places *p, Control *control, Err *e)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
	struct sigaction act = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER};
	stack_t stack = {.ss_size = HANDLER_STACK};

	stack.ss_sp = malloc(HANDLER_STACK); /* until the process ends */
	if (!stack.ss_sp || sigaltstack(&stack, NULL))
		return err_set(e, ERR_NOMEM, "no stack for signals");
	watched = p;
	report = control;
	add_stack(p);
	act.sa_sigaction = on_signal;
	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
		sigaction(fatal[i], &act, NULL);
	return OK;
}
