/*
 * What the master checks and reads at configuration time: names, PEM files,
 * the spool's folder.
 */

#include "conf/ngx_http_docket_conf.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>


#define NGX_HTTP_DOCKET_MAX_PEM  (1024 * 1024)


static void ngx_http_docket_conf_pem_wipe(void *data);
static ngx_int_t ngx_http_docket_conf_certificate(ngx_conf_t *cf,
    ngx_http_docket_sensor_t *sensor);
static ngx_int_t ngx_http_docket_conf_trusted(ngx_conf_t *cf,
    ngx_http_docket_sensor_t *sensor);
static ngx_int_t ngx_http_docket_conf_pem_error(ngx_conf_t *cf,
    ngx_http_docket_sensor_t *sensor, ngx_http_docket_pem_t *pem,
    const char *what);
static time_t ngx_http_docket_conf_not_after(X509 *cert);


ngx_uint_t
ngx_http_docket_conf_file_name(ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9'))
        {
            continue;
        }

        if (i == 0 || (c != '.' && c != '_' && c != '-')) {
            return 0;
        }
    }

    return name->len != 0 && name->len <= 128;
}


ngx_uint_t
ngx_http_docket_conf_host_name(ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
            && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_'
            && c != ':')
        {
            return 0;
        }
    }

    return name->len != 0 && name->len <= 253;
}


/* Digits and dots alone are an IPv4 address, or a slip of the pen. */

ngx_uint_t
ngx_http_docket_conf_host(ngx_str_t *host)
{
    size_t  i;

    if (!ngx_http_docket_conf_host_name(host)) {
        return 0;
    }

    for (i = 0; i < host->len; i++) {
        if ((host->data[i] < '0' || host->data[i] > '9')
            && host->data[i] != '.')
        {
            return 1;
        }
    }

    return ngx_inet_addr(host->data, host->len) != INADDR_NONE;
}


