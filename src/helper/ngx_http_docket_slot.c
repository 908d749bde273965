/*
 * One place at a sensor: takes it, looks whether the sensor is idle, asks,
 * tries again.
 */

#include "helper/ngx_http_docket_slot.h"
#include "helper/ngx_http_docket_ask.h"
#include "helper/ngx_http_docket_clock.h"
#include "helper/ngx_http_docket_fetch.h"


/* milliseconds */
#define NGX_HTTP_DOCKET_RETRY         250   /* first back-off of a retry */
#define NGX_HTTP_DOCKET_RETRY_MAX     4000
#define NGX_HTTP_DOCKET_SLOT_WAIT     20

#define NGX_HTTP_DOCKET_SUSPECT       880   /* s: the server cuts at 15 min */


static ngx_uint_t ngx_http_docket_slot_idle(ngx_http_docket_peer_t *peer);
static void ngx_http_docket_slot_wait(ngx_http_docket_slot_t *slot,
    ngx_http_docket_slot_e state, ngx_msec_t delay);
static void ngx_http_docket_slot_query(ngx_http_docket_slot_t *slot);
static ngx_uint_t ngx_http_docket_slot_retry(ngx_http_docket_slot_t *slot,
    ngx_http_docket_outcome_t *out);


void
ngx_http_docket_slot_start(ngx_http_docket_slot_t *slot)
{
    docket_request_t  *rq;

    rq = ngx_http_docket_ask_request(slot->ask);

    if (rq->started == 0) {
        rq->started = ngx_http_docket_now();
    }

    rq->state = DOCKET_SENSOR_REQUESTING;
    rq->attempts++;

    ngx_http_docket_ask_changed(slot->ask);
    ngx_http_docket_slot_go(slot);
}


/* Takes the place, looks whether the sensor is idle, asks. */

void
ngx_http_docket_slot_go(ngx_http_docket_slot_t *slot)
{
    char                        words[NGX_HTTP_DOCKET_WORDS];
    ngx_http_docket_peer_t     *peer;
    ngx_http_docket_outcome_t   out;

    peer = slot->peer;

    if (slot->lock == -1) {
        slot->lock = docket_spool_slot(&peer->hlp->mcf->sp,
                                       (char *) peer->conf->name.data,
                                       peer->conf->max_queries);

        if (slot->lock == -1 && ngx_errno == EWOULDBLOCK) {
            ngx_http_docket_slot_wait(slot, NGX_HTTP_DOCKET_SLOT_LOCK,
                                      NGX_HTTP_DOCKET_SLOT_WAIT);
            return;
        }

        if (slot->lock == -1) {
            ngx_http_docket_words(words, "its lock in the spool: %s",
                                  strerror(ngx_errno));
            ngx_http_docket_slot_close(slot, DOCKET_SENSOR_FAILED, words);
            return;
        }
    }

    if (ngx_http_docket_slot_idle(peer)) {
        ngx_http_docket_slot_query(slot);
        return;
    }

    slot->state = NGX_HTTP_DOCKET_SLOT_LOOK;
    slot->at = 0;

    if (ngx_http_docket_fetch_start(&slot->fetch, NGX_HTTP_DOCKET_FETCH_STATS,
                                    &out)
        != NGX_OK)
    {
        ngx_http_docket_slot_close(slot, DOCKET_SENSOR_FAILED, out.words);
    }
}


/* Found idle recently enough. */

static ngx_uint_t
ngx_http_docket_slot_idle(ngx_http_docket_peer_t *peer)
{
    /* its reads may be ours */

    if (peer->nactive != 0) {
        return 1;
    }

    return peer->idle_at != 0
           && peer->hlp->now - peer->idle_at
              < (int64_t) peer->hlp->mcf->idle_time;
}


static void
ngx_http_docket_slot_wait(ngx_http_docket_slot_t *slot,
    ngx_http_docket_slot_e state, ngx_msec_t delay)
{
    slot->state = state;
    slot->at = slot->peer->hlp->now + delay;

    ngx_http_docket_timer(slot->peer->hlp, slot->at);
}


