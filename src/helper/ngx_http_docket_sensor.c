/*
 * A sensor: who waits for it, whether it is idle, how it is.
 *
 * Questions to a sensor are served in the order in which they came, in
 * max_queries places.  A place is taken with a lock in the spool, so that the
 * bound holds across generations.  Whatever goes wrong, the place becomes
 * free for the next one.
 */

#include "helper/ngx_http_docket_sensor.h"
#include "helper/ngx_http_docket_ask.h"
#include "helper/ngx_http_docket_clock.h"
#include "helper/ngx_http_docket_fetch.h"
#include "helper/ngx_http_docket_slot.h"


/* milliseconds */
#define NGX_HTTP_DOCKET_SLOW          500   /* a failure that delays others */
#define NGX_HTTP_DOCKET_PROBE_MIN     1000  /* looks at one that is down */
#define NGX_HTTP_DOCKET_PROBE_MAX     30000


static ngx_int_t ngx_http_docket_peer_init(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_peer_t *peer, ngx_http_docket_sensor_t *sensor);
static int ngx_http_docket_peer_match(const void *name, const void *peer);
static int ngx_http_docket_peer_cmp(const void *one, const void *two);
static void ngx_http_docket_peer_fetched(ngx_http_docket_fetch_t *f,
    ngx_http_docket_outcome_t *out);
static void ngx_http_docket_peer_queried(ngx_http_docket_peer_t *peer,
    ngx_http_docket_fetch_t *f, ngx_http_docket_outcome_t *out);
static void ngx_http_docket_peer_took(ngx_http_docket_zone_info_t *info,
    void *data);
static ngx_uint_t ngx_http_docket_peer_looking(ngx_http_docket_peer_t *peer);
static ngx_uint_t ngx_http_docket_peer_too_busy(ngx_http_docket_peer_t *peer,
    ngx_http_docket_ask_t *ask);
static void ngx_http_docket_peer_busy(ngx_http_docket_peer_t *peer);
static void ngx_http_docket_peer_up(ngx_http_docket_peer_t *peer,
    ngx_uint_t health);
static void ngx_http_docket_peer_down(ngx_http_docket_peer_t *peer,
    const char *words, ngx_uint_t slow);
static void ngx_http_docket_peer_fail_waiting(ngx_http_docket_peer_t *peer);
static void ngx_http_docket_peer_probe(ngx_http_docket_peer_t *peer);
static ngx_int_t ngx_http_docket_peer_counter(ngx_http_docket_fetch_t *f,
    const char *name, uint64_t *value);
static void ngx_http_docket_peer_say(ngx_http_docket_peer_t *peer,
    ngx_http_docket_fetch_t *f, uint32_t seq);
static void ngx_http_docket_peer_copy(ngx_http_docket_sensor_state_t *s,
    void *data);


typedef struct {
    ngx_http_docket_peer_t   *peer;
    ngx_http_docket_fetch_t  *fetch;          /* NULL: no news of the stats */
    uint32_t                  seq;            /* 0: nobody asked for them */
} ngx_http_docket_say_t;


