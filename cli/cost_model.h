/* The cost model that a command's searches begin with. */
#ifndef CLI_COST_MODEL_H
#define CLI_COST_MODEL_H

#include "cli/args.h"
#include "search_space/trees.h"

/* Row for the option table of a command that searches. */
#define COST_MODEL_OPTION                                                              \
	{                                                                              \
		.name = "cost-model", .kind = ARG_TEXT, .value = "FILE",               \
		.help = "what `hone costmodel train` learnt, to begin the search with" \
	}

/* The model that --cost-model names into *t and *prior, which stays as it is without one. Errors:
 * ERR_IO, ERR_INPUT with the file. */
int cost_model_read(const Args *a, Trees *t, const Trees **prior, Err *e);

#endif
