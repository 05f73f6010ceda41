/* Doubt: what a measurement is compared with before it counts. */
#ifndef TUNER_DOUBT_H
#define TUNER_DOUBT_H

#include "tuner/work.h"

/* Times of p that would need several times the multiply-adds a second that the machine was just
 * seen to do become IMPLAUSIBLE, with the figures. */
void doubt_peaks(const Work *w, Parcel *p);

/* How much longer finalist `item` of the race p took than when it was found, over what the
 * finalists have in common: they ran in a new process, on other inputs. 0: not known. */
double doubt_drift(const Work *w, const Parcel *p, int item);

#endif
