/*
 * Lists of all jobs, or of those that are named: /ids /urls.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_args.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_gen.h"
#include "http/ngx_http_docket_lookup.h"
#include "http/ngx_http_docket_url.h"
#include "http/ngx_http_docket_walk.h"


static ngx_int_t ngx_http_docket_list(ngx_http_request_t *r, ngx_str_t *rest,
    yajl_gen g, u_char *buf);
static ngx_int_t ngx_http_docket_list_named(ngx_http_request_t *r,
    ngx_str_t *rest, yajl_gen g, u_char *buf);
static void ngx_http_docket_list_entry(ngx_http_request_t *r, yajl_gen g,
    const char *id, ngx_uint_t capture, u_char *buf);


ngx_int_t
ngx_http_docket_ids(ngx_http_request_t *r, ngx_str_t *rest)
{
    yajl_gen   g;
    ngx_int_t  rc;

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    yajl_gen_array_open(g);

    rc = ngx_http_docket_list(r, rest, g, NULL);

    if (rc != NGX_OK) {
        return rc;
    }

    yajl_gen_array_close(g);

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}


ngx_int_t
ngx_http_docket_urls(ngx_http_request_t *r, ngx_str_t *rest)
{
    u_char     *buf;
    yajl_gen    g;
    ngx_int_t   rc;

    g = ngx_http_docket_gen(r);
    buf = ngx_pnalloc(r->pool, ngx_http_docket_result_url_size(r));

    if (g == NULL || buf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    yajl_gen_map_open(g);

    rc = ngx_http_docket_list(r, rest, g, buf);

    if (rc != NGX_OK) {
        return rc;
    }

    yajl_gen_map_close(g);

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}


/* "buf" has room for the URL of a capture; NULL: ids alone are listed. */

static ngx_int_t
ngx_http_docket_list(ngx_http_request_t *r, ngx_str_t *rest, yajl_gen g,
    u_char *buf)
{
    ngx_http_docket_walk_t   *walk;
    ngx_http_docket_entry_t   entry;

    if (rest->len != 0) {
        return ngx_http_docket_list_named(r, rest, g, buf);
    }

    walk = ngx_http_docket_walk(r);
    if (walk == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    while (ngx_http_docket_walk_next(walk, &entry)) {
        ngx_http_docket_list_entry(r, g, entry.id, entry.capture, buf);
    }

    return ngx_http_docket_walk_end(r, walk);
}


static ngx_int_t
ngx_http_docket_list_named(ngx_http_request_t *r, ngx_str_t *rest, yajl_gen g,
    u_char *buf)
{
    ngx_int_t              rc;
    ngx_uint_t             i;
    ngx_array_t            ids;
    ngx_http_docket_id_t  *id;
    ngx_http_docket_job_t  job;

    rc = ngx_http_docket_ids_of(r, rest, &ids);

    if (rc != NGX_OK) {
        return rc;
    }

    id = ids.elts;

    for (i = 0; i < ids.nelts; i++) {
        rc = ngx_http_docket_lookup(r, id[i].id, &job, NULL, 0);

        if (rc == NGX_ERROR) {
            return ngx_http_docket_no_job(r, rc, id[i].id);
        }

        if (rc == NGX_OK) {
            ngx_http_docket_list_entry(r, g, id[i].id, job.capture_run != 0,
                                       buf);
        }
    }

    return NGX_OK;
}


static void
ngx_http_docket_list_entry(ngx_http_request_t *r, yajl_gen g, const char *id,
    ngx_uint_t capture, u_char *buf)
{
    u_char  *last, text[DOCKET_ID_LEN + 2];

    if (buf == NULL) {
        text[0] = '"';
        ngx_memcpy(&text[1], id, DOCKET_ID_LEN);
        text[DOCKET_ID_LEN + 1] = '"';

        ngx_http_docket_gen_raw(g, text, sizeof(text));

    } else if (capture) {
        last = ngx_http_docket_result_url_put(r, id, buf);

        ngx_http_docket_gen_key(g, id);
        ngx_http_docket_gen_str(g, buf, last - buf);
    }
}
