/*
 * Transfers: what curl is told, what it said, in words an operator can use.
 */

#include "helper/ngx_http_docket_fetch.h"
#include "helper/ngx_http_docket_ask.h"
#include "helper/ngx_http_docket_tls.h"

#include <openssl/ssl.h>


/* milliseconds */
#define NGX_HTTP_DOCKET_HOLD          10    /* a pause, frees held records */
#define NGX_HTTP_DOCKET_PAUSE         100   /* of one whose stream is full */
#define NGX_HTTP_DOCKET_PACE          250   /* gap of one that keeps pace */

#define NGX_HTTP_DOCKET_BODY          120   /* bytes of an error's body */
#define NGX_HTTP_DOCKET_HEAD          (64 * 1024)   /* of any answer */


static CURL *ngx_http_docket_fetch_easy(ngx_http_docket_fetch_t *f);
static CURLcode ngx_http_docket_fetch_common(ngx_http_docket_fetch_t *f,
    CURL *easy);
static CURLcode ngx_http_docket_fetch_stats(ngx_http_docket_fetch_t *f);
static CURLcode ngx_http_docket_fetch_query(ngx_http_docket_fetch_t *f);
static size_t ngx_http_docket_fetch_header(char *p, size_t size, size_t n,
    void *data);
static size_t ngx_http_docket_fetch_body(char *p, size_t size, size_t n,
    void *data);
static ngx_uint_t ngx_http_docket_fetch_pause(ngx_http_docket_fetch_t *f);
static ngx_uint_t ngx_http_docket_fetch_pace(ngx_http_docket_fetch_t *f,
    ngx_http_docket_slot_t *slot);
static void ngx_http_docket_fetch_over(ngx_http_docket_fetch_t *f);
static void ngx_http_docket_fetch_done(ngx_http_docket_fetch_t *f,
    CURLcode rc);
static void ngx_http_docket_fetch_tell(ngx_http_docket_fetch_t *f,
    ngx_http_docket_outcome_t *out);
static void ngx_http_docket_fetch_forget(ngx_http_docket_fetch_t *f);
static void ngx_http_docket_fetch_outcome(ngx_http_docket_fetch_t *f,
    CURLcode rc, ngx_http_docket_outcome_t *out);
static void ngx_http_docket_fetch_curl(ngx_http_docket_fetch_t *f,
    CURLcode rc, ngx_http_docket_outcome_t *out);
static void ngx_http_docket_fetch_status(ngx_http_docket_fetch_t *f,
    ngx_http_docket_outcome_t *out);
static ngx_uint_t ngx_http_docket_fetch_late(ngx_http_docket_fetch_t *f,
    ngx_http_docket_outcome_t *out);


