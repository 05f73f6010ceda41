/* The file that COST_X86_64 names, as a text in the program. */
	.section .rodata
	.globl cost_x86_64
cost_x86_64:
	.incbin COST_X86_64
	.byte 0
	.section .note.GNU-stack, "", %progbits
