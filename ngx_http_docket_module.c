/*
 * Docket: an HTTP front end for Stenographer, as an nginx module.
 *
 * Directives, contexts and life-cycle hooks; what they lead to is in src/.
 */

#include "ngx_http_docket.h"
#include "conf/ngx_http_docket_conf.h"
#include "helper/ngx_http_docket_helper.h"
#include "http/ngx_http_docket_http.h"
#include "zone/ngx_http_docket_zone.h"

#include <sys/eventfd.h>


static void *ngx_http_docket_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_docket_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_docket_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_docket_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_docket_merge_inner(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf, ngx_http_docket_loc_conf_t *prev,
    ngx_http_docket_loc_conf_t *conf);
static ngx_int_t ngx_http_docket_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_docket_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_docket_open_spool(ngx_cycle_t *cycle,
    ngx_http_docket_main_conf_t *mcf);
static ngx_int_t ngx_http_docket_close_later(ngx_cycle_t *cycle, ngx_fd_t fd,
    u_char *name);
static void ngx_http_docket_leave_zones(ngx_cycle_t *cycle,
    ngx_http_docket_zone_t *zone);
static ngx_int_t ngx_http_docket_init_process(ngx_cycle_t *cycle);
static void ngx_http_docket_exit_process(ngx_cycle_t *cycle);