ngx_int_t
ngx_http_docket_fetch_init(ngx_http_docket_proc_t *hlp)
{
    long                       n;
    ngx_uint_t                 i;
    ngx_http_docket_sensor_t  *sensor;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        ngx_log_error(NGX_LOG_EMERG, hlp->log, 0, "curl_global_init() failed");
        return NGX_ERROR;
    }

    hlp->multi = curl_multi_init();
    if (hlp->multi == NULL) {
        ngx_log_error(NGX_LOG_EMERG, hlp->log, 0, "curl_multi_init() failed");
        return NGX_ERROR;
    }

    hlp->headers = curl_slist_append(NULL, "Content-Type: text/plain");
    if (hlp->headers == NULL) {
        return NGX_ERROR;
    }

    /* each place keeps its connection, and so does each look */

    n = 8;
    sensor = hlp->mcf->sensors.elts;

    for (i = 0; i < hlp->mcf->sensors.nelts; i++) {
        n += sensor[i].max_queries + 1;
    }

    (void) curl_multi_setopt(hlp->multi, CURLMOPT_MAXCONNECTS, n);
    (void) curl_multi_setopt(hlp->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_fetch_start(ngx_http_docket_fetch_t *f,
    ngx_http_docket_fetch_e kind, ngx_http_docket_outcome_t *out)
{
    CURLcode                 rc;
    CURLMcode                mrc;
    ngx_http_docket_proc_t  *hlp;

    hlp = f->peer->hlp;

    ngx_memzero(out, sizeof(ngx_http_docket_outcome_t));

    if (f->easy == NULL) {
        f->easy = ngx_http_docket_fetch_easy(f);

        if (f->easy == NULL) {
            ngx_http_docket_words(out->words,
                                  "curl took no options for this sensor: %s",
                                  f->error);
            return NGX_ERROR;
        }
    }

    f->kind = kind;
    f->started = hlp->now;
    f->last = hlp->now;
    f->received = 0;
    f->head = 0;
    f->status = 0;
    f->held = 0;
    f->paused = 0;
    f->waited = 0;
    f->refused = 0;
    f->certified = 0;
    f->error[0] = '\0';

    ngx_http_docket_fetch_forget(f);

    rc = (kind == NGX_HTTP_DOCKET_FETCH_STATS)
         ? ngx_http_docket_fetch_stats(f) : ngx_http_docket_fetch_query(f);

    if (rc != CURLE_OK) {
        ngx_http_docket_words(out->words, "%s", curl_easy_strerror(rc));
        return NGX_ERROR;
    }

    mrc = curl_multi_add_handle(hlp->multi, f->easy);

    if (mrc != CURLM_OK) {
        ngx_http_docket_words(out->words, "%s", curl_multi_strerror(mrc));
        return NGX_ERROR;
    }

    f->active = 1;
    ngx_queue_insert_tail(&hlp->fetches, &f->queue);

    ngx_http_docket_timer(hlp, hlp->now
                               + ((kind == NGX_HTTP_DOCKET_FETCH_STATS)
                                  ? hlp->mcf->stat_timeout
                                  : hlp->mcf->stall_timeout));

    return NGX_OK;
}


static CURL *
ngx_http_docket_fetch_easy(ngx_http_docket_fetch_t *f)
{
    CURL      *easy;
    CURLcode   rc;

    easy = curl_easy_init();
    if (easy == NULL) {
        (void) snprintf(f->error, sizeof(f->error), "out of memory");
        return NULL;
    }

    rc = ngx_http_docket_fetch_common(f, easy);

    if (rc == CURLE_OK) {
        rc = ngx_http_docket_tls(f->peer->conf, easy);
    }

    if (rc != CURLE_OK) {
        (void) snprintf(f->error, sizeof(f->error), "%s",
                        curl_easy_strerror(rc));
        curl_easy_cleanup(easy);
        return NULL;
    }

    return easy;
}


static CURLcode
ngx_http_docket_fetch_common(ngx_http_docket_fetch_t *f, CURL *easy)
{
    ngx_http_docket_peer_t       *peer;
    ngx_http_docket_main_conf_t  *mcf;

    peer = f->peer;
    mcf = peer->hlp->mcf;

    ngx_http_docket_setopt(easy, CURLOPT_PRIVATE, f);
    ngx_http_docket_setopt(easy, CURLOPT_ERRORBUFFER, f->error);
    ngx_http_docket_setopt(easy, CURLOPT_HEADERFUNCTION,
                           ngx_http_docket_fetch_header);
    ngx_http_docket_setopt(easy, CURLOPT_HEADERDATA, f);
    ngx_http_docket_setopt(easy, CURLOPT_WRITEFUNCTION,
                           ngx_http_docket_fetch_body);
    ngx_http_docket_setopt(easy, CURLOPT_WRITEDATA, f);

    ngx_http_docket_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    ngx_http_docket_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    ngx_http_docket_setopt(easy, CURLOPT_HTTP_VERSION,
                           (long) CURL_HTTP_VERSION_1_1);
    ngx_http_docket_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    ngx_http_docket_setopt(easy, CURLOPT_PROXY, "");
    ngx_http_docket_setopt(easy, CURLOPT_USERAGENT,
                           "docket/" NGX_HTTP_DOCKET_VERSION);
    ngx_http_docket_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    ngx_http_docket_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    ngx_http_docket_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                           (long) mcf->connect_timeout);
#if (LIBCURL_VERSION_NUM >= 0x075500)
    ngx_http_docket_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
#else
    ngx_http_docket_setopt(easy, CURLOPT_PROTOCOLS, (long) CURLPROTO_HTTPS);
#endif

    if (peer->connect_to != NULL) {
        ngx_http_docket_setopt(easy, CURLOPT_CONNECT_TO, peer->connect_to);
    }

    return CURLE_OK;
}


