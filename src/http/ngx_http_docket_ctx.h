/*
 * The context of a request, in ngx_http_get_module_ctx().
 */

#ifndef NGX_HTTP_DOCKET_CTX_H
#define NGX_HTTP_DOCKET_CTX_H


#include "ngx_http_docket.h"
#include "zone/ngx_http_docket_zone.h"
#include "query/docket_query.h"
#include "pivot/docket_pivot.h"


typedef struct {
    ngx_str_t                      path;       /* below the prefix, decoded
                                                  by nginx, from "/" */
    ngx_str_t                      raw_path;   /* the same, as sent */
    ngx_str_t                      rest;       /* of path, behind the
                                                  endpoint's name */
    size_t                         offset;     /* of the same in raw_path */
    const char                    *page;       /* shows what is wrong with the
                                                  question: as that of
                                                  ngx_http_docket_site() */
    docket_query_t                *query;      /* freed by a pool clean-up */
    const docket_pivot_result_t   *pivot;      /* of /pivot, as "query" */
    ngx_http_docket_job_t          job;        /* once asked or found */
    ngx_uint_t                     known;      /* job is filled */
    ngx_uint_t                     duplicate;
    ngx_str_t                      text;       /* canonical */
    void                          *wait;       /* of ngx_http_docket_wait.c */
    void                          *data;       /* of the endpoint */
    void                          *out;        /* of ngx_http_docket_gen.c */
} ngx_http_docket_ctx_t;


#endif /* NGX_HTTP_DOCKET_CTX_H */
