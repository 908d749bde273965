/*
 * Fetching: each sensor works its own queue, one query (or max_queries) at a
 * time and only when it is idle; all sensors at once.
 */

#include "helper/ngx_http_docket_process.h"


#define NGX_HTTP_DOCKET_IDLE_TIMER  500
#define NGX_HTTP_DOCKET_FIRST_WAIT  250


static void ngx_http_docket_fetch_start(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f);
static void ngx_http_docket_fetch_query(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f);
static void ngx_http_docket_fetch_idle(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f, CURLcode code);
static void ngx_http_docket_fetch_answer(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f, CURLcode code);
static void ngx_http_docket_fetch_end(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f, docket_sensor_state_e state,
    const char *error);
static void ngx_http_docket_fetch_again(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f, const char *error);


ngx_int_t
ngx_http_docket_fetch_init(ngx_http_docket_helper_t *h)
{
    char                       to[512];
    ngx_uint_t                 i, n;
    const char                *bra;
    ngx_http_docket_sensor_t  *sensor;

    n = h->mcf->sensors.nelts;
    sensor = h->mcf->sensors.elts;

    h->peers = ngx_calloc(n * sizeof(ngx_http_docket_peer_t), h->log);

    if (h->peers == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        h->peers[i].conf = &sensor[i];
        ngx_queue_init(&h->peers[i].waiting);

        /* the name is asked for and checked, the address is dialled */

        if (sensor[i].tls_name.len != 0) {
            bra = (ngx_strchr(sensor[i].host.data, ':') != NULL) ? "[" : "";

            (void) snprintf(to, sizeof(to), "::%s%s%s:%d", bra,
                            (char *) sensor[i].host.data,
                            *bra != '\0' ? "]" : "", (int) sensor[i].port);

            h->peers[i].connect = curl_slist_append(NULL, to);

            if (h->peers[i].connect == NULL) {
                return NGX_ERROR;
            }
        }
    }

    h->multi = curl_multi_init();
    h->headers = curl_slist_append(NULL,
                                   "Content-Type: application/octet-stream");

    if (h->headers != NULL) {
        h->headers = curl_slist_append(h->headers, "Expect:");
    }

    if (h->multi == NULL || h->headers == NULL
        || curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long) (2 * n + 8))
           != CURLM_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* The PEMs that the master read; nothing of the system's. */

static CURL *
ngx_http_docket_fetch_curl(ngx_http_docket_helper_t *h,
    ngx_http_docket_peer_t *peer, const char *path, char *error)
{
    int                        ok;
    CURL                      *curl;
    char                       url[512];
    const char                *name, *bra, *ket;
    struct curl_blob           blob;
    ngx_http_docket_sensor_t  *s;

    s = peer->conf;

    curl = curl_easy_init();
    if (curl == NULL) {
        return NULL;
    }

    name = (s->tls_name.len != 0) ? (char *) s->tls_name.data
                                  : (char *) s->host.data;
    bra = (strchr(name, ':') != NULL) ? "[" : "";
    ket = (*bra != '\0') ? "]" : "";

    (void) snprintf(url, sizeof(url), "https://%s%s%s:%d%s", bra, name, ket,
                    (int) s->port, path);

    ok = curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK
         && curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK
         && curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                             (long) CURL_HTTP_VERSION_1_1) == CURLE_OK
         && curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK
         && curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK
         && curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK
         && curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 262144L) == CURLE_OK
         && curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error) == CURLE_OK
         && curl_easy_setopt(curl, CURLOPT_CAINFO, NULL) == CURLE_OK
         && curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK
         && curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                             (long) CURL_SSLVERSION_TLSv1_2) == CURLE_OK
         && curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                             (long) h->mcf->connect_timeout) == CURLE_OK;

    blob.flags = CURL_BLOB_NOCOPY;

    blob.data = s->certificate->pem.data;
    blob.len = s->certificate->pem.len;
    ok = ok && curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &blob) == CURLE_OK;

    blob.data = s->certificate_key->pem.data;
    blob.len = s->certificate_key->pem.len;
    ok = ok && curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &blob) == CURLE_OK;

    blob.data = s->trusted->pem.data;
    blob.len = s->trusted->pem.len;
    ok = ok && curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK;

    if (ok && peer->connect != NULL) {
        ok = curl_easy_setopt(curl, CURLOPT_CONNECT_TO, peer->connect)
             == CURLE_OK;
    }

    if (!ok) {
        curl_easy_cleanup(curl);
        return NULL;
    }

    return curl;
}