static CURLcode
ngx_http_docket_fetch_stats(ngx_http_docket_fetch_t *f)
{
    ngx_http_docket_main_conf_t  *mcf;

    mcf = f->peer->hlp->mcf;

    ngx_http_docket_setopt(f->easy, CURLOPT_URL, f->peer->stats_url);
    ngx_http_docket_setopt(f->easy, CURLOPT_HTTPHEADER, NULL);
    ngx_http_docket_setopt(f->easy, CURLOPT_HTTPGET, 1L);

    /* of which stat_timeout is what counts once there is a connection */

    ngx_http_docket_setopt(f->easy, CURLOPT_TIMEOUT_MS,
                           (long) (mcf->connect_timeout + mcf->stat_timeout));

    return CURLE_OK;
}


static CURLcode
ngx_http_docket_fetch_query(ngx_http_docket_fetch_t *f)
{
    size_t       len;
    const char  *text;

    text = ngx_http_docket_ask_text(f->ask, &len);

    if (len == 0) {
        return CURLE_BAD_FUNCTION_ARGUMENT;
    }

    ngx_http_docket_setopt(f->easy, CURLOPT_URL, f->peer->query_url);
    ngx_http_docket_setopt(f->easy, CURLOPT_POST, 1L);
    ngx_http_docket_setopt(f->easy, CURLOPT_HTTPHEADER, f->peer->hlp->headers);
    ngx_http_docket_setopt(f->easy, CURLOPT_POSTFIELDSIZE, (long) len);
    ngx_http_docket_setopt(f->easy, CURLOPT_COPYPOSTFIELDS, text);
    ngx_http_docket_setopt(f->easy, CURLOPT_TIMEOUT_MS,
                           (long) f->peer->hlp->mcf->query_timeout);

    return CURLE_OK;
}


/* The certificate can be seen only while the transfer has its connection. */

static size_t
ngx_http_docket_fetch_header(char *p, size_t size, size_t n, void *data)
{
    ngx_http_docket_fetch_t *f = data;

    X509                       *cert;
    struct tm                   tm;
    struct curl_tlssessioninfo  *info;

    f->last = f->peer->hlp->now;
    f->head += size * n;

    if (f->head > NGX_HTTP_DOCKET_HEAD) {
        return 0;
    }

    if (f->certified) {
        return size * n;
    }

    f->certified = 1;

    if (curl_easy_getinfo(f->easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK
        || info->backend != CURLSSLBACKEND_OPENSSL || info->internals == NULL)
    {
        return size * n;
    }

    cert = SSL_get_peer_certificate(info->internals);

    if (cert != NULL) {

        if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1) {
            f->peer->not_after = timegm(&tm);
        }

        X509_free(cert);
    }

    return size * n;
}


