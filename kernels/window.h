/* The sliding window of convolutions and pools. Freestanding.
 *
 * Along each spatial axis a window ties a fine position to a coarse one:
 *	fine = coarse * stride + tap * dilation - begin
 * Convolutions and pools read fine and write coarse; a transposed convolution does the opposite.
 * The last axis is handled in runs of outputs.
 */
#ifndef KERNELS_WINDOW_H
#define KERNELS_WINDOW_H

#include "kernels/walk.h"

enum { WINDOW_AXES = KERNEL_RANK_MAX - 2 };

typedef struct Window {
	int axes; /* at least 1 */
	int64_t fine[WINDOW_AXES], coarse[WINDOW_AXES], kernel[WINDOW_AXES];
	int64_t stride[WINDOW_AXES], dilation[WINDOW_AXES], begin[WINDOW_AXES], end[WINDOW_AXES];
	int64_t taps; /* product of kernel */
} Window;

/* What one tap adds to a run of outputs: input from + i * from_step (in its plane) meets output
 * to + i * to_step (in the run), for i < n. */
typedef struct WindowRun {
	int64_t from, from_step;
	int to, to_step, n;
} WindowRun;

/* fine and coarse are [N, C, spatial...] tensors; kernel holds an extent per spatial axis; strides,
 * pads and dilations come from the call, where empty means 1, 0, 1. A window that maps a plane onto
 * itself gets one merged axis. */
void window_init(Window *w, const KCall *k, const KTensor *fine, const KTensor *coarse,
		 const int64_t *kernel);

/* Outputs start, start + 1, ... (n of them) of the row that the outer coordinates pos name. False
 * when the tap touches none of them. */
bool window_run(const Window *w, const int64_t *pos, const int64_t *tap, int64_t start, int n,
		WindowRun *run);
bool window_run_transposed(const Window *w, const int64_t *pos, const int64_t *tap, int64_t start,
			   int n, WindowRun *run);

int64_t window_plane(const Window *w, const int64_t *extent); /* product of w->fine or w->coarse */

#endif
