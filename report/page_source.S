/* The files that REPORT_CSS and REPORT_JS name, as bytes in the program. */
	.section .rodata
	.globl page_css
	.globl page_css_end
	.globl page_js
	.globl page_js_end
page_css:
	.incbin REPORT_CSS
page_css_end:
page_js:
	.incbin REPORT_JS
page_js_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
