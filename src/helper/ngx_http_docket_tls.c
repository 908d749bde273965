/*
 * What connections to sensors are secured with.
 *
 * curl gives each of them a context of its own, with a certificate, a key and
 * authorities that it makes of the PEMs.  A thousand sensors need one of each:
 * what the first connection made of a file takes the place of what the others
 * made of it.
 */

#include "helper/ngx_http_docket_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>


static CURLcode ngx_http_docket_tls_share(CURL *easy, void *ctx, void *data);


CURLcode
ngx_http_docket_tls(ngx_http_docket_sensor_t *sensor, CURL *easy)
{
    struct curl_blob  blob;

    ngx_http_docket_setopt(easy, CURLOPT_SSLVERSION,
                           (long) CURL_SSLVERSION_TLSv1_2);
    ngx_http_docket_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    ngx_http_docket_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);

    /* the sensors' own authorities, none of the system's */

    ngx_http_docket_setopt(easy, CURLOPT_CAINFO, NULL);
    ngx_http_docket_setopt(easy, CURLOPT_CAPATH, NULL);

    blob.flags = CURL_BLOB_NOCOPY;

    blob.data = sensor->trusted->pem.data;
    blob.len = sensor->trusted->pem.len;
    ngx_http_docket_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);

    blob.data = sensor->certificate->pem.data;
    blob.len = sensor->certificate->pem.len;
    ngx_http_docket_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
    ngx_http_docket_setopt(easy, CURLOPT_SSLCERT_BLOB, &blob);

    blob.data = sensor->certificate_key->pem.data;
    blob.len = sensor->certificate_key->pem.len;
    ngx_http_docket_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
    ngx_http_docket_setopt(easy, CURLOPT_SSLKEY_BLOB, &blob);

    /* without it each connection has its own, which does as well */

    (void) curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, sensor);
    (void) curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION,
                            ngx_http_docket_tls_share);

    return CURLE_OK;
}


static CURLcode
ngx_http_docket_tls_share(CURL *easy, void *ctx, void *data)
{
    ngx_http_docket_sensor_t *sensor = data;

    X509                        *cert;
    EVP_PKEY                    *key;
    X509_STORE                  *store;
    struct curl_tlssessioninfo  *info;

    /* "ctx" is a SSL_CTX only there */

    if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK
        || info->backend != CURLSSLBACKEND_OPENSSL)
    {
        return CURLE_OK;
    }

    cert = SSL_CTX_get0_certificate(ctx);
    key = SSL_CTX_get0_privatekey(ctx);
    store = SSL_CTX_get_cert_store(ctx);

    if (cert == NULL || key == NULL || store == NULL) {
        return CURLE_OK;
    }

    if (sensor->certificate->made == NULL && X509_up_ref(cert) == 1) {
        sensor->certificate->made = cert;
    }

    if (sensor->certificate_key->made == NULL && EVP_PKEY_up_ref(key) == 1) {
        sensor->certificate_key->made = key;
    }

    if (sensor->trusted->made == NULL && X509_STORE_up_ref(store) == 1) {
        sensor->trusted->made = store;
    }

    cert = sensor->certificate->made;
    key = sensor->certificate_key->made;
    store = sensor->trusted->made;

    if (cert == NULL || key == NULL || store == NULL) {
        return CURLE_OK;
    }

    if (SSL_CTX_use_certificate(ctx, cert) != 1
        || SSL_CTX_use_PrivateKey(ctx, key) != 1)
    {
        ERR_clear_error();
        return CURLE_SSL_CERTPROBLEM;
    }

    SSL_CTX_set1_cert_store(ctx, store);

    return CURLE_OK;
}
