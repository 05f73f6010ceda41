/* From a Sched that was found for the same stages elsewhere (under another Form, on another Target,
 * at other extents) to picks of a Space. */
#ifndef SEARCH_SPACE_SPACE_NEAR_H
#define SEARCH_SPACE_SPACE_NEAR_H

#include "search_space/space.h"

/* What a tile should have in common with the one found. */
typedef enum NearTile {
	NEAR_FILLED,   /* as many vectors, as a part of the registers there are */
	NEAR_CHEAPEST, /* nothing: the cheapest tile of those that agree in all else */
} NearTile;

/* The Target that a text was found on; all 0: has vectors as here. */
typedef struct NearFrom {
	int lanes; /* of a full vector */
	int registers;
} NearFrom;

/* The pick that differs least from what text says. NOT_APPLICABLE when no variant has its
 * algorithm, its stages and its shared loops. */
int space_near(const Space *s, const char *text, NearFrom from, NearTile how, Pick *out);

#endif
