/* What the kernels as a whole can be asked. */
#include "kernels/kernel.h"

int64_t
kernel_scratch(Op op, const KCall *k)
{
	switch (op) {
	case OP_LSTM: return lstm_scratch(k);
	case OP_Resize: return resize_scratch(k);
	default: return 0;
	}
}
