/*
 * The text of a filter, made free of names; for docket_filter.c alone.
 */

#ifndef DOCKET_FILTER_TEXT_H
#define DOCKET_FILTER_TEXT_H


#include "pcap/docket_reader.h"


/*
 * The text that libpcap is to compile, malloc'd: the tokens of "text" with
 * blanks between, names of services and protocols as numbers.  NULL: words in
 * err, offset of the token in "*position".
 */
char *docket_filter_text(const char *text, size_t len, char *err, size_t size,
    long *position);


#endif /* DOCKET_FILTER_TEXT_H */