static size_t
ngx_http_docket_fetch_stats(char *data, size_t one, size_t n, void *ctx)
{
    size_t                    room;
    ngx_http_docket_fetch_t  *f = ctx;

    room = ngx_min(n, sizeof(f->stats) - 1 - f->stats_len);

    ngx_memcpy(f->stats + f->stats_len, data, room);
    f->stats_len += room;

    return n;
}


static size_t
ngx_http_docket_fetch_body(char *data, size_t one, size_t n, void *ctx)
{
    long                      status;
    size_t                    done, room;
    ssize_t                   w;
    ngx_http_docket_fetch_t  *f = ctx;

    (void) curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);

    if (status != 200) {
        room = ngx_min(n, sizeof(f->head) - 1 - f->head_len);
        ngx_memcpy(f->head + f->head_len, data, room);
        f->head_len += room;
        return n;
    }

    for (done = 0; done < n; done += (size_t) w) {
        w = write(f->fd, data + done, n - done);

        if (w == -1 && ngx_errno == NGX_EINTR) {
            w = 0;

        } else if (w == -1) {
            f->write_errno = ngx_errno;
            return 0;
        }
    }

    f->received += n;
    f->request->received = f->received;

    return n;
}


static void
ngx_http_docket_fetch_progress(ngx_http_docket_helper_t *h,
    ngx_http_docket_run_t *run)
{
    ngx_http_docket_zone_progress(h->zone, run->job->id, run->job->requests,
                                  run->job->nrequests);
    ngx_http_docket_wake_workers(h->mcf);
}


/* NGX_OK: started; NGX_AGAIN: no query slot of this sensor is free. */

static void
ngx_http_docket_fetch_start(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f)
{
    ngx_msec_t               now;
    ngx_http_docket_peer_t  *peer;

    peer = f->peer;
    now = ngx_http_docket_clock();

    f->slot = docket_spool_slot(&h->mcf->sp, (char *) peer->conf->name.data,
                                peer->conf->max_queries);

    if (f->slot == -1) {

        if (errno == EWOULDBLOCK) {
            f->at = now + NGX_HTTP_DOCKET_FIRST_WAIT;
            return;
        }

        peer->active++;
        ngx_queue_remove(&f->queue);
        ngx_http_docket_fetch_end(h, f, DOCKET_SENSOR_FAILED, strerror(errno));
        return;
    }

    ngx_queue_remove(&f->queue);
    peer->active++;

    if (f->request->started == 0) {
        f->request->started = ngx_http_docket_now();
    }

    f->request->state = DOCKET_SENSOR_REQUESTING;
    f->error[0] = '\0';

    if (peer->idle && (ngx_msec_int_t) (peer->idle_until - now) > 0) {
        ngx_http_docket_fetch_query(h, f);
        return;
    }

    f->state = NGX_HTTP_DOCKET_FETCH_IDLE;
    f->stats_len = 0;

    f->curl = ngx_http_docket_fetch_curl(h, peer, "/debug/stats",
                                         f->error);

    if (f->curl == NULL
        || curl_easy_setopt(f->curl, CURLOPT_PRIVATE, f) != CURLE_OK
        || curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f) != CURLE_OK
        || curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION,
                            ngx_http_docket_fetch_stats) != CURLE_OK
        || curl_easy_setopt(f->curl, CURLOPT_TIMEOUT_MS,
                            (long) h->mcf->stat_timeout) != CURLE_OK
        || curl_multi_add_handle(h->multi, f->curl) != CURLM_OK)
    {
        ngx_http_docket_fetch_end(h, f, DOCKET_SENSOR_FAILED, "out of memory");
    }
}