static void
ngx_http_docket_slot_query(ngx_http_docket_slot_t *slot)
{
    int64_t                     after, before;
    ngx_http_docket_ask_t      *ask;
    ngx_http_docket_outcome_t   out;

    ask = slot->ask;

    slot->state = NGX_HTTP_DOCKET_SLOT_QUERY;
    slot->at = 0;
    slot->fetch.ask = ask;

    ngx_http_docket_ask_edges(ask, &after, &before);
    docket_stream_begin(ask->stream, docket_pcap_time(after),
                        docket_pcap_time(before));
    ask->begun = 1;

    slot->peer->nactive++;
    slot->peer->queries++;
    slot->peer->dirty = 1;

    if (ngx_http_docket_fetch_start(&slot->fetch, NGX_HTTP_DOCKET_FETCH_QUERY,
                                    &out)
        != NGX_OK)
    {
        slot->peer->nactive--;
        ngx_http_docket_slot_close(slot, DOCKET_SENSOR_FAILED, out.words);
    }
}


void
ngx_http_docket_slot_looked(ngx_http_docket_slot_t *slot, uint64_t reads)
{
    ngx_http_docket_peer_t  *peer;

    peer = slot->peer;

    if (peer->idle_at != 0) {
        ngx_http_docket_slot_query(slot);
        return;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, peer->hlp->log, 0,
                   "docket sensor %V is busy: %uL", &peer->conf->name, reads);

    ngx_http_docket_slot_wait(slot, NGX_HTTP_DOCKET_SLOT_BUSY,
                              peer->hlp->mcf->idle_sleep);
}


void
ngx_http_docket_slot_queried(ngx_http_docket_slot_t *slot,
    ngx_http_docket_outcome_t *out)
{
    ngx_http_docket_ask_t   *ask;
    ngx_http_docket_peer_t  *peer;

    ask = slot->ask;
    peer = slot->peer;

    if (!out->ok) {
        ngx_http_docket_slot_failed(slot, out);
        return;
    }

    if (peer->took >= NGX_HTTP_DOCKET_SUSPECT) {
        (void) snprintf(ngx_http_docket_ask_request(ask)->warning,
                        sizeof(ngx_http_docket_ask_request(ask)->warning),
                        "an answer took %.0f s: the sensor may have cut it",
                        peer->took);
    }

    if (!ngx_http_docket_ask_next(ask)) {
        ngx_http_docket_slot_close(slot, DOCKET_SENSOR_COMPLETE, NULL);
        return;
    }

    ngx_http_docket_slot_go(slot);
}


void
ngx_http_docket_slot_failed(ngx_http_docket_slot_t *slot,
    ngx_http_docket_outcome_t *out)
{
    docket_request_t  *rq;

    if (ngx_http_docket_slot_retry(slot, out)) {

        rq = ngx_http_docket_ask_request(slot->ask);
        (void) snprintf(rq->error, sizeof(rq->error), "%s", out->words);

        ngx_http_docket_ask_changed(slot->ask);

        ngx_http_docket_slot_wait(slot, NGX_HTTP_DOCKET_SLOT_BACKOFF,
            ngx_min(NGX_HTTP_DOCKET_RETRY << ngx_min(slot->ask->tries, 5),
                    NGX_HTTP_DOCKET_RETRY_MAX));

        slot->ask->tries++;
        return;
    }

    ngx_http_docket_slot_close(slot, DOCKET_SENSOR_FAILED, out->words);
}


static ngx_uint_t
ngx_http_docket_slot_retry(ngx_http_docket_slot_t *slot,
    ngx_http_docket_outcome_t *out)
{
    ngx_http_docket_ask_t  *ask;

    ask = slot->ask;

    /* a sensor that was down already has had its attempts */

    if (!out->retry || ask->tries >= slot->peer->hlp->mcf->retries
        || (ask->doubtful && out->down))
    {
        return 0;
    }

    if (!ask->begun) {
        return 1;
    }

    if (docket_stream_rewind(ask->stream) != DOCKET_OK) {
        return 0;
    }

    ask->begun = 0;

    return 1;
}


void
ngx_http_docket_slot_close(ngx_http_docket_slot_t *slot,
    docket_sensor_state_e state, const char *words)
{
    ngx_http_docket_ask_t  *ask;

    ask = slot->ask;

    slot->ask = NULL;
    slot->fetch.ask = NULL;
    slot->at = 0;
    slot->state = NGX_HTTP_DOCKET_SLOT_FREE;

    ask->slot = NULL;

    ngx_http_docket_ask_close(ask, state, words);
}