static size_t
ngx_http_docket_fetch_body(char *p, size_t size, size_t n, void *data)
{
    ngx_http_docket_fetch_t *f = data;

    size_t                   len;
    ngx_http_docket_proc_t  *hlp;

    n *= size;
    hlp = f->peer->hlp;

    if (f->kind == NGX_HTTP_DOCKET_FETCH_QUERY && f->status == 200
        && ngx_http_docket_fetch_pause(f))
    {
        return CURL_WRITEFUNC_PAUSE;
    }

    f->last = hlp->now;
    f->received += n;
    f->peer->received += n;

    if (f->status == 0) {
        (void) curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &f->status);
    }

    if (f->kind == NGX_HTTP_DOCKET_FETCH_QUERY && f->status == 200) {

        ngx_http_docket_ask_request(f->ask)->received += n;
        ngx_http_docket_ask_changed(f->ask);

        if (docket_stream_write(f->ask->stream, p, n) != DOCKET_OK) {
            f->refused = 1;
            ngx_http_docket_ask_wake(f->ask);
            return 0;
        }

        ngx_http_docket_ask_wake(f->ask);

        f->held = 1;
        ngx_http_docket_timer(hlp, hlp->now + NGX_HTTP_DOCKET_HOLD);

        return n;
    }

    /* one who does not end its stats has sent all that is wanted of them */

    if (f->text == NULL) {
        f->text = ngx_alloc(NGX_HTTP_DOCKET_STATS_LEN, hlp->log);

        if (f->text == NULL) {
            return 0;
        }
    }

    len = ngx_min(n, NGX_HTTP_DOCKET_STATS_LEN - f->text_len);
    ngx_memcpy(f->text + f->text_len, p, len);
    f->text_len += len;

    return (f->received > 16 * NGX_HTTP_DOCKET_STATS_LEN) ? 0 : n;
}


/*
 * What runs ahead of a slower one is spilled.  But it waits in the socket while
 * the merge is at work, and for a short time when the one that the merge waits
 * for keeps pace with it: what comes late then is the processor's doing or the
 * network's.
 */

static ngx_uint_t
ngx_http_docket_fetch_pause(ngx_http_docket_fetch_t *f)
{
    ngx_int_t                waits;
    ngx_uint_t               waited;
    ngx_http_docket_run_t   *run;
    ngx_http_docket_proc_t  *hlp;

    run = f->ask->run;
    hlp = run->hlp;

    waited = f->waited;
    f->waited = 0;

    if (!docket_stream_full(f->ask->stream)) {
        return 0;
    }

    (void) pthread_mutex_lock(&hlp->mutex);
    waits = run->ready ? -1 : run->waits;
    run->paused = 1;
    (void) pthread_mutex_unlock(&hlp->mutex);

    if (waits != -1
        && (waited
            || !ngx_http_docket_fetch_pace(f, run->asks[waits].slot)))
    {
        return 0;
    }

    f->paused = 1;
    f->paused_at = hlp->now;
    hlp->npaused++;

    ngx_http_docket_timer(hlp, hlp->now + NGX_HTTP_DOCKET_PAUSE);

    return 1;
}


/* Whether one has sent not much less than this one, or was only just asked. */

static ngx_uint_t
ngx_http_docket_fetch_pace(ngx_http_docket_fetch_t *f,
    ngx_http_docket_slot_t *slot)
{
    if (slot == NULL || slot == f->slot
        || (slot->state != NGX_HTTP_DOCKET_SLOT_LOOK
            && slot->state != NGX_HTTP_DOCKET_SLOT_QUERY)
        || f->peer->hlp->now - slot->fetch.last > NGX_HTTP_DOCKET_PACE)
    {
        return 0;
    }

    return slot->fetch.received == 0
           || ngx_http_docket_ask_request(slot->ask)->received
              >= ngx_http_docket_ask_request(f->ask)->received / 4;
}


