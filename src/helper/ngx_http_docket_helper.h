/*
 * The docket process: one helper that alone talks to sensors and merges.
 */

#ifndef NGX_HTTP_DOCKET_HELPER_H
#define NGX_HTTP_DOCKET_HELPER_H


#include "ngx_http_docket.h"


/*
 * Manager of the spool's ngx_path_t (path->data is the main configuration):
 * runs in the cache manager process, starts the helper when none lives and
 * the back-off has passed.  Returns milliseconds until its next call.
 */
ngx_msec_t ngx_http_docket_supervisor(void *data);


#endif /* NGX_HTTP_DOCKET_HELPER_H */
