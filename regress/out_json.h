/* Name and version of the JSON form. The version changes when a member that was there changes its
 * meaning or goes; new members may come at any time. */
#ifndef REGRESS_OUT_JSON_H
#define REGRESS_OUT_JSON_H

#define REGRESS_JSON_FORMAT "hone-regress"
enum { REGRESS_JSON_VERSION = 1 };

#endif
