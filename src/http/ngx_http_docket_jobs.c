/*
 * GET /jobs, and the search of POST /find among them.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_args.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_gen.h"
#include "http/ngx_http_docket_lookup.h"
#include "http/ngx_http_docket_url.h"
#include "http/ngx_http_docket_walk.h"

#include <stdlib.h>


/* records that one request reads at most: some tens of microseconds each */
#define NGX_HTTP_DOCKET_LOOKS  1000


static ngx_uint_t ngx_http_docket_named(ngx_http_docket_search_t *search,
    const char *id);
static ngx_uint_t ngx_http_docket_found(ngx_http_docket_search_t *search,
    docket_job_t *rec, docket_state_e state);
static void ngx_http_docket_job_entry(ngx_http_request_t *r, yajl_gen g,
    ngx_http_docket_job_t *job, const char *query, u_char *buf);


ngx_int_t
ngx_http_docket_jobs(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_int_t                  rc;
    ngx_str_t                  value;
    ngx_http_docket_page_t     page;
    ngx_http_docket_search_t   search;

    ngx_memzero(&search, sizeof(ngx_http_docket_search_t));
    search.state = -1;

    rc = ngx_http_docket_page(r, &page);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_docket_arg(r, "state", &value);

    if (rc == NGX_OK) {
        rc = ngx_http_docket_search_state(r, &value, &search);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (rc == NGX_ERROR
        || ngx_http_docket_arg(r, "text", &search.text) == NGX_ERROR)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_send_jobs(r, &page, &search);
}


ngx_int_t
ngx_http_docket_search_state(ngx_http_request_t *r, ngx_str_t *value,
    ngx_http_docket_search_t *search)
{
    ngx_int_t    state;
    const char  *name;

    for (state = 0; /* void */ ; state++) {
        name = docket_state_name(state);

        if (name == NULL) {
            break;
        }

        if (ngx_strlen(name) == value->len
            && ngx_strncasecmp((u_char *) name, value->data, value->len) == 0)
        {
            search->state = state;
            return NGX_OK;
        }
    }

    return ngx_http_docket_bad_arg(r, "state",
                                   "is no state: Created, Requesting, "
                                   "Merging, Completed, Failed, Cancelled");
}


/*
 * Not more records than NGX_HTTP_DOCKET_LOOKS are read; when the page is not
 * full by then, the link to the next one goes on from there.
 */

ngx_int_t
ngx_http_docket_send_jobs(ngx_http_request_t *r, ngx_http_docket_page_t *page,
    ngx_http_docket_search_t *search)
{
    u_char                   *buf;
    yajl_gen                  g;
    ngx_int_t                 rc;
    ngx_uint_t                n, looks;
    docket_job_t             *rec;
    ngx_http_docket_job_t     job;
    ngx_http_docket_walk_t   *walk;
    ngx_http_docket_entry_t   entry;

    g = ngx_http_docket_gen(r);
    buf = ngx_pnalloc(r->pool, ngx_http_docket_result_url_size(r));
    walk = ngx_http_docket_walk(r);

    if (g == NULL || buf == NULL || walk == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_docket_walk_to(walk, page);

    n = 0;
    looks = 0;

    yajl_gen_array_open(g);

    while (ngx_http_docket_walk_next(walk, &entry)) {

        if (!ngx_http_docket_named(search, entry.id)) {
            continue;
        }

        if (n == page->limit || looks++ == NGX_HTTP_DOCKET_LOOKS) {
            page->more = 1;
            break;
        }

        ngx_memcpy(page->last, entry.id, sizeof(entry.id));

        rc = ngx_http_docket_lookup_record(r, entry.id, &job, &rec);

        if (rc != NGX_OK) {
            rc = ngx_http_docket_no_entry(r, rc, entry.id);

            if (rc != NGX_OK) {
                return rc;
            }

            continue;
        }

        if (ngx_http_docket_found(search, rec, job.state)) {
            ngx_http_docket_job_entry(r, g, &job, rec->query, buf);
            n++;
        }

        docket_job_destroy(rec);
    }

    yajl_gen_array_close(g);

    rc = ngx_http_docket_walk_end(r, walk);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_docket_page_link(r, page) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}


static ngx_uint_t
ngx_http_docket_named(ngx_http_docket_search_t *search, const char *id)
{
    if (search->ids == NULL) {
        return 1;
    }

    return bsearch(id, search->ids->elts, search->ids->nelts,
                   sizeof(ngx_http_docket_id_t), ngx_http_docket_cmp_ids)
           != NULL;
}


static ngx_uint_t
ngx_http_docket_found(ngx_http_docket_search_t *search, docket_job_t *rec,
    docket_state_e state)
{
    size_t  len;

    if (search->state != -1 && (docket_state_e) search->state != state) {
        return 0;
    }

    len = ngx_strlen(rec->query);

    if (search->text.len != 0
        && ngx_strlcasestrn((u_char *) rec->query,
                            (u_char *) rec->query + len,
                            search->text.data, search->text.len - 1)
           == NULL)
    {
        return 0;
    }

    return search->query == NULL
           || docket_query_matches(search->query, rec->query, len, rec->after,
                                   rec->before);
}


static void
ngx_http_docket_job_entry(ngx_http_request_t *r, yajl_gen g,
    ngx_http_docket_job_t *job, const char *query, u_char *buf)
{
    u_char  *last;

    last = ngx_http_docket_result_url_put(r, (char *) job->id, buf);

    yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "id");
    ngx_http_docket_gen_cstr(g, (char *) job->id);
    ngx_http_docket_gen_key(g, "state");
    ngx_http_docket_gen_cstr(g, docket_state_name(job->state));
    ngx_http_docket_gen_key(g, "query");
    ngx_http_docket_gen_cstr(g, query);
    ngx_http_docket_gen_key(g, "url");
    ngx_http_docket_gen_str(g, buf, last - buf);
    ngx_http_docket_gen_key(g, "time");
    ngx_http_docket_gen_time(g, job->requested);
    yajl_gen_map_close(g);
}
