/*
 * POST /find: jobs by the fields of their questions, and by state, id and a
 * part of their text.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_args.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_gen.h"
#include "http/ngx_http_docket_input.h"
#include "http/ngx_http_docket_walk.h"

#include <yajl/yajl_tree.h>


#define NGX_HTTP_DOCKET_FIND_NESTED  256

/* levels that are printed: more than the question's reader takes, fewer than
   yajl's generator has room for; it counts on beyond them, and writes there */
#define NGX_HTTP_DOCKET_FIND_DEPTH   100


typedef struct {
    ngx_str_t                      state;
    ngx_str_t                      id;         /* a list */
    ngx_str_t                      text;
} ngx_http_docket_find_t;


static ngx_int_t ngx_http_docket_find_form(ngx_http_request_t *r,
    ngx_http_docket_input_t *in, ngx_http_docket_find_t *f);
static ngx_int_t ngx_http_docket_find_json(ngx_http_request_t *r,
    ngx_http_docket_input_t *in, ngx_http_docket_find_t *f);
static ngx_int_t ngx_http_docket_find_object(ngx_http_request_t *r,
    yajl_val tree, ngx_http_docket_input_t *in, ngx_http_docket_find_t *f);
static ngx_str_t *ngx_http_docket_find_option(ngx_http_docket_find_t *f,
    const u_char *name, size_t len);
static ngx_int_t ngx_http_docket_find_value(ngx_http_request_t *r,
    yajl_val v, ngx_uint_t list, ngx_str_t *value);
static void ngx_http_docket_find_print(yajl_gen g, yajl_val v,
    ngx_uint_t depth);
static ngx_int_t ngx_http_docket_find_query(ngx_http_request_t *r,
    ngx_http_docket_input_t *in, ngx_http_docket_search_t *search);
static void ngx_http_docket_find_cleanup(void *data);


static const char *const  ngx_http_docket_find_options[] = {
    "limit", "page", "cursor", "state", "id", "text", NULL
};


ngx_int_t
ngx_http_docket_search(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_int_t                  rc;
    ngx_array_t                ids;
    ngx_http_docket_find_t     f;
    ngx_http_docket_page_t     page;
    ngx_http_docket_input_t    in;
    ngx_http_docket_search_t   search;

    ngx_memzero(&f, sizeof(ngx_http_docket_find_t));
    ngx_memzero(&search, sizeof(ngx_http_docket_search_t));
    search.state = -1;

    rc = ngx_http_docket_page(r, &page);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_docket_input(r, NGX_HTTP_DOCKET_FROM_BODY, 0,
                               ngx_http_docket_find_options, &in);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_docket_arg(r, "state", &f.state) == NGX_ERROR
        || ngx_http_docket_arg(r, "id", &f.id) == NGX_ERROR
        || ngx_http_docket_arg(r, "text", &f.text) == NGX_ERROR)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = (in.form == NGX_HTTP_DOCKET_IS_JSON)
         ? ngx_http_docket_find_json(r, &in, &f)
         : ngx_http_docket_find_form(r, &in, &f);

    if (rc != NGX_OK) {
        return rc;
    }

    search.text = f.text;

    if (f.state.len != 0) {
        rc = ngx_http_docket_search_state(r, &f.state, &search);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (f.id.len != 0) {
        rc = ngx_http_docket_ids_of(r, &f.id, &ids);

        if (rc != NGX_OK) {
            return rc;
        }

        ngx_qsort(ids.elts, ids.nelts, sizeof(ngx_http_docket_id_t),
                  ngx_http_docket_cmp_ids);

        search.ids = &ids;
    }

    rc = ngx_http_docket_find_query(r, &in, &search);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_docket_send_jobs(r, &page, &search);
}


