/*
 * Sensors; query thread.
 */

#ifndef NGX_HTTP_DOCKET_SENSOR_H
#define NGX_HTTP_DOCKET_SENSOR_H


#include "helper/ngx_http_docket_peer.h"


ngx_int_t ngx_http_docket_peers_create(ngx_http_docket_proc_t *hlp);
ngx_http_docket_peer_t *ngx_http_docket_peer_find(
    ngx_http_docket_proc_t *hlp, const char *name);
/* To the end of the sensor's FIFO. */
void ngx_http_docket_peer_queue(ngx_http_docket_ask_t *ask);
/* Whatever can be started is. */
void ngx_http_docket_peer_work(ngx_http_docket_peer_t *peer);
/* Out of the FIFO, or its transfer is broken off. */
void ngx_http_docket_peer_forget(ngx_http_docket_ask_t *ask);
/* Looks that /stats wants; waits that are over; the zone's copy. */
void ngx_http_docket_peers_stats(ngx_http_docket_proc_t *hlp,
    uint32_t wanted);
void ngx_http_docket_peers_timers(ngx_http_docket_proc_t *hlp);


#endif /* NGX_HTTP_DOCKET_SENSOR_H */
