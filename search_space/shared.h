/* Which loops the stages of a Task may share. */
#ifndef SEARCH_SPACE_SHARED_H
#define SEARCH_SPACE_SHARED_H

#include "graph/task.h"
#include "search_space/sched.h"

/* Axes that all stages but the idle ones have with one extent, outermost first, and along which no
 * temporary is read anywhere else than where it is made: their loops may be shared. idle: per
 * stage. Returns how many. */
int shared_axes(const Task *t, const bool *idle, Axis axis[STAGE_AXES_MAX]);

/* Bytes of the temporaries of all stages that are not idle, each rounded up to 64, when these share
 * the loops: axes from shared_axes. */
size_t shared_bytes(const Task *t, const bool *idle, const SharedLoop *loop, int n);

#endif