static void
ngx_http_docket_fetch_query(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f)
{
    long  stall;

    f->state = NGX_HTTP_DOCKET_FETCH_QUERY;
    f->request->attempts++;
    f->begun = ngx_http_docket_clock();
    f->received = 0;
    f->head_len = 0;
    f->write_errno = 0;

    stall = (long) (h->mcf->stall_timeout + 999) / 1000;

    f->curl = ngx_http_docket_fetch_curl(h, f->peer, "/query", f->error);

    if (f->curl == NULL
        || curl_easy_setopt(f->curl, CURLOPT_PRIVATE, f) != CURLE_OK
        || curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, h->headers) != CURLE_OK
        || curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, f->text) != CURLE_OK
        || curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f) != CURLE_OK
        || curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION,
                            ngx_http_docket_fetch_body) != CURLE_OK
        || curl_easy_setopt(f->curl, CURLOPT_TIMEOUT_MS,
                            (long) h->mcf->query_timeout) != CURLE_OK
        || curl_easy_setopt(f->curl, CURLOPT_LOW_SPEED_LIMIT, 1L) != CURLE_OK
        || curl_easy_setopt(f->curl, CURLOPT_LOW_SPEED_TIME, stall) != CURLE_OK
        || curl_multi_add_handle(h->multi, f->curl) != CURLM_OK)
    {
        ngx_http_docket_fetch_end(h, f, DOCKET_SENSOR_FAILED, "out of memory");
        return;
    }

    ngx_http_docket_fetch_progress(h, f->run);
}


typedef struct {
    ngx_uint_t                health;
    ngx_http_docket_fetch_t  *fetch;
    const char               *error;
    ngx_uint_t                query;          /* a query has ended */
} ngx_http_docket_contact_t;


static void
ngx_http_docket_fetch_contact(ngx_http_docket_sensor_state_t *s, void *data)
{
    char                       *p;
    ngx_http_docket_contact_t  *c = data;

    s->checked = ngx_http_docket_now();

    if (s->health != c->health) {
        s->health = c->health;
        s->changed = s->checked;
    }

    if (c->error != NULL) {
        (void) ngx_cpystrn((u_char *) s->error, (u_char *) c->error,
                           sizeof(s->error));
    }

    if (c->query) {
        s->queries++;
        s->failures += (c->error != NULL);
        s->received += c->fetch->received;
        return;
    }

    if (c->fetch->stats_len == 0) {
        return;
    }

    s->stats_len = c->fetch->stats_len;
    s->stats_time = s->checked;
    ngx_memcpy(s->stats, c->fetch->stats, s->stats_len);

    p = strstr((char *) c->fetch->stats, "oldest_timestamp\t");

    if (p != NULL) {
        s->oldest = strtoll(p + sizeof("oldest_timestamp\t") - 1, NULL, 10)
                    / 1000;
    }
}


static void
ngx_http_docket_fetch_health(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f, ngx_uint_t health, const char *error,
    ngx_uint_t query)
{
    ngx_http_docket_contact_t  c;

    c.health = health;
    c.fetch = f;
    c.error = error;
    c.query = query;

    ngx_http_docket_zone_sensor_update(h->zone, f->peer->conf->shared,
                                       ngx_http_docket_fetch_contact, &c);
}


static void
ngx_http_docket_fetch_idle(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f, CURLcode code)
{
    char        *reads, words[64];
    long         status;
    ngx_msec_t   now;

    now = ngx_http_docket_clock();
    (void) curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);

    (void) curl_multi_remove_handle(h->multi, f->curl);
    curl_easy_cleanup(f->curl);
    f->curl = NULL;

    if (code != CURLE_OK) {
        ngx_http_docket_fetch_health(h, f, NGX_HTTP_DOCKET_SENSOR_DOWN,
                                     f->error[0] != '\0'
                                     ? f->error : curl_easy_strerror(code), 0);

        if (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT
            || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING)
        {
            ngx_http_docket_fetch_again(h, f, f->error[0] != '\0'
                                        ? f->error : curl_easy_strerror(code));
            return;
        }

        ngx_http_docket_fetch_end(h, f, DOCKET_SENSOR_FAILED,
                                  f->error[0] != '\0'
                                  ? f->error : curl_easy_strerror(code));
        return;
    }

    if (status != 200) {
        (void) snprintf(words, sizeof(words), "HTTP status %ld of /debug/stats",
                        status);
        ngx_http_docket_fetch_health(h, f, NGX_HTTP_DOCKET_SENSOR_UP, words, 0);
        ngx_http_docket_fetch_end(h, f, DOCKET_SENSOR_FAILED, words);
        return;
    }

    f->stats[f->stats_len] = '\0';
    reads = strstr((char *) f->stats, "indexfile_current_reads\t");

    if (reads == NULL
        || strtol(reads + sizeof("indexfile_current_reads\t") - 1, NULL, 10)
           == 0)
    {
        ngx_http_docket_fetch_health(h, f, NGX_HTTP_DOCKET_SENSOR_UP, NULL, 0);

        f->peer->idle = 1;
        f->peer->idle_until = now + h->mcf->idle_time;
        f->since = 0;
        ngx_http_docket_fetch_query(h, f);
        return;
    }

    ngx_http_docket_fetch_health(h, f, NGX_HTTP_DOCKET_SENSOR_BUSY, NULL, 0);

    f->peer->idle = 0;

    if (f->since == 0) {
        f->since = now;
    }

    if (now - f->since >= h->mcf->idle_timeout) {
        (void) snprintf(words, sizeof(words), "busy for %d s",
                        (int) ((now - f->since) / 1000));
        ngx_http_docket_fetch_end(h, f, DOCKET_SENSOR_FAILED, words);
        return;
    }

    (void) close(f->slot);
    f->slot = -1;
    f->at = now + h->mcf->idle_sleep;
    f->state = NGX_HTTP_DOCKET_FETCH_WAITING;
    f->peer->active--;
    ngx_queue_insert_head(&f->peer->waiting, &f->queue);
}