ngx_http_docket_pem_t *
ngx_http_docket_conf_pem(ngx_conf_t *cf, ngx_str_t *file)
{
    off_t                   size;
    ssize_t                 n;
    ngx_file_t              f;
    ngx_file_info_t         fi;
    ngx_pool_cleanup_t     *cln;
    ngx_http_docket_pem_t  *pem;

    pem = ngx_pcalloc(cf->pool, sizeof(ngx_http_docket_pem_t));
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (pem == NULL || cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_docket_conf_pem_wipe;
    cln->data = pem;

    pem->file = *file;

    if (ngx_conf_full_name(cf->cycle, &pem->file, 1) != NGX_OK) {
        return NULL;
    }

    ngx_memzero(&f, sizeof(ngx_file_t));
    f.name = pem->file;
    f.log = cf->log;

    f.fd = ngx_open_file(pem->file.data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                         NGX_FILE_OPEN, 0);

    if (f.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &pem->file);
        return NULL;
    }

    if (ngx_fd_info(f.fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", &pem->file);
        goto failed;
    }

    size = ngx_file_size(&fi);

    if (!ngx_is_file(&fi) || size > NGX_HTTP_DOCKET_MAX_PEM) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no regular file of at most %d bytes",
                           &pem->file, NGX_HTTP_DOCKET_MAX_PEM);
        goto failed;
    }

    pem->pem.data = ngx_pnalloc(cf->pool, size + 1);
    if (pem->pem.data == NULL) {
        goto failed;
    }

    pem->pem.len = size;

    n = ngx_read_file(&f, pem->pem.data, size, 0);

    if (n != size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" could not be read whole", &pem->file);
        goto failed;
    }

    pem->pem.data[size] = '\0';

    if (ngx_close_file(f.fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", &pem->file);
    }

    return pem;

failed:

    if (ngx_close_file(f.fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", &pem->file);
    }

    return NULL;
}


/* docket_ssl_...: read here, once for all sensors, so that an error has the
   directive's own line. */

char *
ngx_http_docket_conf_pem_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t               *value;
    ngx_http_docket_pem_t  **pem;

    pem = (ngx_http_docket_pem_t **) (p + cmd->offset);

    if (*pem != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    *pem = ngx_http_docket_conf_pem(cf, &value[1]);

    return (*pem == NULL) ? NGX_CONF_ERROR : NGX_CONF_OK;
}


/* The master's next workers must not find it in memory that was freed. */

static void
ngx_http_docket_conf_pem_wipe(void *data)
{
    ngx_http_docket_pem_t *pem = data;

    if (pem->pem.data != NULL) {
        ngx_explicit_memzero(pem->pem.data, pem->pem.len);
    }
}


void
ngx_http_docket_conf_forget_keys(ngx_http_docket_main_conf_t *mcf)
{
    ngx_uint_t                 i;
    ngx_http_docket_sensor_t  *sensor;

    sensor = mcf->sensors.elts;

    /* a certificate may be in one file with its key */

    for (i = 0; i < mcf->sensors.nelts; i++) {
        ngx_http_docket_conf_pem_wipe(sensor[i].certificate_key);
        ngx_http_docket_conf_pem_wipe(sensor[i].certificate);
    }

    /* those of no sensor, when each has its own */

    if (mcf->ssl_certificate_key != NULL) {
        ngx_http_docket_conf_pem_wipe(mcf->ssl_certificate_key);
    }

    if (mcf->ssl_certificate != NULL) {
        ngx_http_docket_conf_pem_wipe(mcf->ssl_certificate);
    }
}


static ngx_int_t
ngx_http_docket_conf_default(ngx_conf_t *cf, ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_pem_t **pem, ngx_http_docket_pem_t *common,
    const char *directive)
{
    if (*pem == NULL) {
        *pem = common;
    }

    if (*pem == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no \"%s\" is defined for sensor \"%V\" in %s:%ui",
                      directive, &sensor->name, sensor->conf_file,
                      sensor->line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_conf_sensor_pems(ngx_conf_t *cf,
    ngx_http_docket_main_conf_t *mcf, ngx_http_docket_sensor_t *sensor)
{
    if (ngx_http_docket_conf_default(cf, sensor, &sensor->certificate,
                                     mcf->ssl_certificate,
                                     "docket_ssl_certificate")
        != NGX_OK
        || ngx_http_docket_conf_default(cf, sensor, &sensor->certificate_key,
                                        mcf->ssl_certificate_key,
                                        "docket_ssl_certificate_key")
           != NGX_OK
        || ngx_http_docket_conf_default(cf, sensor, &sensor->trusted,
                                        mcf->ssl_trusted_certificate,
                                        "docket_ssl_trusted_certificate")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_docket_conf_certificate(cf, sensor) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_docket_conf_trusted(cf, sensor);
}


static ngx_int_t
ngx_http_docket_conf_pem_error(ngx_conf_t *cf,
    ngx_http_docket_sensor_t *sensor, ngx_http_docket_pem_t *pem,
    const char *what)
{
    u_long  n;
    char    reason[256];

    n = ERR_peek_last_error();
    ERR_error_string_n(n, reason, sizeof(reason));
    ERR_clear_error();

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "%s \"%V\" of sensor \"%V\"%s%s in %s:%ui", what,
                  &pem->file, &sensor->name, n != 0 ? ": " : "",
                  n != 0 ? reason : "", sensor->conf_file, sensor->line);

    return NGX_ERROR;
}


/* A key with a passphrase can't be used: nobody would be there to type it. */

static int
ngx_http_docket_conf_no_password(char *buf, int size, int rwflag, void *data)
{
    int *asked = data;

    *asked = 1;

    return -1;
}


static ngx_int_t
ngx_http_docket_conf_certificate(ngx_conf_t *cf,
    ngx_http_docket_sensor_t *sensor)
{
    int        match, asked;
    BIO       *bio;
    X509      *cert;
    EVP_PKEY  *key;

    bio = BIO_new_mem_buf(sensor->certificate->pem.data,
                          (int) sensor->certificate->pem.len);
    if (bio == NULL) {
        return NGX_ERROR;
    }

    cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);

    if (cert == NULL) {
        return ngx_http_docket_conf_pem_error(cf, sensor, sensor->certificate,
                                              "no certificate in");
    }

    sensor->certificate->not_after = ngx_http_docket_conf_not_after(cert);

    bio = BIO_new_mem_buf(sensor->certificate_key->pem.data,
                          (int) sensor->certificate_key->pem.len);
    if (bio == NULL) {
        X509_free(cert);
        return NGX_ERROR;
    }

    asked = 0;
    key = PEM_read_bio_PrivateKey(bio, NULL, ngx_http_docket_conf_no_password,
                                  &asked);
    BIO_free(bio);

    if (key == NULL) {
        X509_free(cert);

        if (asked) {
            ERR_clear_error();
            return ngx_http_docket_conf_pem_error(cf, sensor,
                                                  sensor->certificate_key,
                                                  "key with a passphrase in");
        }

        return ngx_http_docket_conf_pem_error(cf, sensor,
                                              sensor->certificate_key,
                                              "no private key in");
    }

    match = X509_check_private_key(cert, key);

    EVP_PKEY_free(key);
    X509_free(cert);

    if (match != 1) {
        return ngx_http_docket_conf_pem_error(cf, sensor,
                                              sensor->certificate_key,
                                              "certificate does not match key");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_conf_trusted(ngx_conf_t *cf, ngx_http_docket_sensor_t *sensor)
{
    BIO         *bio;
    X509        *cert;
    u_long       n;
    ngx_uint_t   count;

    bio = BIO_new_mem_buf(sensor->trusted->pem.data,
                          (int) sensor->trusted->pem.len);
    if (bio == NULL) {
        return NGX_ERROR;
    }

    for (count = 0; /* void */ ; count++) {
        cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

        if (cert == NULL) {
            break;
        }

        X509_free(cert);
    }

    BIO_free(bio);

    /* the end of the file is the one error that is none */

    n = ERR_peek_last_error();

    if (count == 0 || ERR_GET_REASON(n) != PEM_R_NO_START_LINE) {
        return ngx_http_docket_conf_pem_error(cf, sensor, sensor->trusted,
                                              "bad CA certificate in");
    }

    ERR_clear_error();

    return NGX_OK;
}


static time_t
ngx_http_docket_conf_not_after(X509 *cert)
{
    struct tm  tm;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1) {
        return 0;
    }

    return timegm(&tm);
}


ngx_int_t
ngx_http_docket_conf_spool(ngx_conf_t *cf, ngx_str_t *path)
{
    ngx_file_info_t  fi;

    /* nginx would give it to its user */

    if (path->len == 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "spool \"%V\" is no folder of its own", path);
        return NGX_ERROR;
    }

    if (ngx_file_info(path->data, &fi) == NGX_FILE_ERROR) {

        if (ngx_errno == NGX_ENOENT) {
            return NGX_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_file_info_n " \"%V\" failed", path);
        return NGX_ERROR;
    }

    if (!ngx_is_dir(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "spool \"%V\" is not a directory", path);
        return NGX_ERROR;
    }

    if (access((char *) path->data, R_OK|W_OK|X_OK) == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "spool \"%V\" is not writable", path);
        return NGX_ERROR;
    }

    return NGX_OK;
}
