/* The file that HONE_KERNELS_LP64_BC names, as bytes in the program. */
	.section .rodata
	.balign 16
	.globl kernels_lp64_bc
	.globl kernels_lp64_bc_end
kernels_lp64_bc:
	.incbin HONE_KERNELS_LP64_BC
kernels_lp64_bc_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