static void
ngx_http_docket_fetch_answer(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f, CURLcode code)
{
    long     status;
    char     words[CURL_ERROR_SIZE + 64];
    size_t   i;

    (void) curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);

    (void) curl_multi_remove_handle(h->multi, f->curl);
    curl_easy_cleanup(f->curl);
    f->curl = NULL;

    f->peer->idle_until = ngx_http_docket_clock() + h->mcf->idle_time;

    if (code == CURLE_OK && status == 200) {

        if (ngx_http_docket_clock() - f->begun > 880 * 1000) {
            (void) snprintf(f->request->warning, sizeof(f->request->warning),
                            "the answer took as long as the sensor's own "
                            "limit of 15 minutes and may be cut");
        }

        ngx_http_docket_fetch_health(h, f, NGX_HTTP_DOCKET_SENSOR_UP, NULL, 1);
        ngx_http_docket_fetch_end(h, f, DOCKET_SENSOR_COMPLETE, NULL);
        return;
    }

    if (f->write_errno != 0) {
        (void) snprintf(words, sizeof(words), "writing to the spool: %s",
                        strerror(f->write_errno));

    } else if (code == CURLE_OK) {

        for (i = 0; i < f->head_len; i++) {
            if (f->head[i] < 0x20 || f->head[i] > 0x7e) {
                f->head[i] = ' ';
            }
        }

        (void) snprintf(words, sizeof(words), "HTTP status %ld: %.*s", status,
                        (int) f->head_len, f->head);

    } else {
        (void) snprintf(words, sizeof(words), "%s",
                        f->error[0] != '\0' ? f->error
                                            : curl_easy_strerror(code));
    }

    ngx_http_docket_fetch_health(h, f, NGX_HTTP_DOCKET_SENSOR_UP, words, 1);

    if ((code == CURLE_OK && (status == 429 || status >= 500))
        || code == CURLE_COULDNT_CONNECT || code == CURLE_RECV_ERROR
        || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING
        || code == CURLE_PARTIAL_FILE)
    {
        ngx_http_docket_fetch_again(h, f, words);
        return;
    }

    ngx_http_docket_fetch_end(h, f,
                              f->received > 24 ? DOCKET_SENSOR_PARTIAL
                                               : DOCKET_SENSOR_FAILED, words);
}


/* What came so far is thrown away, and asked for again a little later. */

static void
ngx_http_docket_fetch_again(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f, const char *error)
{
    if (f->request->attempts == 0) {
        f->request->attempts = 1;
    }

    if (f->request->attempts > h->mcf->retries || f->run->cancelled
        || h->draining)
    {
        ngx_http_docket_fetch_end(h, f,
                                  f->received > 24 ? DOCKET_SENSOR_PARTIAL
                                                   : DOCKET_SENSOR_FAILED,
                                  error);
        return;
    }

    (void) ngx_cpystrn((u_char *) f->request->error, (u_char *) error,
                       sizeof(f->request->error));

    if (f->state == NGX_HTTP_DOCKET_FETCH_IDLE) {
        f->request->attempts++;
    }

    if (f->fd != -1
        && (ftruncate(f->fd, 0) == -1 || lseek(f->fd, 0, SEEK_SET) == -1))
    {
        ngx_http_docket_fetch_end(h, f, DOCKET_SENSOR_FAILED, strerror(errno));
        return;
    }

    (void) close(f->slot);
    f->slot = -1;
    f->received = 0;
    f->at = ngx_http_docket_clock()
            + (NGX_HTTP_DOCKET_FIRST_WAIT << ngx_min(f->request->attempts, 6));
    f->state = NGX_HTTP_DOCKET_FETCH_WAITING;
    f->peer->active--;
    f->peer->idle = 0;

    ngx_queue_insert_head(&f->peer->waiting, &f->queue);
    ngx_http_docket_fetch_progress(h, f->run);
}


