/* base/hone_pool.h and base/hone_pool.c as bytes in the program: shipped with bundles. */
#ifndef DEPLOY_POOL_SOURCE_H
#define DEPLOY_POOL_SOURCE_H

extern const unsigned char pool_source_h[], pool_source_h_end[]; /* end: one past the last byte */
extern const unsigned char pool_source_c[], pool_source_c_end[];

#endif