static char *ngx_http_docket_spool(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_docket_api(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void ngx_http_docket_used(ngx_conf_t *cf, ngx_command_t *cmd);
static void ngx_http_docket_no_slash(ngx_str_t *prefix);
static char *ngx_http_docket_results(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_docket_positive(ngx_conf_t *cf, void *post, void *data);
static char *ngx_http_docket_whole_seconds(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_docket_buffer(ngx_conf_t *cf, void *post, void *data);
static char *ngx_http_docket_name(ngx_conf_t *cf, void *post, void *data);


static ngx_conf_post_t  ngx_http_docket_positive_post =
    { ngx_http_docket_positive };

static ngx_conf_post_t  ngx_http_docket_whole_seconds_post =
    { ngx_http_docket_whole_seconds };

static ngx_conf_post_t  ngx_http_docket_buffer_post =
    { ngx_http_docket_buffer };

static ngx_conf_post_t  ngx_http_docket_name_post =
    { ngx_http_docket_name };

static ngx_conf_num_bounds_t  ngx_http_docket_retries_bounds =
    { ngx_conf_check_num_bounds, 0, 100 };

static ngx_conf_num_bounds_t  ngx_http_docket_active_bounds =
    { ngx_conf_check_num_bounds, 1, 256 };

static ngx_conf_num_bounds_t  ngx_http_docket_queue_bounds =
    { ngx_conf_check_num_bounds, 1, 1000000 };


static ngx_conf_enum_t  ngx_http_docket_cross_site[] = {
    { ngx_string("click"), NGX_HTTP_DOCKET_CROSS_CLICK },
    { ngx_string("ask"), NGX_HTTP_DOCKET_CROSS_ASK },
    { ngx_string("deny"), NGX_HTTP_DOCKET_CROSS_DENY },
    { ngx_string("allow"), NGX_HTTP_DOCKET_CROSS_ALLOW },
    { ngx_null_string, 0 }
};


#define ngx_http_docket_main_command(name, set, field, post)                  \
    { ngx_string(name),                                                       \
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,                                      \
      set,                                                                    \
      NGX_HTTP_MAIN_CONF_OFFSET,                                              \
      offsetof(ngx_http_docket_main_conf_t, field),                           \
      post }

#define ngx_http_docket_loc_command(name, set, field, post)                   \
    { ngx_string(name),                                                       \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,  \
      set,                                                                    \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_docket_loc_conf_t, field),                            \
      post }


static ngx_command_t  ngx_http_docket_commands[] = {

    { ngx_string("docket_spool"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_docket_spool,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("docket_sensor"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_docket_conf_sensor,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    ngx_http_docket_main_command("docket_ssl_certificate",
        ngx_http_docket_conf_pem_slot, ssl_certificate, NULL),
    ngx_http_docket_main_command("docket_ssl_certificate_key",
        ngx_http_docket_conf_pem_slot, ssl_certificate_key, NULL),
    ngx_http_docket_main_command("docket_ssl_trusted_certificate",
        ngx_http_docket_conf_pem_slot, ssl_trusted_certificate, NULL),

    ngx_http_docket_main_command("docket_connect_timeout",
        ngx_conf_set_msec_slot, connect_timeout,
        &ngx_http_docket_positive_post),
    ngx_http_docket_main_command("docket_stat_timeout",
        ngx_conf_set_msec_slot, stat_timeout, &ngx_http_docket_positive_post),
    ngx_http_docket_main_command("docket_query_timeout",
        ngx_conf_set_msec_slot, query_timeout, &ngx_http_docket_positive_post),
    ngx_http_docket_main_command("docket_stall_timeout",
        ngx_conf_set_msec_slot, stall_timeout, &ngx_http_docket_positive_post),
    ngx_http_docket_main_command("docket_idle_time",
        ngx_conf_set_msec_slot, idle_time, NULL),
    ngx_http_docket_main_command("docket_idle_sleep",
        ngx_conf_set_msec_slot, idle_sleep, &ngx_http_docket_positive_post),
    ngx_http_docket_main_command("docket_idle_timeout",
        ngx_conf_set_msec_slot, idle_timeout, NULL),
    ngx_http_docket_main_command("docket_slice",
        ngx_conf_set_msec_slot, slice, &ngx_http_docket_whole_seconds_post),
    ngx_http_docket_main_command("docket_time_padding",
        ngx_conf_set_msec_slot, time_padding, NULL),
    ngx_http_docket_main_command("docket_settle",
        ngx_conf_set_msec_slot, settle, NULL),
    ngx_http_docket_main_command("docket_shutdown_timeout",
        ngx_conf_set_msec_slot, shutdown_timeout, NULL),
    ngx_http_docket_main_command("docket_expire_time",
        ngx_conf_set_msec_slot, expire_time, &ngx_http_docket_positive_post),
    ngx_http_docket_main_command("docket_cleanup_period",
        ngx_conf_set_msec_slot, cleanup_period,
        &ngx_http_docket_positive_post),

    ngx_http_docket_main_command("docket_retries",
        ngx_conf_set_num_slot, retries, &ngx_http_docket_retries_bounds),
    ngx_http_docket_main_command("docket_max_active",
        ngx_conf_set_num_slot, max_active, &ngx_http_docket_active_bounds),
    ngx_http_docket_main_command("docket_queue_size",
        ngx_conf_set_num_slot, queue_size, &ngx_http_docket_queue_bounds),
    ngx_http_docket_main_command("docket_buffer",
        ngx_conf_set_size_slot, buffer, &ngx_http_docket_buffer_post),
    ngx_http_docket_main_command("docket_expire_space",
        ngx_conf_set_off_slot, expire_space, NULL),
    ngx_http_docket_main_command("docket_free_bytes",
        ngx_conf_set_off_slot, free_bytes, NULL),
    ngx_http_docket_main_command("docket_free_nodes",
        ngx_conf_set_num_slot, free_nodes, NULL),
    ngx_http_docket_main_command("docket_merged_name",
        ngx_conf_set_str_slot, merged_name, &ngx_http_docket_name_post),

    { ngx_string("docket_uuid_format"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_docket_main_conf_t, uuid_format),
      NULL },

    { ngx_string("docket_sync"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_docket_main_conf_t, sync),
      NULL },

    ngx_http_docket_loc_command("docket_time_window",
        ngx_conf_set_msec_slot, time_window,
        &ngx_http_docket_whole_seconds_post),
    ngx_http_docket_loc_command("docket_long_ago",
        ngx_conf_set_msec_slot, long_ago, &ngx_http_docket_positive_post),
    ngx_http_docket_loc_command("docket_wait_timeout",
        ngx_conf_set_msec_slot, wait_timeout, &ngx_http_docket_positive_post),
    ngx_http_docket_loc_command("docket_cross_site",
        ngx_conf_set_enum_slot, cross_site, ngx_http_docket_cross_site),
    ngx_http_docket_loc_command("docket_results_url",
        ngx_conf_set_str_slot, results_url, NULL),
    ngx_http_docket_loc_command("docket_ui_url",
        ngx_conf_set_str_slot, ui_url, NULL),
    ngx_http_docket_loc_command("docket_date_format",
        ngx_conf_set_str_slot, date_format, NULL),

    { ngx_string("docket_weight"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_docket_conf_weight,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("docket_api"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF
                       |NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_docket_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("docket_results"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_docket_results,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_docket_module_ctx = {
    ngx_http_docket_add_variables,         /* preconfiguration */
    ngx_http_docket_postconfiguration,     /* postconfiguration */

    ngx_http_docket_create_main_conf,      /* create main configuration */
    ngx_http_docket_init_main_conf,        /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_docket_create_loc_conf,       /* create location configuration */
    ngx_http_docket_merge_loc_conf         /* merge location configuration */
};


ngx_module_t  ngx_http_docket_module = {
    NGX_MODULE_V1,
    &ngx_http_docket_module_ctx,           /* module context */
    ngx_http_docket_commands,              /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_docket_init_module,           /* init module */
    ngx_http_docket_init_process,          /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_docket_exit_process,          /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_docket_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_docket_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&mcf->sensors, cf->pool, 4,
                       sizeof(ngx_http_docket_sensor_t))
        != NGX_OK)
    {
        return NULL;
    }

    mcf->sp.fd = -1;
    mcf->wake.helper = -1;

    mcf->connect_timeout = NGX_CONF_UNSET_MSEC;
    mcf->stat_timeout = NGX_CONF_UNSET_MSEC;
    mcf->query_timeout = NGX_CONF_UNSET_MSEC;
    mcf->stall_timeout = NGX_CONF_UNSET_MSEC;
    mcf->idle_time = NGX_CONF_UNSET_MSEC;
    mcf->idle_sleep = NGX_CONF_UNSET_MSEC;
    mcf->idle_timeout = NGX_CONF_UNSET_MSEC;
    mcf->slice = NGX_CONF_UNSET_MSEC;
    mcf->time_padding = NGX_CONF_UNSET_MSEC;
    mcf->settle = NGX_CONF_UNSET_MSEC;
    mcf->shutdown_timeout = NGX_CONF_UNSET_MSEC;
    mcf->expire_time = NGX_CONF_UNSET_MSEC;
    mcf->cleanup_period = NGX_CONF_UNSET_MSEC;

    mcf->retries = NGX_CONF_UNSET_UINT;
    mcf->max_active = NGX_CONF_UNSET_UINT;
    mcf->queue_size = NGX_CONF_UNSET_UINT;
    mcf->buffer = NGX_CONF_UNSET_SIZE;
    mcf->expire_space = NGX_CONF_UNSET;
    mcf->free_bytes = NGX_CONF_UNSET;
    mcf->free_nodes = NGX_CONF_UNSET_UINT;
    mcf->uuid_format = NGX_CONF_UNSET;
    mcf->sync = NGX_CONF_UNSET;

    return mcf;
}


static int ngx_libc_cdecl
ngx_http_docket_cmp_names(const void *one, const void *two)
{
    return ngx_strcmp(*(const char *const *) one, *(const char *const *) two);
}


static char *
ngx_http_docket_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_docket_main_conf_t *mcf = conf;

    u_char                    *p;
    ngx_uint_t                 i;
    ngx_http_docket_sensor_t  *sensor;

    ngx_conf_init_msec_value(mcf->connect_timeout, 5000);
    ngx_conf_init_msec_value(mcf->stat_timeout, 3000);
    ngx_conf_init_msec_value(mcf->query_timeout, 720 * 1000);
    ngx_conf_init_msec_value(mcf->stall_timeout, 60 * 1000);
    ngx_conf_init_msec_value(mcf->idle_time, 5000);
    ngx_conf_init_msec_value(mcf->idle_sleep, 2000);
    ngx_conf_init_msec_value(mcf->idle_timeout, 60 * 1000);
    ngx_conf_init_msec_value(mcf->slice, 3600 * 1000);
    ngx_conf_init_msec_value(mcf->time_padding, 120 * 1000);
    ngx_conf_init_msec_value(mcf->settle, 120 * 1000);
    ngx_conf_init_msec_value(mcf->shutdown_timeout, 60 * 1000);
    ngx_conf_init_msec_value(mcf->expire_time, 48 * 3600 * 1000);
    ngx_conf_init_msec_value(mcf->cleanup_period, 3600 * 1000);

    ngx_conf_init_uint_value(mcf->retries, 2);
    ngx_conf_init_uint_value(mcf->max_active, 8);
    ngx_conf_init_uint_value(mcf->queue_size, 1000);
    ngx_conf_init_size_value(mcf->buffer, 32 * 1024 * 1024);
    ngx_conf_init_value(mcf->expire_space, 500 * 1024 * 1024);
    ngx_conf_init_value(mcf->free_bytes, 200 * 1024 * 1024);
    ngx_conf_init_uint_value(mcf->free_nodes, 10111);
    ngx_conf_init_value(mcf->uuid_format, 0);
    ngx_conf_init_value(mcf->sync, 0);

    if (mcf->merged_name.data == NULL) {
        ngx_str_set(&mcf->merged_name, "merged");
    }

    if (mcf->spool == NULL) {

        if (mcf->sensors.nelts != 0) {
            sensor = mcf->sensors.elts;
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"docket_sensor\" requires \"docket_spool\" in "
                          "%s:%ui", sensor->conf_file, sensor->line);
            return NGX_CONF_ERROR;
        }

        if (mcf->used != NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"%V\" requires \"docket_spool\" in %s:%ui",
                          mcf->used, mcf->used_file, mcf->used_line);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    if (mcf->sensors.nelts == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"docket_spool\" requires a \"docket_sensor\" in "
                      "%s:%ui", mcf->spool->conf_file, mcf->spool->line);
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, mcf->merged_name.len + sizeof(".pcap"));
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_sprintf(p, "%V.pcap%Z", &mcf->merged_name);

    mcf->sp.merged = (char *) p;
    mcf->sp.uuid = (int) mcf->uuid_format;

    mcf->sensor_names = ngx_palloc(cf->pool,
                                   mcf->sensors.nelts * sizeof(char *));
    if (mcf->sensor_names == NULL) {
        return NGX_CONF_ERROR;
    }

    sensor = mcf->sensors.elts;

    for (i = 0; i < mcf->sensors.nelts; i++) {
        mcf->sensor_names[i] = (char *) sensor[i].name.data;

        if (ngx_http_docket_conf_sensor_pems(cf, mcf, &sensor[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    ngx_qsort(mcf->sensor_names, mcf->sensors.nelts, sizeof(char *),
              ngx_http_docket_cmp_names);

    return NGX_CONF_OK;
}


static void *
ngx_http_docket_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_docket_loc_conf_t  *lcf;

    lcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_docket_loc_conf_t));
    if (lcf == NULL) {
        return NULL;
    }

    lcf->time_window = NGX_CONF_UNSET_MSEC;
    lcf->long_ago = NGX_CONF_UNSET_MSEC;
    lcf->wait_timeout = NGX_CONF_UNSET_MSEC;
    lcf->cross_site = NGX_CONF_UNSET_UINT;
    lcf->weight = NGX_CONF_UNSET_PTR;

    return lcf;
}


static char *
ngx_http_docket_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_docket_loc_conf_t *prev = parent;
    ngx_http_docket_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_msec_value(conf->time_window, prev->time_window, 60000);
    ngx_conf_merge_msec_value(conf->long_ago, prev->long_ago,
                              24 * 3600 * 1000);
    ngx_conf_merge_msec_value(conf->wait_timeout, prev->wait_timeout, 60000);
    ngx_conf_merge_uint_value(conf->cross_site, prev->cross_site,
                              NGX_HTTP_DOCKET_CROSS_CLICK);
    ngx_conf_merge_ptr_value(conf->weight, prev->weight, NULL);
    ngx_conf_merge_str_value(conf->results_url, prev->results_url, "/results");
    ngx_conf_merge_str_value(conf->ui_url, prev->ui_url, "");
    ngx_conf_merge_str_value(conf->date_format, prev->date_format,
                             "%Y%jT%H:%M:%S");

    if (conf->prefix.data == NULL) {
        conf->prefix = prev->prefix;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname || clcf->lmt_excpt) {
        return ngx_http_docket_merge_inner(cf, clcf, prev, conf);
    }

    conf->pattern = clcf->named;

#if (NGX_PCRE)
    conf->pattern |= (clcf->regex != NULL);
#endif

    return NGX_CONF_OK;
}


/* An "if" or "limit_except", which has the name of the location around it. */

static char *
ngx_http_docket_merge_inner(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf,
    ngx_http_docket_loc_conf_t *prev, ngx_http_docket_loc_conf_t *conf)
{
    conf->pattern = prev->pattern;

    if (conf->api && conf->prefix.data == NULL) {

        if (conf->pattern) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"docket_api\" directive below a location "
                               "that is a regular expression or has a name "
                               "needs \"prefix=\"");
            return NGX_CONF_ERROR;
        }

        conf->prefix = clcf->name;
        ngx_http_docket_no_slash(&conf->prefix);
    }

    if (clcf->handler != NULL) {
        return NGX_CONF_OK;
    }

    conf->api = prev->api;
    conf->results = prev->results;

    if (conf->api) {
        clcf->handler = ngx_http_docket_api_handler;

    } else if (conf->results) {
        clcf->handler = ngx_http_docket_results_handler;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_docket_postconfiguration(ngx_conf_t *cf)
{
    size_t                        size;
    ngx_str_t                     name;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_docket_module);

    if (mcf->spool == NULL) {
        return NGX_OK;
    }

    size = ngx_http_docket_zone_min_size(mcf);

    if (mcf->zone_size < size) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"docket_spool\" zone of %uz bytes is too small: "
                      "docket_queue_size, docket_max_active and %ui sensors "
                      "need zone=%uzk in %s:%ui", mcf->zone_size,
                      mcf->sensors.nelts, (size + 1023) / 1024,
                      mcf->spool->conf_file, mcf->spool->line);
        return NGX_ERROR;
    }

    /* named after the folder, so that a moved spool starts with a new zone */

    name.len = sizeof("docket:") - 1 + mcf->spool->name.len;
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(name.data, "docket:%V", &mcf->spool->name);

    mcf->shm_zone = ngx_shared_memory_add(cf, &name, mcf->zone_size,
                                          &ngx_http_docket_module);
    if (mcf->shm_zone == NULL) {
        return NGX_ERROR;
    }

    mcf->shm_zone->init = ngx_http_docket_zone_init;
    mcf->shm_zone->data = mcf;

    return NGX_OK;
}


/*
 * Opened here, the spool can be reached by processes that may not pass the
 * folders above it; and one that can't be opened does not keep a worker from
 * all that nginx serves besides.
 */

static ngx_int_t
ngx_http_docket_open_spool(ngx_cycle_t *cycle,
    ngx_http_docket_main_conf_t *mcf)
{
    mcf->sp.fd = open((char *) mcf->spool->name.data,
                      O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (mcf->sp.fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_open_file_n " \"%V\" failed", &mcf->spool->name);
        return NGX_OK;
    }

    return ngx_http_docket_close_later(cycle, mcf->sp.fd,
                                       mcf->spool->name.data);
}


static ngx_int_t
ngx_http_docket_eventfd(ngx_cycle_t *cycle, ngx_socket_t *fd)
{
    *fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (*fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "eventfd() failed");
        return NGX_ERROR;
    }

    return ngx_http_docket_close_later(cycle, *fd,
                                       (u_char *) "docket eventfd");
}


/* With the cycle. */

static ngx_int_t
ngx_http_docket_close_later(ngx_cycle_t *cycle, ngx_fd_t fd, u_char *name)
{
    ngx_pool_cleanup_t       *cln;
    ngx_pool_cleanup_file_t  *clnf;

    cln = ngx_pool_cleanup_add(cycle->pool, sizeof(ngx_pool_cleanup_file_t));
    if (cln == NULL) {
        (void) close(fd);
        return NGX_ERROR;
    }

    cln->handler = ngx_pool_cleanup_file;

    clnf = cln->data;
    clnf->fd = fd;
    clnf->name = name;
    clnf->log = cycle->log;

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t                    i;
    ngx_core_conf_t              *ccf;
    ngx_http_docket_wake_t       *wake;
    ngx_http_docket_main_conf_t  *mcf;

    if (ngx_test_config) {
        return NGX_OK;
    }

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_docket_module);

    if (mcf == NULL || mcf->spool == NULL) {
        ngx_http_docket_leave_zones(cycle, NULL);
        return NGX_OK;
    }

    ngx_http_docket_leave_zones(cycle, mcf->zone);

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    mcf->master = ccf->master;

    if (ngx_http_docket_open_spool(cycle, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!mcf->master) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "docket needs \"master_process on\": no question will "
                      "be taken");
    }

    wake = &mcf->wake;

    wake->nworkers = ccf->master ? (ngx_uint_t) ccf->worker_processes : 1;
    wake->workers = ngx_palloc(cycle->pool,
                               wake->nworkers * sizeof(ngx_socket_t));
    if (wake->workers == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_docket_eventfd(cycle, &wake->helper) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < wake->nworkers; i++) {
        if (ngx_http_docket_eventfd(cycle, &wake->workers[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    mcf->generation = ngx_http_docket_zone_generation(mcf->zone, 1);

    return NGX_OK;
}


/*
 * When the spool was moved, or its zone has another size, the helper of the
 * former zone learns in that zone that a newer generation is there.
 */

static void
ngx_http_docket_leave_zones(ngx_cycle_t *cycle, ngx_http_docket_zone_t *zone)
{
    ngx_uint_t                    i;
    ngx_shm_zone_t               *shm_zone;
    ngx_list_part_t              *part;
    ngx_http_docket_main_conf_t  *mcf;

    part = &cycle->old_cycle->shared_memory.part;
    shm_zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {

            if (part->next == NULL) {
                break;
            }

            part = part->next;
            shm_zone = part->elts;
            i = 0;
        }

        if (shm_zone[i].tag != &ngx_http_docket_module) {
            continue;
        }

        mcf = shm_zone[i].data;

        if (mcf->zone != zone) {
            (void) ngx_http_docket_zone_generation(mcf->zone, 1);
        }
    }
}


static ngx_int_t
ngx_http_docket_init_process(ngx_cycle_t *cycle)
{
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_docket_module);

    if (mcf == NULL || mcf->spool == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    ngx_http_docket_conf_forget_keys(mcf);

    return ngx_http_docket_wait_init_process(cycle);
}


static void
ngx_http_docket_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_docket_module);

    if (mcf != NULL && mcf->spool != NULL) {
        ngx_http_docket_wait_exit_process(cycle);
    }
}


static char *
ngx_http_docket_spool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_docket_main_conf_t *mcf = conf;

    ssize_t     size;
    ngx_str_t  *value, s;

    if (mcf->spool != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;
    size = 16 * 1024 * 1024;

    if (value[1].len == 0) {
        return "must name a folder";
    }

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(value[2].data, "zone=", 5) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        s.data = value[2].data + 5;
        s.len = value[2].len - 5;
        size = ngx_parse_size(&s);

        if (size == NGX_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid zone size \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }
    }

    mcf->zone_size = size;

    mcf->spool = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (mcf->spool == NULL) {
        return NGX_CONF_ERROR;
    }

    mcf->spool->name = value[1];

    if (mcf->spool->name.len > 1
        && mcf->spool->name.data[mcf->spool->name.len - 1] == '/')
    {
        mcf->spool->name.len--;
        mcf->spool->name.data[mcf->spool->name.len] = '\0';
    }

    if (ngx_conf_full_name(cf->cycle, &mcf->spool->name, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_docket_conf_spool(cf, &mcf->spool->name) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    mcf->spool->manager = ngx_http_docket_supervisor;
    mcf->spool->data = mcf;
    mcf->spool->conf_file = cf->conf_file->file.name.data;
    mcf->spool->line = cf->conf_file->line;

    if (ngx_add_path(cf, &mcf->spool) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_docket_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_docket_loc_conf_t *lcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->api || lcf->results) {
        return "is duplicate";
    }

    value = cf->args->elts;
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (cf->args->nelts == 2) {

        if (ngx_strncmp(value[1].data, "prefix=/", 8) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[1]);
            return NGX_CONF_ERROR;
        }

        lcf->prefix.data = value[1].data + 7;
        lcf->prefix.len = value[1].len - 7;

    } else if (cf->cmd_type == NGX_HTTP_LOC_CONF) {

#if (NGX_PCRE)
        if (clcf->regex != NULL) {
            return "in a location given by a regular expression needs "
                   "\"prefix=\"";
        }
#endif

        if (clcf->named) {
            return "in a named location needs \"prefix=\"";
        }

        lcf->prefix = clcf->name;
    }

    ngx_http_docket_no_slash(&lcf->prefix);

    ngx_http_docket_used(cf, cmd);

    lcf->api = 1;
    clcf->handler = ngx_http_docket_api_handler;

    return NGX_CONF_OK;
}


/* The first directive that is nothing without a spool. */

static void
ngx_http_docket_used(ngx_conf_t *cf, ngx_command_t *cmd)
{
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_docket_module);

    if (mcf->used == NULL) {
        mcf->used = &cmd->name;
        mcf->used_file = cf->conf_file->file.name.data;
        mcf->used_line = cf->conf_file->line;
    }
}


static void
ngx_http_docket_no_slash(ngx_str_t *prefix)
{
    if (prefix->len != 0 && prefix->data[prefix->len - 1] == '/') {
        prefix->len--;
    }
}


static char *
ngx_http_docket_results(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_docket_loc_conf_t *lcf = conf;

    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->api || lcf->results) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

#if (NGX_PCRE)
    if (clcf->regex != NULL) {
        return "is of no use in a location given by a regular expression";
    }
#endif

    if (clcf->named) {
        return "is of no use in a named location";
    }

    ngx_http_docket_used(cf, cmd);

    lcf->results = 1;
    clcf->handler = ngx_http_docket_results_handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_docket_positive(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t *msec = data;

    if (*msec == 0) {
        return "must not be 0";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_docket_whole_seconds(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t *msec = data;

    if (*msec == 0 || *msec % 1000 != 0) {
        return "must be whole seconds, and not 0";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_docket_buffer(ngx_conf_t *cf, void *post, void *data)
{
    size_t *size = data;

    if (*size < 1024 * 1024) {
        return "must be at least 1m";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_docket_name(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t *name = data;

    if (!ngx_http_docket_conf_file_name(name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"docket_merged_name\" value \"%V\" is no safe "
                           "file name", name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
