/* The cost model that a command's searches begin with. */
#ifndef CLI_COST_MODEL_H
#define CLI_COST_MODEL_H

#include "cli/args.h"
#include "search_space/trees.h"

/* What --cost-model calls the model that ships. */
#define COST_MODEL_SHIPPED "default"

/* Row for the option table of a command that searches. */
#define COST_MODEL_OPTION                                                                \
	{                                                                                \
		.name = "cost-model", .kind = ARG_TEXT, .value = "FILE|default",         \
		.help = "what `hone costmodel train` learnt, to begin the search with; " \
			"default: the model for x86-64 that ships"                       \
	}

/* The model that --cost-model names into *t and *prior, which stays as it is without one.
 * *for_triple (may be NULL): how the triples of devices begin that it is for, or NULL: any. Errors:
 * ERR_IO, ERR_INPUT with the file. */
int cost_model_read(const Args *a, Trees *t, const Trees **prior, const char **for_triple, Err *e);

#endif
