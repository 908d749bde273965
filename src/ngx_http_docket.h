/*
 * The module's configuration, as all its nginx parts see it.
 */

#ifndef NGX_HTTP_DOCKET_H
#define NGX_HTTP_DOCKET_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "job/docket_job.h"
#include "job/docket_spool.h"


#define NGX_HTTP_DOCKET_VERSION  "0.1.0"


typedef struct ngx_http_docket_zone_s         ngx_http_docket_zone_t;
typedef struct ngx_http_docket_zone_sensor_s  ngx_http_docket_zone_sensor_t;


/* What the master read of one PEM file; NUL-terminated behind "pem.len". */

typedef struct {
    ngx_str_t                       file;
    ngx_str_t                       pem;
    time_t                          not_after;    /* of a certificate */
    void                           *made;         /* helper: OpenSSL's form */
} ngx_http_docket_pem_t;


typedef struct {
    ngx_str_t                       name;         /* NUL-terminated */
    ngx_str_t                       host;         /* NUL-terminated, no [] */
    in_port_t                       port;         /* host order */
    ngx_str_t                       tls_name;     /* or empty */
    ngx_http_docket_pem_t          *certificate;
    ngx_http_docket_pem_t          *certificate_key;
    ngx_http_docket_pem_t          *trusted;
    ngx_uint_t                      max_queries;

    u_char                         *conf_file;    /* of its directive */
    ngx_uint_t                      line;

    ngx_http_docket_zone_sensor_t  *shared;       /* set in init_zone */
} ngx_http_docket_sensor_t;


/*
 * Wake-ups of one generation, made in init_module: an eventfd for the helper
 * and one for each worker.
 */

typedef struct {
    ngx_socket_t                    helper;
    ngx_socket_t                   *workers;      /* by ngx_worker */
    ngx_uint_t                      nworkers;
} ngx_http_docket_wake_t;


typedef struct {
    ngx_path_t                     *spool;        /* NULL: not configured */
    docket_spool_t                  sp;           /* sp.fd: the master's, of
                                                     this cycle; or -1 */
    ngx_shm_zone_t                 *shm_zone;
    ngx_http_docket_zone_t         *zone;         /* shm_zone's, mapped */
    size_t                          zone_size;

    ngx_array_t                     sensors;      /* ngx_http_docket_sensor_t */
    const char                    **sensor_names; /* sorted; nsensors of them */

    /* of sensors that have none of their own; or NULL */
    ngx_http_docket_pem_t          *ssl_certificate;
    ngx_http_docket_pem_t          *ssl_certificate_key;
    ngx_http_docket_pem_t          *ssl_trusted_certificate;

    /* all times in milliseconds */
    ngx_msec_t                      connect_timeout;
    ngx_msec_t                      stat_timeout;
    ngx_msec_t                      query_timeout;
    ngx_msec_t                      stall_timeout;
    ngx_msec_t                      idle_time;
    ngx_msec_t                      idle_sleep;
    ngx_msec_t                      idle_timeout;
    ngx_msec_t                      slice;
    ngx_msec_t                      time_padding;
    ngx_msec_t                      settle;
    ngx_msec_t                      shutdown_timeout;
    ngx_msec_t                      expire_time;
    ngx_msec_t                      cleanup_period;

    ngx_uint_t                      retries;
    ngx_uint_t                      max_active;
    ngx_uint_t                      queue_size;
    size_t                          buffer;
    off_t                           expire_space;
    off_t                           free_bytes;
    ngx_uint_t                      free_nodes;
    ngx_str_t                       merged_name;
    ngx_flag_t                      uuid_format;
    ngx_flag_t                      sync;

    ngx_str_t                      *used;         /* docket_api or _results */
    u_char                         *used_file;    /* of the first of them */
    ngx_uint_t                      used_line;
    ngx_uint_t                      master;       /* master_process is on */
    uint32_t                        generation;   /* set in init_module */
    ngx_http_docket_wake_t          wake;
} ngx_http_docket_main_conf_t;


#define NGX_HTTP_DOCKET_CROSS_CLICK  0
#define NGX_HTTP_DOCKET_CROSS_ASK    1
#define NGX_HTTP_DOCKET_CROSS_DENY   2
#define NGX_HTTP_DOCKET_CROSS_ALLOW  3


typedef struct {
    ngx_flag_t                      api;
    ngx_flag_t                      results;
    ngx_str_t                       prefix;       /* without a trailing '/' */
    ngx_uint_t                      pattern;      /* the location's name is
                                                     no beginning of a path */

    ngx_msec_t                      time_window;
    ngx_msec_t                      long_ago;
    ngx_msec_t                      wait_timeout;
    ngx_uint_t                      cross_site;
    docket_weight_t                *weight;       /* NULL: off */
    ngx_str_t                       results_url;
    ngx_str_t                       ui_url;       /* empty: none */
    ngx_str_t                       date_format;  /* NUL-terminated */
} ngx_http_docket_loc_conf_t;


extern ngx_module_t  ngx_http_docket_module;


#endif /* NGX_HTTP_DOCKET_H */
