/*
 * What was made of an event, as JSON.
 */

#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_gen.h"


static void ngx_http_docket_gen_fields(yajl_gen g,
    const docket_pivot_result_t *p);
static void ngx_http_docket_gen_used(yajl_gen g,
    const docket_pivot_result_t *p);
static const docket_pivot_use_t *ngx_http_docket_use(
    const docket_pivot_use_t *use, const char *field);
static void ngx_http_docket_gen_event_time(yajl_gen g, const char *key,
    int64_t us);


/*
 * "pivot": {"kind", "fields", "used", "unused", "start", "end", "margin"}:
 * "fields" as a question takes them, and in "used" for each of them the names
 * of what it was taken from.
 */

void
ngx_http_docket_gen_pivot(yajl_gen g, const docket_pivot_result_t *p)
{
    const docket_pivot_unused_t  *unused;

    ngx_http_docket_gen_key(g, "pivot");
    yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "kind");
    ngx_http_docket_gen_cstr(g, p->kind);

    ngx_http_docket_gen_fields(g, p);
    ngx_http_docket_gen_used(g, p);

    ngx_http_docket_gen_key(g, "unused");
    yajl_gen_array_open(g);

    for (unused = p->unused; unused != NULL; unused = unused->next) {
        yajl_gen_map_open(g);
        ngx_http_docket_gen_key(g, "name");
        ngx_http_docket_gen_cstr(g, unused->name);
        ngx_http_docket_gen_key(g, "why");
        ngx_http_docket_gen_cstr(g, unused->why);
        yajl_gen_map_close(g);
    }

    yajl_gen_array_close(g);

    ngx_http_docket_gen_event_time(g, "start", p->start);
    ngx_http_docket_gen_event_time(g, "end", p->end);

    ngx_http_docket_gen_key(g, "margin");
    ngx_http_docket_gen_double(g, (double) p->margin / DOCKET_SECOND);

    yajl_gen_map_close(g);
}


/* hosts and ports are lists, however many there are */

static void
ngx_http_docket_gen_fields(yajl_gen g, const docket_pivot_result_t *p)
{
    ngx_uint_t                 i;
    const docket_pivot_use_t  *use;

    static const char *const  lists[] = { "host", "port" };
    static const char *const  values[] = { "proto", "after", "before" };

    ngx_http_docket_gen_key(g, "fields");
    yajl_gen_map_open(g);

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        ngx_http_docket_gen_key(g, lists[i]);
        yajl_gen_array_open(g);

        for (use = ngx_http_docket_use(p->used, lists[i]);
             use != NULL;
             use = ngx_http_docket_use(use->next, lists[i]))
        {
            if (use->value != NULL) {
                ngx_http_docket_gen_cstr(g, use->value);
            }
        }

        yajl_gen_array_close(g);
    }

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        use = ngx_http_docket_use(p->used, values[i]);

        if (use != NULL) {
            ngx_http_docket_gen_key(g, values[i]);
            ngx_http_docket_gen_cstr(g, use->value);
        }
    }

    yajl_gen_map_close(g);
}


static void
ngx_http_docket_gen_used(yajl_gen g, const docket_pivot_result_t *p)
{
    ngx_uint_t                 i;
    const docket_pivot_use_t  *use;

    static const char *const  fields[] = {
        "host", "port", "proto", "after", "before"
    };

    ngx_http_docket_gen_key(g, "used");
    yajl_gen_map_open(g);

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        use = ngx_http_docket_use(p->used, fields[i]);

        if (use == NULL) {
            continue;
        }

        ngx_http_docket_gen_key(g, fields[i]);
        yajl_gen_array_open(g);

        for ( /* void */ ; use != NULL;
             use = ngx_http_docket_use(use->next, fields[i]))
        {
            ngx_http_docket_gen_cstr(g, use->name);
        }

        yajl_gen_array_close(g);
    }

    yajl_gen_map_close(g);
}


/* the first one of this field, from here on */

static const docket_pivot_use_t *
ngx_http_docket_use(const docket_pivot_use_t *use, const char *field)
{
    while (use != NULL && ngx_strcmp(use->field, field) != 0) {
        use = use->next;
    }

    return use;
}


static void
ngx_http_docket_gen_event_time(yajl_gen g, const char *key, int64_t us)
{
    ngx_http_docket_gen_key(g, key);

    if (us == -1) {
        yajl_gen_null(g);

    } else {
        ngx_http_docket_gen_time(g, us);
    }
}
