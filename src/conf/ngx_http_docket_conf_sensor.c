/*
 * docket_sensor
 */

#include "conf/ngx_http_docket_conf.h"


static ngx_int_t ngx_http_docket_conf_sensor_param(ngx_conf_t *cf,
    ngx_http_docket_sensor_t *sensor, ngx_str_t *param);


char *
ngx_http_docket_conf_sensor(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_docket_main_conf_t *mcf = conf;

    u_char                    *p;
    ngx_str_t                 *value, s;
    ngx_url_t                  u;
    ngx_uint_t                 i;
    ngx_http_docket_sensor_t  *sensor;

    value = cf->args->elts;

    if (value[1].len > DOCKET_MAX_SENSOR
        || !ngx_http_docket_conf_file_name(&value[1]))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "sensor name \"%V\" is no safe file name: letters, "
                           "digits, \".\", \"_\" and \"-\", at most %d, "
                           "beginning with a letter or digit",
                           &value[1], DOCKET_MAX_SENSOR);
        return NGX_CONF_ERROR;
    }

    if (ngx_strcmp(value[1].data, "docket") == 0) {
        return "can't be named \"docket\": in /stats that is the server";
    }

    sensor = mcf->sensors.elts;

    for (i = 0; i < mcf->sensors.nelts; i++) {

        if (sensor[i].name.len == value[1].len
            && ngx_strcmp(sensor[i].name.data, value[1].data) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate sensor \"%V\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (mcf->sensors.nelts >= DOCKET_JOB_SENSORS) {
        return "too many sensors";
    }

    sensor = ngx_array_push(&mcf->sensors);
    if (sensor == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(sensor, sizeof(ngx_http_docket_sensor_t));

    sensor->name = value[1];
    sensor->max_queries = 1;
    sensor->conf_file = cf->conf_file->file.name.data;
    sensor->line = cf->conf_file->line;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = value[2];
    u.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.no_port || u.uri.len != 0
        || u.family == AF_UNIX || u.host.len == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid address \"%V\" of sensor \"%V\": "
                           "%s", &value[2], &value[1],
                           u.err != NULL ? u.err : "HOST:PORT is expected");
        return NGX_CONF_ERROR;
    }

    s = u.host;

    if (s.data[0] == '[') {
        s.data++;
        s.len -= 2;
    }

    if (!ngx_http_docket_conf_host(&s)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid address \"%V\" of sensor \"%V\": "
                           "invalid host", &value[2], &value[1]);
        return NGX_CONF_ERROR;
    }

    sensor->host.len = s.len;
    sensor->host.data = ngx_pnalloc(cf->pool, s.len + 1);
    if (sensor->host.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_cpymem(sensor->host.data, s.data, s.len);
    *p = '\0';

    sensor->port = u.port;

    for (i = 3; i < cf->args->nelts; i++) {

        if (ngx_http_docket_conf_sensor_param(cf, sensor, &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* The rest of "param" behind "name" ("certificate="), or NGX_DECLINED. */

static ngx_int_t
ngx_http_docket_conf_param(ngx_str_t *param, const char *name,
    ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (param->len < len || ngx_strncmp(param->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    value->data = param->data + len;
    value->len = param->len - len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_conf_sensor_param(ngx_conf_t *cf,
    ngx_http_docket_sensor_t *sensor, ngx_str_t *param)
{
    ngx_int_t                n;
    ngx_str_t                value;
    ngx_http_docket_pem_t  **pem;

    if (ngx_http_docket_conf_param(param, "tls_name=", &value) == NGX_OK) {

        if (!ngx_http_docket_conf_host_name(&value)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid name \"%V\" of sensor \"%V\"",
                               param, &sensor->name);
            return NGX_ERROR;
        }

        sensor->tls_name = value;
        return NGX_OK;
    }

    if (ngx_http_docket_conf_param(param, "max_queries=", &value) == NGX_OK) {
        n = ngx_atoi(value.data, value.len);

        if (n == NGX_ERROR || n < 1 || n > NGX_HTTP_DOCKET_MAX_QUERIES) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid number \"%V\" of sensor \"%V\": "
                               "1 to %d", param, &sensor->name,
                               NGX_HTTP_DOCKET_MAX_QUERIES);
            return NGX_ERROR;
        }

        sensor->max_queries = n;
        return NGX_OK;
    }

    if (ngx_http_docket_conf_param(param, "certificate=", &value) == NGX_OK) {
        pem = &sensor->certificate;

    } else if (ngx_http_docket_conf_param(param, "certificate_key=", &value)
               == NGX_OK)
    {
        pem = &sensor->certificate_key;

    } else if (ngx_http_docket_conf_param(param, "trusted_certificate=",
                                          &value)
               == NGX_OK)
    {
        pem = &sensor->trusted;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of sensor \"%V\"",
                           param, &sensor->name);
        return NGX_ERROR;
    }

    *pem = ngx_http_docket_conf_pem(cf, &value);

    return (*pem == NULL) ? NGX_ERROR : NGX_OK;
}