void
ngx_http_docket_fetch_resume(ngx_http_docket_proc_t *hlp)
{
    CURLcode                  rc;
    ngx_queue_t              *q, *next;
    ngx_http_docket_run_t    *run;
    ngx_http_docket_fetch_t  *f;

    if (hlp->npaused == 0) {
        return;
    }

    for (q = ngx_queue_head(&hlp->fetches);
         q != ngx_queue_sentinel(&hlp->fetches);
         q = next)
    {
        next = ngx_queue_next(q);
        f = ngx_queue_data(q, ngx_http_docket_fetch_t, queue);

        if (!f->paused) {
            continue;
        }

        run = f->ask->run;

        /* a step of the merge that ends from here on is told of */

        (void) pthread_mutex_lock(&hlp->mutex);
        run->paused = 1;
        (void) pthread_mutex_unlock(&hlp->mutex);

        if (hlp->now - f->paused_at < NGX_HTTP_DOCKET_PAUSE
            && docket_stream_full(f->ask->stream))
        {
            ngx_http_docket_timer(hlp, f->paused_at + NGX_HTTP_DOCKET_PAUSE);
            continue;
        }

        f->paused = 0;
        f->waited = (hlp->now - f->paused_at >= NGX_HTTP_DOCKET_PAUSE);
        hlp->npaused--;

        /* what curl kept comes through the callback from here */

        rc = curl_easy_pause(f->easy, CURLPAUSE_CONT);

        if (rc != CURLE_OK) {
            ngx_http_docket_fetch_done(f, rc);
            next = ngx_queue_head(&hlp->fetches);
        }
    }
}


void
ngx_http_docket_fetch_abort(ngx_http_docket_fetch_t *f)
{
    if (f->active) {
        ngx_http_docket_fetch_over(f);
    }
}


static void
ngx_http_docket_fetch_over(ngx_http_docket_fetch_t *f)
{
    CURLMcode  rc;

    /* closes the connection when the answer was not read to its end */

    rc = curl_multi_remove_handle(f->peer->hlp->multi, f->easy);

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ALERT, f->peer->hlp->log, 0,
                      "curl_multi_remove_handle() failed: %s",
                      curl_multi_strerror(rc));
    }

    if (f->paused) {
        f->paused = 0;
        f->peer->hlp->npaused--;
    }

    f->active = 0;
    ngx_queue_remove(&f->queue);
}


void
ngx_http_docket_fetch_perform(ngx_http_docket_proc_t *hlp)
{
    int                       n;
    CURLMsg                  *msg;
    CURLcode                  code;
    CURLMcode                 rc;
    ngx_uint_t                again;
    ngx_http_docket_fetch_t  *f;

    do {
        rc = curl_multi_perform(hlp->multi, &n);

        if (rc != CURLM_OK) {
            ngx_log_error(NGX_LOG_ALERT, hlp->log, 0,
                          "curl_multi_perform() failed: %s",
                          curl_multi_strerror(rc));
        }

        again = 0;

        while ((msg = curl_multi_info_read(hlp->multi, &n)) != NULL) {

            if (msg->msg != CURLMSG_DONE) {
                continue;
            }

            code = msg->data.result;

            if (curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
                                  (char **) &f)
                != CURLE_OK)
            {
                continue;
            }

            /* what it leads to, the next question, is sent at once */

            ngx_http_docket_fetch_done(f, code);
            again = 1;
        }

    } while (again);
}


static void
ngx_http_docket_fetch_done(ngx_http_docket_fetch_t *f, CURLcode rc)
{
    ngx_http_docket_outcome_t  out;

    ngx_memzero(&out, sizeof(ngx_http_docket_outcome_t));

    ngx_http_docket_fetch_outcome(f, rc, &out);
    ngx_http_docket_fetch_tell(f, &out);
}


static void
ngx_http_docket_fetch_tell(ngx_http_docket_fetch_t *f,
    ngx_http_docket_outcome_t *out)
{
    ngx_http_docket_fetch_over(f);
    f->handler(f, out);

    /* it may have been started anew */

    if (!f->active) {
        ngx_http_docket_fetch_forget(f);
    }
}


/* There are many of them, and most have nothing to keep. */

static void
ngx_http_docket_fetch_forget(ngx_http_docket_fetch_t *f)
{
    ngx_free(f->text);

    f->text = NULL;
    f->text_len = 0;
}


