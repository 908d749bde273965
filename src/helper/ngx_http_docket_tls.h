/*
 * What connections are secured with; query thread.
 */

#ifndef NGX_HTTP_DOCKET_TLS_H
#define NGX_HTTP_DOCKET_TLS_H


#include "helper/ngx_http_docket_state.h"


/* Sets an option, or returns from the function with what curl says. */
#define ngx_http_docket_setopt(easy, option, value)                           \
    do {                                                                      \
        CURLcode  code = curl_easy_setopt(easy, option, value);               \
                                                                              \
        if (code != CURLE_OK) {                                               \
            return code;                                                      \
        }                                                                     \
    } while (0)

CURLcode ngx_http_docket_tls(ngx_http_docket_sensor_t *sensor, CURL *easy);


#endif /* NGX_HTTP_DOCKET_TLS_H */
