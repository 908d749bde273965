/*
 * Arguments of the URL, and lists in it.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_args.h"


#define NGX_HTTP_DOCKET_MAX_IDS  1000


static ngx_uint_t ngx_http_docket_has_id(ngx_array_t *ids, const char *id);


ngx_int_t
ngx_http_docket_arg(ngx_http_request_t *r, const char *name, ngx_str_t *value)
{
    u_char     *dst, *src;
    ngx_str_t   arg;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &arg) != NGX_OK) {
        return NGX_DECLINED;
    }

    dst = ngx_pnalloc(r->pool, arg.len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    value->data = dst;
    src = arg.data;

    ngx_unescape_uri(&dst, &src, arg.len, 0);

    value->len = dst - value->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_bad_arg(ngx_http_request_t *r, const char *name,
    const char *why)
{
    ngx_int_t             rc;
    docket_query_error_t  err;

    ngx_memzero(&err, sizeof(docket_query_error_t));

    err.status = NGX_HTTP_BAD_REQUEST;
    err.position = -1;

    (void) ngx_cpystrn((u_char *) err.field, (u_char *) name,
                       sizeof(err.field));
    (void) snprintf(err.detail, sizeof(err.detail), "%s: %s", name, why);

    rc = ngx_http_docket_problem_field(r, &err);

    return ngx_http_docket_refused(rc);
}


ngx_uint_t
ngx_http_docket_word(ngx_str_t *list, ngx_str_t *word)
{
    u_char  *p, *last;

    p = list->data;
    last = p + list->len;

    while (p < last && ngx_strchr(",;+ \t", *p) != NULL) {
        p++;
    }

    word->data = p;

    while (p < last && ngx_strchr(",;+ \t", *p) == NULL) {
        p++;
    }

    word->len = p - word->data;

    list->data = p;
    list->len = last - p;

    return word->len != 0;
}


ngx_int_t
ngx_http_docket_ids_of(ngx_http_request_t *r, ngx_str_t *list,
    ngx_array_t *ids)
{
    char                   id[DOCKET_ID_LEN + 1];
    ngx_int_t              rc;
    ngx_str_t              rest, word;
    ngx_http_docket_id_t  *one;

    if (ngx_array_init(ids, r->pool, 4, sizeof(ngx_http_docket_id_t))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rest = *list;

    while (ngx_http_docket_word(&rest, &word)) {

        if (!docket_spool_id((char *) word.data, word.len, id)
            || ngx_http_docket_has_id(ids, id))
        {
            continue;
        }

        if (ids->nelts == NGX_HTTP_DOCKET_MAX_IDS) {
            rc = ngx_http_docket_problem(r, NGX_HTTP_BAD_REQUEST,
                                         "more than %d ids are named",
                                         NGX_HTTP_DOCKET_MAX_IDS);

            return ngx_http_docket_refused(rc);
        }

        one = ngx_array_push(ids);
        if (one == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_memcpy(one->id, id, sizeof(id));
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_docket_has_id(ngx_array_t *ids, const char *id)
{
    ngx_uint_t             i;
    ngx_http_docket_id_t  *one;

    one = ids->elts;

    for (i = 0; i < ids->nelts; i++) {
        if (ngx_memcmp(one[i].id, id, DOCKET_ID_LEN) == 0) {
            return 1;
        }
    }

    return 0;
}


int ngx_libc_cdecl
ngx_http_docket_cmp_ids(const void *one, const void *two)
{
    return ngx_memcmp(one, two, DOCKET_ID_LEN);
}