static void
ngx_http_docket_fetch_outcome(ngx_http_docket_fetch_t *f, CURLcode rc,
    ngx_http_docket_outcome_t *out)
{
    docket_stream_t  *s;

    (void) curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &f->status);

    s = (f->kind == NGX_HTTP_DOCKET_FETCH_QUERY) ? f->ask->stream : NULL;

    if (f->refused) {
        ngx_http_docket_words(out->words, "%s", docket_stream_error(s));
        return;
    }

    if (f->status != 0 && f->status != 200
        && (rc == CURLE_OK || f->received != 0))
    {
        ngx_http_docket_fetch_status(f, out);
        return;
    }

    if (rc != CURLE_OK) {
        ngx_http_docket_fetch_curl(f, rc, out);
        return;
    }

    if (s != NULL && docket_stream_end(s) != DOCKET_OK) {
        ngx_http_docket_words(out->words, "%s", docket_stream_error(s));

        /* a sensor that was killed, or one that sends nothing at all */

        out->retry = 1;
        return;
    }

    out->ok = 1;
}


static void
ngx_http_docket_fetch_curl(ngx_http_docket_fetch_t *f, CURLcode rc,
    ngx_http_docket_outcome_t *out)
{
    long         connects;
    double       connected;
    ngx_uint_t   alert;
    const char  *words;

    words = (f->error[0] != '\0') ? f->error : curl_easy_strerror(rc);

    ngx_http_docket_words(out->words, "%s", words);

    /* whoever says why it wants no more will say it again */

    alert = strstr(words, "alert") != NULL;

    /* a question that fails on a good connection says little of the sensor;
       one that was kept has no handshake's time */

    connected = 0;
    (void) curl_easy_getinfo(f->easy, CURLINFO_PRETRANSFER_TIME, &connected);

    out->down = (f->received == 0
                 && (f->kind == NGX_HTTP_DOCKET_FETCH_STATS
                     || connected == 0));

    switch (rc) {

    case CURLE_OPERATION_TIMEDOUT:
        if (connected == 0 && f->received == 0) {
            ngx_http_docket_words(out->words, "no connection in time: %s",
                                  words);

        } else if (f->kind == NGX_HTTP_DOCKET_FETCH_QUERY) {
            ngx_http_docket_words(out->words,
                "not done after docket_query_timeout, %lu ms, with %lu bytes "
                "received", (unsigned long) f->peer->hlp->mcf->query_timeout,
                (unsigned long) f->received);
        }

        out->retry = (f->received == 0);
        break;

    case CURLE_WRITE_ERROR:
        if (f->head > NGX_HTTP_DOCKET_HEAD) {
            ngx_http_docket_words(out->words,
                                  "an answer's head of more than %d bytes",
                                  NGX_HTTP_DOCKET_HEAD);
            break;
        }

        if (f->received != 0 && f->text == NULL) {
            ngx_http_docket_words(out->words, "out of memory");
            break;
        }

        ngx_http_docket_words(out->words, "stats of more than %lu bytes",
                              (unsigned long) f->received);
        out->down = 1;
        break;

    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        out->retry = 1;
        break;

    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        connects = 0;
        (void) curl_easy_getinfo(f->easy, CURLINFO_NUM_CONNECTS, &connects);

        /* since TLS 1.3 a server says so only after the handshake */

        if (connects != 0 && f->status == 0) {
            ngx_http_docket_words(out->words,
                                  "%s (is the client's certificate accepted?)",
                                  words);
        }

        out->retry = !alert;
        break;

    case CURLE_SSL_CONNECT_ERROR:
        out->retry = !alert;
        break;

    default:
        break;
    }
}


