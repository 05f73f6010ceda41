/* The table of outputs. */
#include <string.h>

#include "regress/outputs.h"

static const RegressOutput outputs[] = {
#define X(name, file, text) {#name, file, text, regress_##name},
	REGRESS_OUTPUT_LIST(X)
#undef X
};

enum { OUTPUTS = sizeof outputs / sizeof *outputs };

const RegressOutput *
regress_output(int i)
{
	return i >= 0 && i < OUTPUTS ? &outputs[i] : NULL;
}

const RegressOutput *
regress_output_of(const char *name)
{
	for (int i = 0; i < OUTPUTS; i++)
		if (!strcmp(outputs[i].name, name))
			return &outputs[i];
	return NULL;
}
