/*
 * Directives with more than one value, and what the master checks and reads
 * at configuration time.  Each error is logged where it is found.
 */

#ifndef NGX_HTTP_DOCKET_CONF_H
#define NGX_HTTP_DOCKET_CONF_H


#include "ngx_http_docket.h"


#define NGX_HTTP_DOCKET_MAX_QUERIES  64


char *ngx_http_docket_conf_sensor(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_docket_conf_pem_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_docket_conf_weight(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* A name that can stand alone in a folder: letters, digits, "._-", and no
   dot or dash at its beginning. */
ngx_uint_t ngx_http_docket_conf_file_name(ngx_str_t *name);
ngx_uint_t ngx_http_docket_conf_host_name(ngx_str_t *name);
/* A sensor's: a name or an address, without brackets. */
ngx_uint_t ngx_http_docket_conf_host(ngx_str_t *host);

/* Reads a PEM file, relative names as nginx's own; NULL on an error.  Its
   text is wiped out when the configuration goes. */
ngx_http_docket_pem_t *ngx_http_docket_conf_pem(ngx_conf_t *cf,
    ngx_str_t *file);
/* Sets the defaults, then checks that certificates parse and keys match. */
ngx_int_t ngx_http_docket_conf_sensor_pems(ngx_conf_t *cf,
    ngx_http_docket_main_conf_t *mcf, ngx_http_docket_sensor_t *sensor);

/* Wipes out the keys: of no use to a worker. */
void ngx_http_docket_conf_forget_keys(ngx_http_docket_main_conf_t *mcf);

/* The folder may be missing (nginx makes it); what is there must be one. */
ngx_int_t ngx_http_docket_conf_spool(ngx_conf_t *cf, ngx_str_t *path);


#endif /* NGX_HTTP_DOCKET_CONF_H */
