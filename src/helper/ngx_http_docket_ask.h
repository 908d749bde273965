/*
 * One sensor's part of a run; query thread, until the run has ended.
 */

#ifndef NGX_HTTP_DOCKET_ASK_H
#define NGX_HTTP_DOCKET_ASK_H


#include "helper/ngx_http_docket_state.h"


docket_request_t *ngx_http_docket_ask_request(ngx_http_docket_ask_t *ask);
/* Text and edges (microseconds) of the slice that is to be asked. */
const char *ngx_http_docket_ask_text(ngx_http_docket_ask_t *ask,
    size_t *len);
void ngx_http_docket_ask_edges(ngx_http_docket_ask_t *ask, int64_t *after,
    int64_t *before);
/* The slice came whole: 1 when there is another one. */
ngx_uint_t ngx_http_docket_ask_next(ngx_http_docket_ask_t *ask);
/* The sensor is done with the job. "words": NULL when it gave everything.
   With the last one the run ends, and is the io thread's. */
void ngx_http_docket_ask_close(ngx_http_docket_ask_t *ask,
    docket_sensor_state_e state, const char *words);
/* The stream has something that the merge waits for. */
void ngx_http_docket_ask_wake(ngx_http_docket_ask_t *ask);
/* Its progress is to be told. */
void ngx_http_docket_ask_changed(ngx_http_docket_ask_t *ask);


#endif /* NGX_HTTP_DOCKET_ASK_H */
