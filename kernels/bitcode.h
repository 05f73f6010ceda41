/* The kernels as LLVM bitcode, made while hone is built: what extern tasks link into images and
 * bundles.
 *
 * One module for 64-bit little-endian machines (data layout lp64). It imports nothing, has no
 * mutable data, and no function names a processor or features. Whoever links it sets the module's
 * triple and data layout to the target's. Kernels are ref_<operator> of kernels/kernel.h, hidden.
 */
#ifndef KERNELS_BITCODE_H
#define KERNELS_BITCODE_H

extern const unsigned char kernels_lp64_bc[];
extern const unsigned char kernels_lp64_bc_end[]; /* one past the last byte */

#endif