static void
ngx_http_docket_fetch_status(ngx_http_docket_fetch_t *f,
    ngx_http_docket_outcome_t *out)
{
    char    body[NGX_HTTP_DOCKET_BODY * 4 + 1];
    size_t  len;

    len = f->text_len;

    while (len > 0 && (f->text[len - 1] == '\n' || f->text[len - 1] == '\r')) {
        len--;
    }

    docket_pcap_escape(body, ngx_min(sizeof(body), NGX_HTTP_DOCKET_BODY + 1),
                       f->text, ngx_min(len, NGX_HTTP_DOCKET_BODY));

    ngx_http_docket_words(out->words, "HTTP status %ld%s%s", f->status,
                          (len == 0) ? "" : ": ", body);

    out->retry = (f->status == 429 || f->status >= 500);
    out->down = (f->kind == NGX_HTTP_DOCKET_FETCH_STATS);
}


void
ngx_http_docket_fetch_timers(ngx_http_docket_proc_t *hlp)
{
    ngx_queue_t                *q, *next;
    ngx_http_docket_fetch_t    *f;
    ngx_http_docket_outcome_t   out;

    for (q = ngx_queue_head(&hlp->fetches);
         q != ngx_queue_sentinel(&hlp->fetches);
         q = next)
    {
        next = ngx_queue_next(q);

        f = ngx_queue_data(q, ngx_http_docket_fetch_t, queue);

        if (f->held) {

            if (hlp->now - f->last >= NGX_HTTP_DOCKET_HOLD) {
                f->held = 0;
                docket_stream_flush(f->ask->stream);
                ngx_http_docket_ask_wake(f->ask);

            } else {
                ngx_http_docket_timer(hlp, f->last + NGX_HTTP_DOCKET_HOLD);
            }
        }

        if (f->paused) {
            f->last = hlp->now;
        }

        ngx_memzero(&out, sizeof(ngx_http_docket_outcome_t));

        if (ngx_http_docket_fetch_late(f, &out)) {
            ngx_http_docket_fetch_tell(f, &out);

            /* which may have changed the list */

            next = ngx_queue_head(&hlp->fetches);
        }
    }
}


static ngx_uint_t
ngx_http_docket_fetch_late(ngx_http_docket_fetch_t *f,
    ngx_http_docket_outcome_t *out)
{
    double                        sent;
    int64_t                       at;
    ngx_http_docket_proc_t       *hlp;
    ngx_http_docket_main_conf_t  *mcf;

    hlp = f->peer->hlp;
    mcf = hlp->mcf;

    sent = 0;
    (void) curl_easy_getinfo(f->easy, CURLINFO_PRETRANSFER_TIME, &sent);

    if (f->kind == NGX_HTTP_DOCKET_FETCH_STATS) {

        if (sent == 0) {
            /* connecting has its own limit */
            ngx_http_docket_timer(hlp, hlp->now + NGX_HTTP_DOCKET_TICK / 5);
            return 0;
        }

        at = f->started + (int64_t) (sent * 1000) + mcf->stat_timeout;

    } else {
        at = f->last + ((f->received == 0) ? (int64_t) (sent * 1000) : 0)
             + mcf->stall_timeout;
    }

    if (hlp->now < at) {
        ngx_http_docket_timer(hlp, at);
        return 0;
    }

    if (f->kind == NGX_HTTP_DOCKET_FETCH_STATS) {
        ngx_http_docket_words(out->words,
                              "no stats within docket_stat_timeout, %lu ms",
                              (unsigned long) mcf->stat_timeout);

    } else if (f->received == 0) {
        ngx_http_docket_words(out->words,
                              "no answer within docket_stall_timeout, %lu ms",
                              (unsigned long) mcf->stall_timeout);

    } else {
        ngx_http_docket_words(out->words,
                              "stalled for %lu ms, docket_stall_timeout, "
                              "after %lu bytes",
                              (unsigned long) mcf->stall_timeout,
                              (unsigned long) f->received);
    }

    out->retry = 1;
    out->down = (f->kind == NGX_HTTP_DOCKET_FETCH_STATS);

    return 1;
}


void
ngx_http_docket_words(char *words, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(words, NGX_HTTP_DOCKET_WORDS, fmt, args);
    va_end(args);
}
