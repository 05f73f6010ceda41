/* Cost models that ship with the program: trees over Features (search_space/trees.h), learnt from
 * recorded sets. bench/costmodel.sh makes their texts anew. */
#ifndef SEARCH_SPACE_SHIPPED_H
#define SEARCH_SPACE_SHIPPED_H

/* How the triples begin that there is a model for. */
#define SHIPPED_X86_64 "x86_64-"

/* The text of the model for a triple; NULL: none. */
const char *shipped_model(const char *triple);

#endif
