/*
 * Transfers; query thread.
 */

#ifndef NGX_HTTP_DOCKET_FETCH_H
#define NGX_HTTP_DOCKET_FETCH_H


#include "helper/ngx_http_docket_peer.h"


ngx_int_t ngx_http_docket_fetch_init(ngx_http_docket_proc_t *hlp);
/* NGX_ERROR: words in out, nothing is under way. */
ngx_int_t ngx_http_docket_fetch_start(ngx_http_docket_fetch_t *f,
    ngx_http_docket_fetch_e kind, ngx_http_docket_outcome_t *out);
void ngx_http_docket_fetch_abort(ngx_http_docket_fetch_t *f);
/* Lets curl work; the handlers of those that ended are called. */
void ngx_http_docket_fetch_perform(ngx_http_docket_proc_t *hlp);
/* Those that were paused go on when they can. */
void ngx_http_docket_fetch_resume(ngx_http_docket_proc_t *hlp);
/* Those that stall are broken off; records held back for nothing go on. */
void ngx_http_docket_fetch_timers(ngx_http_docket_proc_t *hlp);


/* snprintf() into NGX_HTTP_DOCKET_WORDS bytes. */
void ngx_http_docket_words(char *words, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


#endif /* NGX_HTTP_DOCKET_FETCH_H */