ngx_int_t
ngx_http_docket_peers_create(ngx_http_docket_proc_t *hlp)
{
    ngx_uint_t                 i;
    ngx_http_docket_sensor_t  *sensor;

    hlp->npeers = hlp->mcf->sensors.nelts;

    hlp->peers = ngx_calloc(hlp->npeers * sizeof(ngx_http_docket_peer_t),
                            hlp->log);
    hlp->by_name = ngx_calloc(hlp->npeers * sizeof(ngx_http_docket_peer_t *),
                              hlp->log);
    if (hlp->peers == NULL || hlp->by_name == NULL) {
        return NGX_ERROR;
    }

    sensor = hlp->mcf->sensors.elts;

    for (i = 0; i < hlp->npeers; i++) {
        if (ngx_http_docket_peer_init(hlp, &hlp->peers[i], &sensor[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        hlp->by_name[i] = &hlp->peers[i];
    }

    qsort(hlp->by_name, hlp->npeers, sizeof(ngx_http_docket_peer_t *),
          ngx_http_docket_peer_cmp);

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_peer_init(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_peer_t *peer, ngx_http_docket_sensor_t *sensor)
{
    size_t       len;
    u_char      *url, *p;
    ngx_str_t    name, host;
    ngx_uint_t   i;

    peer->hlp = hlp;
    peer->conf = sensor;
    peer->health = NGX_HTTP_DOCKET_SENSOR_UNKNOWN;

    ngx_queue_init(&peer->waiting);

    peer->probe.peer = peer;
    peer->probe.handler = ngx_http_docket_peer_fetched;

    peer->slots = ngx_calloc(sensor->max_queries
                             * sizeof(ngx_http_docket_slot_t), hlp->log);
    if (peer->slots == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < sensor->max_queries; i++) {
        peer->slots[i].peer = peer;
        peer->slots[i].lock = -1;
        peer->slots[i].fetch.peer = peer;
        peer->slots[i].fetch.slot = &peer->slots[i];
        peer->slots[i].fetch.handler = ngx_http_docket_peer_fetched;
    }

    /* the name that the certificate is checked against stands in the URL */

    host = sensor->host;
    name = (sensor->tls_name.len != 0) ? sensor->tls_name : host;

    len = sizeof("https://[]:65535/debug/stats") + name.len
          + sizeof("https://[]:65535/query") + name.len
          + sizeof("::[]:65535") + host.len;

    url = ngx_calloc(len, hlp->log);
    if (url == NULL) {
        return NGX_ERROR;
    }

    p = url;

#define ngx_http_docket_brackets(s)                                           \
    (ngx_strlchr((s)->data, (s)->data + (s)->len, ':') != NULL)

    peer->stats_url = (char *) p;
    p = ngx_sprintf(p, ngx_http_docket_brackets(&name)
                       ? "https://[%V]:%d/debug/stats%Z"
                       : "https://%V:%d/debug/stats%Z",
                    &name, (int) sensor->port);

    peer->query_url = (char *) p;
    p = ngx_sprintf(p, ngx_http_docket_brackets(&name)
                       ? "https://[%V]:%d/query%Z" : "https://%V:%d/query%Z",
                    &name, (int) sensor->port);

    if (sensor->tls_name.len != 0) {
        (void) ngx_sprintf(p, ngx_http_docket_brackets(&host)
                              ? "::[%V]:%d%Z" : "::%V:%d%Z",
                           &host, (int) sensor->port);

        peer->connect_to = curl_slist_append(NULL, (char *) p);
        if (peer->connect_to == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_http_docket_peer_t *
ngx_http_docket_peer_find(ngx_http_docket_proc_t *hlp, const char *name)
{
    ngx_http_docket_peer_t  **peer;

    peer = bsearch(name, hlp->by_name, hlp->npeers,
                   sizeof(ngx_http_docket_peer_t *),
                   ngx_http_docket_peer_match);

    return (peer == NULL) ? NULL : *peer;
}


static int
ngx_http_docket_peer_match(const void *name, const void *peer)
{
    ngx_http_docket_peer_t *const *p = peer;

    return strcmp(name, (char *) (*p)->conf->name.data);
}


static int
ngx_http_docket_peer_cmp(const void *one, const void *two)
{
    ngx_http_docket_peer_t *const *a = one;

    return ngx_http_docket_peer_match((*a)->conf->name.data, two);
}


void
ngx_http_docket_peer_queue(ngx_http_docket_ask_t *ask)
{
    ngx_http_docket_peer_t  *peer;

    peer = ask->peer;

    ask->queued_at = peer->hlp->now;
    ask->doubtful = (peer->health == NGX_HTTP_DOCKET_SENSOR_DOWN);

    ngx_queue_insert_tail(&peer->waiting, &ask->queue);
    peer->nwaiting++;
    peer->dirty = 1;
}


void
ngx_http_docket_peer_work(ngx_http_docket_peer_t *peer)
{
    ngx_uint_t               i;
    ngx_queue_t             *q;
    ngx_http_docket_slot_t  *slot;

    if (peer->hlp->now < peer->down_until) {
        ngx_http_docket_peer_fail_waiting(peer);
    }

    for (i = 0; i < peer->conf->max_queries; i++) {
        slot = &peer->slots[i];

        /* a question may fail at once, then the next one has the place */

        while (slot->state == NGX_HTTP_DOCKET_SLOT_FREE
               && !ngx_queue_empty(&peer->waiting)
               && !ngx_http_docket_peer_looking(peer))
        {
            q = ngx_queue_head(&peer->waiting);
            ngx_queue_remove(q);
            peer->nwaiting--;
            peer->dirty = 1;

            slot->ask = ngx_queue_data(q, ngx_http_docket_ask_t, queue);
            slot->ask->slot = slot;

            ngx_http_docket_slot_start(slot);
        }

        if (slot->state == NGX_HTTP_DOCKET_SLOT_FREE && slot->lock != -1
            && ngx_queue_empty(&peer->waiting))
        {
            (void) close(slot->lock);
            slot->lock = -1;
        }
    }

    if (peer->dirty) {
        ngx_http_docket_timer(peer->hlp, peer->said + NGX_HTTP_DOCKET_PROGRESS);
    }
}


static void
ngx_http_docket_peer_fetched(ngx_http_docket_fetch_t *f,
    ngx_http_docket_outcome_t *out)
{
    uint32_t                 seq;
    uint64_t                 reads, oldest;
    ngx_uint_t               slow;
    ngx_http_docket_peer_t  *peer;

    peer = f->peer;
    peer->checked = ngx_http_docket_now();
    peer->dirty = 1;

    if (f->kind == NGX_HTTP_DOCKET_FETCH_QUERY) {
        ngx_http_docket_peer_queried(peer, f, out);
        ngx_http_docket_slot_queried(f->slot, out);
        ngx_http_docket_peer_work(peer);
        return;
    }

    slow = (peer->hlp->now - f->started >= NGX_HTTP_DOCKET_SLOW);

    if (out->ok && ngx_http_docket_peer_counter(f, "indexfile_current_reads",
                                                &reads)
                   != NGX_OK)
    {
        out->ok = 0;
        out->down = 1;
        ngx_http_docket_words(out->words,
                              "/debug/stats has no indexfile_current_reads");
    }

    if (out->ok) {

        if (ngx_http_docket_peer_counter(f, "oldest_timestamp", &oldest)
            == NGX_OK)
        {
            peer->oldest = oldest / 1000;
        }

        if (reads == 0 || peer->nactive != 0) {
            peer->idle_at = peer->hlp->now;
            ngx_http_docket_peer_up(peer, NGX_HTTP_DOCKET_SENSOR_UP);

        } else {
            peer->idle_at = 0;
            ngx_http_docket_peer_up(peer, NGX_HTTP_DOCKET_SENSOR_BUSY);
        }

    } else {
        ngx_http_docket_peer_down(peer, out->words, slow);
    }

    seq = (f->slot == NULL) ? peer->stats_sent : 0;

    if (out->ok || seq != 0) {
        f->text_len = out->ok ? f->text_len : 0;
        ngx_http_docket_peer_say(peer, f, seq);
    }

    if (f->slot == NULL) {

        if (peer->stats_want != peer->stats_sent) {
            ngx_http_docket_peer_probe(peer);
        }

    } else if (out->ok) {
        ngx_http_docket_slot_looked(f->slot, reads);

        if (peer->idle_at == 0) {
            ngx_http_docket_peer_busy(peer);
        }

    } else {
        ngx_http_docket_slot_failed(f->slot, out);
    }

    ngx_http_docket_peer_work(peer);
}


/* What a question's end says of the sensor. */

static void
ngx_http_docket_peer_queried(ngx_http_docket_peer_t *peer,
    ngx_http_docket_fetch_t *f, ngx_http_docket_outcome_t *out)
{
    ngx_uint_t  slow;

    peer->nactive--;
    peer->took = (peer->hlp->now - f->started) / 1000.0;

    if (out->ok) {
        ngx_http_docket_peer_up(peer, NGX_HTTP_DOCKET_SENSOR_UP);
        ngx_http_docket_zone_info_update(peer->hlp->mcf->zone,
                                         ngx_http_docket_peer_took, peer);
        return;
    }

    peer->failures++;
    peer->idle_at = 0;

    if (out->down) {
        slow = (peer->took * 1000 >= NGX_HTTP_DOCKET_SLOW);
        ngx_http_docket_peer_down(peer, out->words, slow);

    } else {
        ngx_http_docket_words(peer->error, "%s", out->words);
    }
}


static void
ngx_http_docket_peer_took(ngx_http_docket_zone_info_t *info, void *data)
{
    ngx_http_docket_peer_t *peer = data;

    ngx_http_docket_histogram_add(&info->counters.query, peer->took);
}


/* A sensor of which it is not known whether it is idle is looked at by one. */

static ngx_uint_t
ngx_http_docket_peer_looking(ngx_http_docket_peer_t *peer)
{
    ngx_uint_t  i;

    for (i = 0; i < peer->conf->max_queries; i++) {

        if (peer->slots[i].state != NGX_HTTP_DOCKET_SLOT_FREE
            && peer->slots[i].state != NGX_HTTP_DOCKET_SLOT_QUERY)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_docket_peer_too_busy(ngx_http_docket_peer_t *peer,
    ngx_http_docket_ask_t *ask)
{
    int64_t  since;

    since = ngx_max(peer->busy_since, ask->queued_at);

    return peer->hlp->now - since >= (int64_t) peer->hlp->mcf->idle_timeout;
}


/* All who waited long enough give up, not only the first. */

static void
ngx_http_docket_peer_busy(ngx_http_docket_peer_t *peer)
{
    char                    words[NGX_HTTP_DOCKET_WORDS];
    ngx_uint_t              i;
    ngx_queue_t            *q;
    ngx_http_docket_ask_t  *ask;

    if (peer->busy_since == 0) {
        peer->busy_since = peer->hlp->now;
    }

    ngx_http_docket_words(words, "busy for %ld s",
        (long) (peer->hlp->now - peer->busy_since + 500) / 1000);

    for (i = 0; i < peer->conf->max_queries; i++) {

        if (peer->slots[i].state != NGX_HTTP_DOCKET_SLOT_BUSY) {
            continue;
        }

        if (ngx_http_docket_peer_too_busy(peer, peer->slots[i].ask)) {
            ngx_http_docket_slot_close(&peer->slots[i], DOCKET_SENSOR_FAILED,
                                       words);
            continue;
        }

        ngx_http_docket_timer(peer->hlp,
                              ngx_max(peer->busy_since,
                                      peer->slots[i].ask->queued_at)
                              + peer->hlp->mcf->idle_timeout);
    }

    while (!ngx_queue_empty(&peer->waiting)) {
        q = ngx_queue_head(&peer->waiting);
        ask = ngx_queue_data(q, ngx_http_docket_ask_t, queue);

        if (!ngx_http_docket_peer_too_busy(peer, ask)) {
            break;
        }

        ngx_queue_remove(q);
        peer->nwaiting--;

        ngx_http_docket_ask_close(ask, DOCKET_SENSOR_FAILED, words);
    }
}


static void
ngx_http_docket_peer_up(ngx_http_docket_peer_t *peer, ngx_uint_t health)
{
    if (peer->health != health) {

        if (peer->health == NGX_HTTP_DOCKET_SENSOR_DOWN) {
            ngx_log_error(NGX_LOG_NOTICE, peer->hlp->log, 0,
                          "docket sensor \"%V\" is up again",
                          &peer->conf->name);
        }

        peer->health = health;
        peer->changed = peer->checked;
    }

    if (health == NGX_HTTP_DOCKET_SENSOR_UP) {
        peer->busy_since = 0;
    }

    peer->error[0] = '\0';
    peer->down_until = 0;
    peer->probe_at = 0;
    peer->backoff = 0;
    peer->dirty = 1;
}


/*
 * One that is down is looked at again after a while.  When finding that out
 * took long, those who wait for it now are told the reason at once.
 */

static void
ngx_http_docket_peer_down(ngx_http_docket_peer_t *peer, const char *words,
    ngx_uint_t slow)
{
    int64_t  now;

    now = peer->hlp->now;

    if (peer->health != NGX_HTTP_DOCKET_SENSOR_DOWN) {
        peer->health = NGX_HTTP_DOCKET_SENSOR_DOWN;
        peer->changed = peer->checked;

        ngx_log_error(NGX_LOG_WARN, peer->hlp->log, 0,
                      "docket sensor \"%V\" is down: %s",
                      &peer->conf->name, words);
    }

    ngx_http_docket_words(peer->error, "%s", words);

    peer->idle_at = 0;
    peer->busy_since = 0;
    peer->dirty = 1;

    if (now < peer->probe_at) {
        return;
    }

    peer->backoff = (peer->backoff == 0)
                    ? NGX_HTTP_DOCKET_PROBE_MIN
                    : ngx_min(peer->backoff * 2, NGX_HTTP_DOCKET_PROBE_MAX);

    peer->probe_at = now + peer->backoff;
    peer->down_until = slow ? peer->probe_at : 0;

    ngx_http_docket_timer(peer->hlp, peer->probe_at);
}


static void
ngx_http_docket_peer_fail_waiting(ngx_http_docket_peer_t *peer)
{
    char                    words[NGX_HTTP_DOCKET_WORDS];
    ngx_uint_t              i;
    ngx_queue_t            *q, *next;
    ngx_http_docket_ask_t  *ask;

    /* the attempts of the one that found it out come to their end first */

    for (i = 0; i < peer->conf->max_queries; i++) {
        if (peer->slots[i].state != NGX_HTTP_DOCKET_SLOT_FREE) {
            return;
        }
    }

    ngx_http_docket_words(words, "down, not tried again yet: %s",
                          peer->error);

    for (q = ngx_queue_head(&peer->waiting);
         q != ngx_queue_sentinel(&peer->waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        ask = ngx_queue_data(q, ngx_http_docket_ask_t, queue);

        /* a person who says "retry" knows something */

        if (ask->run->again == DOCKET_AGAIN_RETRY) {
            continue;
        }

        ngx_queue_remove(q);
        peer->nwaiting--;
        peer->dirty = 1;

        ngx_http_docket_ask_close(ask, DOCKET_SENSOR_FAILED, words);
    }
}


void
ngx_http_docket_peer_forget(ngx_http_docket_ask_t *ask)
{
    ngx_http_docket_peer_t  *peer;
    ngx_http_docket_slot_t  *slot;

    peer = ask->peer;
    slot = ask->slot;

    peer->dirty = 1;

    if (slot == NULL) {
        ngx_queue_remove(&ask->queue);
        peer->nwaiting--;
        return;
    }

    if (slot->state == NGX_HTTP_DOCKET_SLOT_QUERY) {
        peer->nactive--;
    }

    ngx_http_docket_fetch_abort(&slot->fetch);

    slot->ask = NULL;
    slot->fetch.ask = NULL;
    slot->at = 0;
    slot->state = NGX_HTTP_DOCKET_SLOT_FREE;

    ask->slot = NULL;

    /* the sensor may still be reading for nobody */

    peer->idle_at = 0;
}


void
ngx_http_docket_peers_stats(ngx_http_docket_proc_t *hlp, uint32_t wanted)
{
    ngx_uint_t               i;
    ngx_http_docket_peer_t  *peer;

    if (wanted == hlp->stats_seen) {
        return;
    }

    hlp->stats_seen = wanted;

    for (i = 0; i < hlp->npeers; i++) {
        peer = &hlp->peers[i];
        peer->stats_want = wanted;

        if (!peer->probe.active) {
            ngx_http_docket_peer_probe(peer);
        }
    }
}


static void
ngx_http_docket_peer_probe(ngx_http_docket_peer_t *peer)
{
    ngx_http_docket_outcome_t  out;

    peer->stats_sent = peer->stats_want;

    if (ngx_http_docket_fetch_start(&peer->probe, NGX_HTTP_DOCKET_FETCH_STATS,
                                    &out)
        != NGX_OK)
    {
        ngx_http_docket_peer_down(peer, out.words, 0);
        ngx_http_docket_peer_say(peer, &peer->probe, peer->stats_sent);
    }
}


void
ngx_http_docket_peers_timers(ngx_http_docket_proc_t *hlp)
{
    ngx_uint_t               i, j;
    ngx_http_docket_peer_t  *peer;
    ngx_http_docket_slot_t  *slot;

    for (i = 0; i < hlp->npeers; i++) {
        peer = &hlp->peers[i];

        if (peer->probe_at != 0) {

            if (hlp->now < peer->probe_at) {
                ngx_http_docket_timer(hlp, peer->probe_at);

            } else if (!peer->probe.active && peer->nwaiting == 0
                       && hlp->owner != -1)
            {
                ngx_http_docket_peer_probe(peer);
            }
        }

        for (j = 0; j < peer->conf->max_queries; j++) {
            slot = &peer->slots[j];

            if (slot->at == 0) {
                continue;
            }

            if (slot->state == NGX_HTTP_DOCKET_SLOT_BUSY) {
                ngx_http_docket_peer_busy(peer);
            }

            if (slot->at == 0) {
                continue;
            }

            if (hlp->now < slot->at) {
                ngx_http_docket_timer(hlp, slot->at);
                continue;
            }

            slot->at = 0;

            if (slot->state == NGX_HTTP_DOCKET_SLOT_BACKOFF) {
                ngx_http_docket_slot_start(slot);

            } else {
                ngx_http_docket_slot_go(slot);
            }
        }

        ngx_http_docket_peer_work(peer);

        if (peer->dirty) {

            if (hlp->now - peer->said >= NGX_HTTP_DOCKET_PROGRESS) {
                ngx_http_docket_peer_say(peer, NULL, 0);

            } else {
                ngx_http_docket_timer(hlp,
                                      peer->said + NGX_HTTP_DOCKET_PROGRESS);
            }
        }
    }
}


/* Value of a "name<TAB>value" line; one that is cut at the end is none. */

static ngx_int_t
ngx_http_docket_peer_counter(ngx_http_docket_fetch_t *f, const char *name,
    uint64_t *value)
{
    size_t   len;
    u_char  *p, *end, *line;

    len = ngx_strlen(name);

    p = f->text;
    end = f->text + f->text_len;

    while (p < end) {
        line = p;

        p = ngx_strlchr(p, end, '\n');
        if (p == NULL) {
            break;
        }

        if ((size_t) (p - line) > len + 1
            && ngx_strncmp(line, name, len) == 0
            && (line[len] == '\t' || line[len] == ' '))
        {
            line += len + 1;
            *value = 0;

            while (line < p && *line >= '0' && *line <= '9'
                   && *value < UINT64_MAX / 10 - 1)
            {
                *value = *value * 10 + (*line++ - '0');
            }

            return (line == p || *line == '\r') ? NGX_OK : NGX_ERROR;
        }

        p++;
    }

    return NGX_ERROR;
}


static void
ngx_http_docket_peer_say(ngx_http_docket_peer_t *peer,
    ngx_http_docket_fetch_t *f, uint32_t seq)
{
    ngx_http_docket_say_t  say;

    say.peer = peer;
    say.fetch = f;
    say.seq = seq;

    peer->dirty = 0;
    peer->said = peer->hlp->now;

    ngx_http_docket_zone_sensor_update(peer->hlp->mcf->zone,
                                       peer->conf->shared,
                                       ngx_http_docket_peer_copy, &say);

    if (seq != 0) {
        ngx_http_docket_wake_workers(peer->hlp->mcf);
    }
}


static void
ngx_http_docket_peer_copy(ngx_http_docket_sensor_state_t *s, void *data)
{
    ngx_http_docket_say_t *say = data;

    ngx_http_docket_peer_t   *peer;
    ngx_http_docket_fetch_t  *f;

    peer = say->peer;
    f = say->fetch;

    s->health = peer->health;
    s->checked = peer->checked;
    s->changed = peer->changed;
    s->oldest = peer->oldest;
    s->not_after = peer->not_after;
    s->active = peer->nactive;
    s->waiting = peer->nwaiting;

    /* another generation counts here too */

    s->queries += peer->queries;
    s->failures += peer->failures;
    s->received += peer->received;

    peer->queries = 0;
    peer->failures = 0;
    peer->received = 0;

    ngx_memcpy(s->error, peer->error, sizeof(s->error));

    if (f == NULL) {
        return;
    }

    if (f->text_len != 0 || say->seq != 0) {
        s->stats_len = f->text_len;
        s->stats_time = peer->checked;

        if (f->text_len != 0) {
            ngx_memcpy(s->stats, f->text, f->text_len);
        }
    }

    if (say->seq != 0) {
        s->stats_seq = say->seq;
    }
}
