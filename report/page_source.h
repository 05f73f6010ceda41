/* page.css and page.js as bytes in the program: part of every page. */
#ifndef REPORT_PAGE_SOURCE_H
#define REPORT_PAGE_SOURCE_H

extern const unsigned char page_css[], page_css_end[]; /* end: one past the last byte */
extern const unsigned char page_js[], page_js_end[];

#endif
