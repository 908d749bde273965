/*
 * docket_weight
 */

#include "conf/ngx_http_docket_conf.h"


/* "5t", "22m", "1.5g": ngx_parse_offset() knows no fraction, no "t" or "p". */

static ngx_int_t
ngx_http_docket_conf_bytes(ngx_str_t *s, double *bytes)
{
    char    *end;
    double   value, unit;

    value = strtod((char *) s->data, &end);

    switch (*end) {

    case 'k': case 'K':
        unit = 1024.0;
        break;

    case 'm': case 'M':
        unit = 1024.0 * 1024;
        break;

    case 'g': case 'G':
        unit = 1024.0 * 1024 * 1024;
        break;

    case 't': case 'T':
        unit = 1024.0 * 1024 * 1024 * 1024;
        break;

    case 'p': case 'P':
        unit = 1024.0 * 1024 * 1024 * 1024 * 1024;
        break;

    default:
        unit = 1;
        end--;
    }

    if (end + 1 != (char *) s->data + s->len || s->len == 0
        || s->data[0] < '0' || s->data[0] > '9' || !(value > 0)
        || value > 1e15)
    {
        return NGX_ERROR;
    }

    *bytes = value * unit;

    return NGX_OK;
}


char *
ngx_http_docket_conf_weight(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_docket_loc_conf_t *lcf = conf;

    double           *field;
    ngx_str_t        *value, s;
    ngx_uint_t        i, k;
    docket_weight_t  *w;

    static const struct {
        ngx_str_t  name;
        size_t     offset;
    } params[] = {
        { ngx_string("total="), offsetof(docket_weight_t, total) },
        { ngx_string("hours="), offsetof(docket_weight_t, hours) },
        { ngx_string("threshold="), offsetof(docket_weight_t, threshold) },
        { ngx_string("ips="), offsetof(docket_weight_t, ips) },
        { ngx_string("nets="), offsetof(docket_weight_t, nets) },
        { ngx_string("ports="), offsetof(docket_weight_t, ports) },
        { ngx_null_string, 0 }
    };

    if (lcf->weight != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        lcf->weight = NULL;
        return NGX_CONF_OK;
    }

    w = ngx_pcalloc(cf->pool, sizeof(docket_weight_t));
    if (w == NULL) {
        return NGX_CONF_ERROR;
    }

    w->ips = 50;
    w->nets = 2;
    w->ports = 100;
    w->override = 1;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "override=on") == 0) {
            w->override = 1;
            continue;
        }

        if (ngx_strcmp(value[i].data, "override=off") == 0) {
            w->override = 0;
            continue;
        }

        for (k = 0; params[k].name.len != 0; k++) {

            if (ngx_strncmp(value[i].data, params[k].name.data,
                            params[k].name.len)
                == 0)
            {
                break;
            }
        }

        s.data = value[i].data + params[k].name.len;
        s.len = value[i].len - params[k].name.len;
        field = (double *) ((u_char *) w + params[k].offset);

        if (params[k].name.len == 0
            || ngx_http_docket_conf_bytes(&s, field) != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (w->total == 0 || w->hours == 0 || w->threshold == 0) {
        return "requires \"total=\", \"hours=\" and \"threshold=\"";
    }

    lcf->weight = w;

    return NGX_CONF_OK;
}