static ngx_int_t
ngx_http_docket_find_query(ngx_http_request_t *r, ngx_http_docket_input_t *in,
    ngx_http_docket_search_t *search)
{
    ngx_int_t             rc;
    docket_query_conf_t  *conf;
    ngx_pool_cleanup_t   *cln;

    conf = ngx_http_docket_query_conf(r);
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (conf == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    conf->weight = NULL;

    search->query = docket_query_create(conf);
    if (search->query == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_docket_find_cleanup;
    cln->data = search->query;

    if (ngx_http_docket_read_input(r, in, search->query) != DOCKET_OK
        || docket_query_finish_search(search->query) != DOCKET_OK)
    {
        rc = ngx_http_docket_problem_field(r,
                                           docket_query_error(search->query));

        return ngx_http_docket_refused(rc);
    }

    return NGX_OK;
}


static void
ngx_http_docket_find_cleanup(void *data)
{
    docket_query_destroy(data);
}


static ngx_str_t *
ngx_http_docket_find_option(ngx_http_docket_find_t *f, const u_char *name,
    size_t len)
{
    if (len == 5 && ngx_memcmp(name, "state", 5) == 0) {
        return &f->state;
    }

    if (len == 2 && ngx_memcmp(name, "id", 2) == 0) {
        return &f->id;
    }

    if (len == 4 && ngx_memcmp(name, "text", 4) == 0) {
        return &f->text;
    }

    return NULL;
}


/* What is not of the question is taken out of the text. */

static ngx_int_t
ngx_http_docket_find_form(ngx_http_request_t *r, ngx_http_docket_input_t *in,
    ngx_http_docket_find_t *f)
{
    u_char     *p, *next, *last, *eq, *dst, *src, *end;
    ngx_str_t  *value;

    if (in->text.len == 0) {
        return NGX_OK;
    }

    p = in->text.data;
    last = p + in->text.len;
    dst = p;

    for ( /* void */ ; p < last; p = next + 1) {
        next = ngx_strlchr(p, last, '&');

        if (next == NULL) {
            next = last;
        }

        eq = ngx_strlchr(p, next, '=');
        value = (eq != NULL) ? ngx_http_docket_find_option(f, p, eq - p) : NULL;

        if (value == NULL) {
            ngx_memmove(dst, p, next - p);
            dst += next - p;

            if (next < last) {
                *dst++ = '&';
            }

            continue;
        }

        for (src = eq + 1; src < next; src++) {
            if (*src == '+') {
                *src = ' ';
            }
        }

        value->data = ngx_pnalloc(r->pool, next - eq);
        if (value->data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        end = value->data;
        src = eq + 1;

        ngx_unescape_uri(&end, &src, next - src, 0);

        value->len = end - value->data;
    }

    in->text.len = dst - in->text.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_find_json(ngx_http_request_t *r, ngx_http_docket_input_t *in,
    ngx_http_docket_find_t *f)
{
    char        *copy;
    size_t       i;
    yajl_val     tree;
    ngx_int_t    rc;
    ngx_uint_t   nested;

    nested = 0;

    for (i = 0; i < in->text.len; i++) {
        nested += (in->text.data[i] == '{' || in->text.data[i] == '[');
    }

    /* a tree is freed by recursion; the question's own reader refuses what is
       nested too deep, and what is no JSON */

    if (in->text.len == 0 || nested > NGX_HTTP_DOCKET_FIND_NESTED) {
        return NGX_OK;
    }

    copy = ngx_pnalloc(r->pool, in->text.len + 1);
    if (copy == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(copy, in->text.data, in->text.len);
    copy[in->text.len] = '\0';

    tree = yajl_tree_parse(copy, NULL, 0);

    if (tree == NULL) {
        return NGX_OK;
    }

    rc = YAJL_IS_OBJECT(tree) ? ngx_http_docket_find_object(r, tree, in, f)
                              : NGX_OK;

    yajl_tree_free(tree);

    return rc;
}


static ngx_int_t
ngx_http_docket_find_object(ngx_http_request_t *r, yajl_val tree,
    ngx_http_docket_input_t *in, ngx_http_docket_find_t *f)
{
    size_t       i;
    yajl_gen     g;
    ngx_int_t    rc;
    ngx_str_t   *value;
    const char  *key;

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    yajl_gen_map_open(g);

    for (i = 0; i < tree->u.object.len; i++) {
        key = tree->u.object.keys[i];

        value = ngx_http_docket_find_option(f, (u_char *) key,
                                            ngx_strlen(key));
        if (value == NULL) {
            ngx_http_docket_gen_key(g, key);
            ngx_http_docket_find_print(g, tree->u.object.values[i], 1);
            continue;
        }

        rc = ngx_http_docket_find_value(r, tree->u.object.values[i],
                                        value == &f->id, value);

        if (rc == NGX_DECLINED) {
            return ngx_http_docket_bad_arg(r, key, "is no text");
        }

        if (rc != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    yajl_gen_map_close(g);

    if (ngx_http_docket_gen_take(r, g, &in->text) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_OK;
}


/* A text, or with "list" also more than one, which are joined by commas. */

static ngx_int_t
ngx_http_docket_find_value(ngx_http_request_t *r, yajl_val v,
    ngx_uint_t list, ngx_str_t *value)
{
    u_char  *p;
    size_t   i, len;

    if (YAJL_IS_STRING(v)) {
        value->len = ngx_strlen(v->u.string);
        value->data = ngx_pnalloc(r->pool, value->len + 1);

        if (value->data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(value->data, v->u.string, value->len + 1);

        return NGX_OK;
    }

    if (!list || !YAJL_IS_ARRAY(v)) {
        return NGX_DECLINED;
    }

    len = 1;

    for (i = 0; i < v->u.array.len; i++) {

        if (!YAJL_IS_STRING(v->u.array.values[i])) {
            return NGX_DECLINED;
        }

        len += ngx_strlen(v->u.array.values[i]->u.string) + 1;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;

    for (i = 0; i < v->u.array.len; i++) {
        p = ngx_sprintf(p, "%s,", v->u.array.values[i]->u.string);
    }

    value->len = p - value->data;

    return NGX_OK;
}


static void
ngx_http_docket_find_print(yajl_gen g, yajl_val v, ngx_uint_t depth)
{
    size_t  i;

    if (depth == NGX_HTTP_DOCKET_FIND_DEPTH) {
        yajl_gen_null(g);
        return;
    }

    switch (v->type) {

    case yajl_t_string:
        ngx_http_docket_gen_cstr(g, v->u.string);
        break;

    case yajl_t_number:
        ngx_http_docket_gen_raw(g, v->u.number.r, ngx_strlen(v->u.number.r));
        break;

    case yajl_t_true:
    case yajl_t_false:
        yajl_gen_bool(g, v->type == yajl_t_true);
        break;

    case yajl_t_array:
        yajl_gen_array_open(g);

        for (i = 0; i < v->u.array.len; i++) {
            ngx_http_docket_find_print(g, v->u.array.values[i], depth + 1);
        }

        yajl_gen_array_close(g);
        break;

    case yajl_t_object:
        yajl_gen_map_open(g);

        for (i = 0; i < v->u.object.len; i++) {
            ngx_http_docket_gen_key(g, v->u.object.keys[i]);
            ngx_http_docket_find_print(g, v->u.object.values[i], depth + 1);
        }

        yajl_gen_map_close(g);
        break;

    default:
        yajl_gen_null(g);
        break;
    }
}
