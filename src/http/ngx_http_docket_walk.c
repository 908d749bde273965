/*
 * Jobs, newest first, and pages of them.
 *
 * SPOOL/index has all jobs but those of the last moment, which the zone has.
 * A job that was just removed may stand in the index until the helper has
 * looked; so the newest entries, which is where a person looks, are checked.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_args.h"
#include "http/ngx_http_docket_walk.h"
#include "job/docket_index.h"
#include "zone/ngx_http_docket_zone.h"


#define NGX_HTTP_DOCKET_UNINDEXED  1024
#define NGX_HTTP_DOCKET_CHECKED    1000
/* jobs that start at about the same time are indexed in any order */
#define NGX_HTTP_DOCKET_WINDOW     128

#define NGX_HTTP_DOCKET_PAGE       100
#define NGX_HTTP_DOCKET_MAX_PAGE   1000


struct ngx_http_docket_walk_s {
    ngx_http_docket_main_conf_t   *mcf;
    ngx_http_docket_job_t         *fresh;      /* not in the index */
    ngx_uint_t                     nfresh;
    ngx_uint_t                     at;
    docket_index_view_t            view;
    size_t                         slot;       /* all from here on are read */
    docket_index_record_t          window[NGX_HTTP_DOCKET_WINDOW];
    ngx_uint_t                     head;       /* of the ring: the newest */
    ngx_uint_t                     n;
    ngx_uint_t                     checked;
    ngx_err_t                      err;
};


static void ngx_http_docket_walk_cleanup(void *data);
static ngx_uint_t ngx_http_docket_walk_indexed(ngx_http_docket_walk_t *w,
    docket_index_record_t *rec);
static docket_index_record_t *ngx_http_docket_walk_at(
    ngx_http_docket_walk_t *w, ngx_uint_t i);
static ngx_uint_t ngx_http_docket_walk_is_fresh(ngx_http_docket_walk_t *w,
    const char *id);
static ngx_int_t ngx_http_docket_page_number(ngx_http_request_t *r,
    const char *name, ngx_uint_t max, ngx_uint_t *number);
static ngx_int_t ngx_http_docket_page_filter(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);


ngx_http_docket_walk_t *
ngx_http_docket_walk(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_docket_walk_t  *w;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_docket_walk_t));
    if (cln == NULL) {
        return NULL;
    }

    w = cln->data;
    ngx_memzero(w, sizeof(ngx_http_docket_walk_t));

    w->view.fd = -1;
    w->mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    w->fresh = ngx_palloc(r->pool, NGX_HTTP_DOCKET_UNINDEXED
                                   * sizeof(ngx_http_docket_job_t));
    if (w->fresh == NULL) {
        return NULL;
    }

    /* before the index is opened: what moves there meanwhile is seen twice,
       and told once */

    w->nfresh = ngx_http_docket_zone_unindexed(w->mcf->zone, w->fresh,
                                               NGX_HTTP_DOCKET_UNINDEXED);

    if (docket_index_open(&w->mcf->sp, &w->view) == DOCKET_OK) {
        w->slot = w->view.count;

    } else {
        w->view.fd = -1;

        if (ngx_errno != NGX_ENOENT) {
            w->err = ngx_errno;
        }
    }

    cln->handler = ngx_http_docket_walk_cleanup;

    return w;
}


static void
ngx_http_docket_walk_cleanup(void *data)
{
    ngx_http_docket_walk_t *w = data;

    docket_index_close(&w->view);
}


