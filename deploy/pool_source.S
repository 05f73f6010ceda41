/* The files that HONE_POOL_H and HONE_POOL_C name, as bytes in the program. */
	.section .rodata
	.globl pool_source_h
	.globl pool_source_h_end
	.globl pool_source_c
	.globl pool_source_c_end
pool_source_h:
	.incbin HONE_POOL_H
pool_source_h_end:
pool_source_c:
	.incbin HONE_POOL_C
pool_source_c_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
