/*
 * Browsers of other sites.
 */

#ifndef NGX_HTTP_DOCKET_SITE_H
#define NGX_HTTP_DOCKET_SITE_H


#include "ngx_http_docket.h"


/* NGX_OK, or what the content handler returns because another site sent this.
   "page" is the page's view that shows such a question before it is asked,
   when a person may follow a link to it, or NULL. */
ngx_int_t ngx_http_docket_site(ngx_http_request_t *r, const char *page);


#endif /* NGX_HTTP_DOCKET_SITE_H */