ngx_uint_t
ngx_http_docket_walk_next(ngx_http_docket_walk_t *w,
    ngx_http_docket_entry_t *entry)
{
    char                    name[DOCKET_SPOOL_NAME_LEN + 1];
    struct stat             st;
    docket_index_record_t   rec;
    ngx_http_docket_job_t  *job;

    if (w->at < w->nfresh) {
        job = &w->fresh[w->at++];

        ngx_memcpy(entry->id, job->id, sizeof(entry->id));
        entry->state = job->state;
        entry->capture = (job->capture_run != 0);

        return 1;
    }

    while (ngx_http_docket_walk_indexed(w, &rec)) {

        docket_id_unpack(rec.id, entry->id);

        if (ngx_http_docket_walk_is_fresh(w, entry->id)) {
            continue;
        }

        if (w->checked < NGX_HTTP_DOCKET_CHECKED) {
            w->checked++;
            docket_spool_name(&w->mcf->sp, entry->id, name);

            if (fstatat(w->mcf->sp.fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1
                && ngx_errno == NGX_ENOENT)
            {
                continue;
            }
        }

        entry->state = rec.state;
        entry->capture = ((rec.flags & DOCKET_INDEX_CAPTURE) != 0);

        return 1;
    }

    return 0;
}


/* The newest of the next records, which are kept sorted in a ring. */

static ngx_uint_t
ngx_http_docket_walk_indexed(ngx_http_docket_walk_t *w,
    docket_index_record_t *rec)
{
    ngx_uint_t              i;
    docket_index_record_t  *at, *before, next;

    while (w->n < NGX_HTTP_DOCKET_WINDOW && w->slot > 0) {

        if (!docket_index_read(&w->view, --w->slot, &next)) {

            if (w->view.error != 0) {
                w->err = w->view.error;
                w->slot = 0;
                w->n = 0;
            }

            continue;
        }

        for (i = w->n++; i > 0; i--) {
            before = ngx_http_docket_walk_at(w, i - 1);

            if (before->created >= next.created) {
                break;
            }

            at = ngx_http_docket_walk_at(w, i);
            *at = *before;
        }

        at = ngx_http_docket_walk_at(w, i);
        *at = next;
    }

    if (w->n == 0) {
        return 0;
    }

    at = ngx_http_docket_walk_at(w, 0);
    *rec = *at;

    w->head = (w->head + 1) % NGX_HTTP_DOCKET_WINDOW;
    w->n--;

    return 1;
}


static docket_index_record_t *
ngx_http_docket_walk_at(ngx_http_docket_walk_t *w, ngx_uint_t i)
{
    return &w->window[(w->head + i) % NGX_HTTP_DOCKET_WINDOW];
}


static ngx_uint_t
ngx_http_docket_walk_is_fresh(ngx_http_docket_walk_t *w, const char *id)
{
    ngx_uint_t  i;

    for (i = 0; i < w->nfresh; i++) {
        if (ngx_memcmp(w->fresh[i].id, id, DOCKET_ID_LEN) == 0) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_docket_walk_end(ngx_http_request_t *r, ngx_http_docket_walk_t *w)
{
    if (w->err == 0) {
        return NGX_OK;
    }

    return ngx_http_docket_spool_failed(r, w->err, "reading the index", NULL);
}


void
ngx_http_docket_walk_to(ngx_http_docket_walk_t *w,
    ngx_http_docket_page_t *page)
{
    ngx_uint_t               n;
    ngx_http_docket_entry_t  entry;

    if (page->cursor[0] != '\0') {

        /* a cursor whose job is gone ends the list */

        while (ngx_http_docket_walk_next(w, &entry)) {
            if (ngx_memcmp(entry.id, page->cursor, DOCKET_ID_LEN) == 0) {
                break;
            }
        }
    }

    for (n = 0; n < page->skip; n++) {
        if (!ngx_http_docket_walk_next(w, &entry)) {
            break;
        }
    }
}


ngx_int_t
ngx_http_docket_page(ngx_http_request_t *r, ngx_http_docket_page_t *page)
{
    ngx_int_t   rc;
    ngx_str_t   value;
    ngx_uint_t  number;

    ngx_memzero(page, sizeof(ngx_http_docket_page_t));

    page->limit = NGX_HTTP_DOCKET_PAGE;
    number = 1;

    rc = ngx_http_docket_page_number(r, "limit", NGX_HTTP_DOCKET_MAX_PAGE,
                                     &page->limit);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_docket_page_number(r, "page", 1000000, &number);

    if (rc != NGX_OK) {
        return rc;
    }

    page->skip = (number - 1) * page->limit;

    rc = ngx_http_docket_arg(r, "cursor", &value);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK
        && !docket_spool_id((char *) value.data, value.len, page->cursor))
    {
        return ngx_http_docket_bad_arg(r, "cursor", "is no id");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_page_number(ngx_http_request_t *r, const char *name,
    ngx_uint_t max, ngx_uint_t *number)
{
    char       why[64];
    ngx_int_t  n, rc;
    ngx_str_t  value;

    rc = ngx_http_docket_arg(r, name, &value);

    if (rc != NGX_OK) {
        return (rc == NGX_ERROR) ? NGX_HTTP_INTERNAL_SERVER_ERROR : NGX_OK;
    }

    n = ngx_atoi(value.data, value.len);

    if (n <= 0 || (ngx_uint_t) n > max) {
        (void) snprintf(why, sizeof(why), "is no number from 1 to %lu",
                        (unsigned long) max);

        return ngx_http_docket_bad_arg(r, name, why);
    }

    *number = n;

    return NGX_OK;
}


/* Link: <?cursor=ID&limit=100>; rel="next" */

ngx_int_t
ngx_http_docket_page_link(ngx_http_request_t *r, ngx_http_docket_page_t *page)
{
    ngx_str_t  value, state, text;

    if (!page->more || page->last[0] == '\0') {
        return NGX_OK;
    }

    if (ngx_http_docket_page_filter(r, "state", &state) != NGX_OK
        || ngx_http_docket_page_filter(r, "text", &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    value.data = ngx_pnalloc(r->pool, sizeof("<?cursor=&limit=&state=&text=>; "
                                             "rel=\"next\"")
                                      + DOCKET_ID_LEN + NGX_INT_T_LEN
                                      + state.len + text.len);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data,
                            "<?cursor=%s&limit=%ui%s%V%s%V>; rel=\"next\"",
                            page->last, page->limit,
                            state.len != 0 ? "&state=" : "", &state,
                            text.len != 0 ? "&text=" : "", &text)
                - value.data;

    return ngx_http_docket_header(r, "Link", &value);
}


/* An argument for the link, in which nothing ends it; empty: not there. */

static ngx_int_t
ngx_http_docket_page_filter(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    u_char     *p;
    ngx_int_t   rc;
    ngx_str_t   arg;

    ngx_str_null(&arg);

    rc = ngx_http_docket_arg(r, name, &arg);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, 3 * arg.len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;
    value->len = (u_char *) ngx_escape_uri(p, arg.data, arg.len,
                                           NGX_ESCAPE_URI_COMPONENT)
                 - p;

    return NGX_OK;
}
