/*
 * A place at a sensor; query thread.
 */

#ifndef NGX_HTTP_DOCKET_SLOT_H
#define NGX_HTTP_DOCKET_SLOT_H


#include "helper/ngx_http_docket_peer.h"


/* slot->ask is its own on entry, and may be gone on return. */

/* An attempt begins; goes on after a wait. */
void ngx_http_docket_slot_start(ngx_http_docket_slot_t *slot);
void ngx_http_docket_slot_go(ngx_http_docket_slot_t *slot);
/* The look is over: peer->idle_at tells what it found; it failed. */
void ngx_http_docket_slot_looked(ngx_http_docket_slot_t *slot,
    uint64_t reads);
void ngx_http_docket_slot_failed(ngx_http_docket_slot_t *slot,
    ngx_http_docket_outcome_t *out);
/* The question is over. */
void ngx_http_docket_slot_queried(ngx_http_docket_slot_t *slot,
    ngx_http_docket_outcome_t *out);
/* The place is free. */
void ngx_http_docket_slot_close(ngx_http_docket_slot_t *slot,
    docket_sensor_state_e state, const char *words);


#endif /* NGX_HTTP_DOCKET_SLOT_H */