static void
ngx_http_docket_fetch_end(ngx_http_docket_helper_t *h,
    ngx_http_docket_fetch_t *f, docket_sensor_state_e state,
    const char *error)
{
    f->state = NGX_HTTP_DOCKET_FETCH_DONE;
    f->request->state = state;
    f->request->finished = ngx_http_docket_now();
    f->request->received = f->received;
    f->request->slices_done = (state == DOCKET_SENSOR_COMPLETE);
    f->request->error[0] = '\0';

    if (error != NULL) {
        (void) ngx_cpystrn((u_char *) f->request->error, (u_char *) error,
                           sizeof(f->request->error));
    }

    if (f->slot != -1) {
        (void) close(f->slot);
        f->slot = -1;
    }

    f->peer->active--;
    f->run->left--;

    if (f->run->left == 0) {
        ngx_http_docket_run_fetched(h, f->run);
        return;
    }

    ngx_http_docket_fetch_progress(h, f->run);
}


void
ngx_http_docket_fetch_abort(ngx_http_docket_helper_t *h,
    ngx_http_docket_run_t *run, const char *why)
{
    ngx_uint_t                i, n;
    ngx_http_docket_fetch_t  *f;

    n = run->n;

    for (i = 0; i < n; i++) {
        f = &run->fetches[i];

        if (f->state == NGX_HTTP_DOCKET_FETCH_DONE) {
            continue;
        }

        if (f->state == NGX_HTTP_DOCKET_FETCH_WAITING) {
            ngx_queue_remove(&f->queue);
            f->peer->active++;

        } else {
            (void) curl_multi_remove_handle(h->multi, f->curl);
            curl_easy_cleanup(f->curl);
            f->curl = NULL;
        }

        /* the last one hands the run over */

        ngx_http_docket_fetch_end(h, f, DOCKET_SENSOR_CANCELLED, why);
    }
}


ngx_msec_t
ngx_http_docket_fetch_run(ngx_http_docket_helper_t *h)
{
    int                       left, running;
    CURLMsg                  *msg;
    CURLcode                  code;
    ngx_uint_t                i;
    ngx_msec_t                now, timeout;
    ngx_queue_t              *q;
    ngx_http_docket_peer_t   *peer;
    ngx_http_docket_fetch_t  *f;

    do {
        timeout = NGX_HTTP_DOCKET_IDLE_TIMER;
        now = ngx_http_docket_clock();

        for (i = 0; i < h->mcf->sensors.nelts; i++) {
            peer = &h->peers[i];

            while (peer->active < peer->conf->max_queries
                   && !ngx_queue_empty(&peer->waiting))
            {
                q = ngx_queue_head(&peer->waiting);
                f = ngx_queue_data(q, ngx_http_docket_fetch_t, queue);

                if ((ngx_msec_int_t) (f->at - now) > 0) {
                    timeout = ngx_min(timeout, f->at - now);
                    break;
                }

                ngx_http_docket_fetch_start(h, f);
            }
        }

        (void) curl_multi_perform(h->multi, &running);

        i = 0;

        while ((msg = curl_multi_info_read(h->multi, &left)) != NULL) {

            if (msg->msg != CURLMSG_DONE) {
                continue;
            }

            code = msg->data.result;

            if (curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &f)
                != CURLE_OK)
            {
                continue;
            }

            i++;

            if (f->state == NGX_HTTP_DOCKET_FETCH_IDLE) {
                ngx_http_docket_fetch_idle(h, f, code);

            } else {
                ngx_http_docket_fetch_answer(h, f, code);
            }
        }

        /* one that has ended lets the next one start at once */

    } while (i != 0);

    return timeout;
}
