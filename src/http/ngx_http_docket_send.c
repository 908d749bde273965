/*
 * Answers that are made piece by piece, and captures as files.
 */

#include "http/ngx_http_docket_send.h"


static ngx_int_t ngx_http_docket_capture_etag(ngx_http_request_t *r,
    ngx_http_docket_capture_t *capture);


ngx_chain_t *
ngx_http_docket_piece(ngx_http_request_t *r, ngx_http_docket_pieces_t *pieces)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    cl = ngx_chain_get_free_buf(r->pool, &pieces->free);
    if (cl == NULL) {
        return NULL;
    }

    b = cl->buf;

    ngx_memzero(b, sizeof(ngx_buf_t));

    b->tag = (ngx_buf_tag_t) &ngx_http_docket_module;
    b->flush = 1;

    return cl;
}


ngx_int_t
ngx_http_docket_piece_send(ngx_http_request_t *r,
    ngx_http_docket_pieces_t *pieces, ngx_chain_t *piece)
{
    ngx_int_t                  rc;
    ngx_event_t               *wev;
    ngx_connection_t          *c;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;
    wev = c->write;

    rc = ngx_http_output_filter(r, piece);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_chain_update_chains(r->pool, &pieces->free, &pieces->busy, &piece,
                            (ngx_buf_tag_t) &ngx_http_docket_module);

    if (r->buffered || r->postponed || c->buffered || pieces->busy != NULL) {

        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        if (!wev->delayed) {
            ngx_add_timer(wev, clcf->send_timeout);
        }

        if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
            return NGX_ERROR;
        }

        return NGX_AGAIN;
    }

    if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_writable(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_connection_t          *c;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;
    wev = c->write;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;

        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return NGX_DONE;
    }

    if (wev->delayed || r->aio) {

        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        if (!wev->delayed) {
            ngx_add_timer(wev, clcf->send_timeout);
        }

        if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return NGX_DONE;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_capture_take(ngx_http_request_t *r, ngx_fd_t fd,
    ngx_http_docket_capture_t *capture)
{
    ngx_pool_cleanup_t       *cln;
    ngx_pool_cleanup_file_t  *clnf;

    ngx_memzero(capture, sizeof(ngx_http_docket_capture_t));

    ngx_str_set(&capture->file.name, "docket capture");
    capture->file.fd = fd;
    capture->file.log = r->connection->log;

    if (ngx_fd_info(fd, &capture->info) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_CRIT, r->connection->log, ngx_errno,
                      ngx_fd_info_n " of a docket capture failed");
        goto failed;
    }

    /* one that has another name elsewhere is not this job's alone */

    if (!ngx_is_file(&capture->info) || capture->info.st_nlink > 1) {
        (void) ngx_close_file(fd);
        return NGX_DECLINED;
    }

    capture->size = ngx_file_size(&capture->info);

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_pool_cleanup_file_t));
    if (cln == NULL) {
        goto failed;
    }

    cln->handler = ngx_pool_cleanup_file;

    clnf = cln->data;
    clnf->fd = fd;
    clnf->name = capture->file.name.data;
    clnf->log = r->pool->log;

    return NGX_OK;

failed:

    (void) ngx_close_file(fd);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_docket_capture_open(ngx_http_request_t *r, const char *id,
    ngx_http_docket_capture_t *capture)
{
    int                           dir;
    ngx_fd_t                      fd;
    ngx_err_t                     err;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    fd = -1;
    dir = docket_spool_open_dir(&mcf->sp, id);
    err = ngx_errno;

    if (dir != -1) {

        /* O_NONBLOCK: a fifo in its place must not hold the worker */

        fd = openat(dir, mcf->sp.merged,
                    O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);
        err = ngx_errno;

        (void) close(dir);
    }

    if (fd != -1) {
        return ngx_http_docket_capture_take(r, fd, capture);
    }

    /* EBADMSG: what bears the job's name is no folder */

    if (err == NGX_ENOENT || err == NGX_ENOTDIR || err == NGX_ELOOP
        || err == EBADMSG)
    {
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_CRIT, r->connection->log, err,
                  "docket: opening the capture of \"%s\" failed", id);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_docket_capture_send(ngx_http_request_t *r,
    ngx_http_docket_capture_t *capture, ngx_uint_t ranges)
{
    ngx_int_t                  rc;
    ngx_buf_t                 *b;
    ngx_chain_t                out;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = capture->size;

    if (ranges) {
        r->headers_out.last_modified_time = ngx_file_mtime(&capture->info);
        r->allow_ranges = 1;

        if (clcf->etag && ngx_http_docket_capture_etag(r, capture) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->file = ngx_palloc(r->pool, sizeof(ngx_file_t));
    if (b->file == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    *b->file = capture->file;

    if (clcf->directio <= capture->size) {

        if (ngx_directio_on(b->file->fd) == NGX_FILE_ERROR) {
            ngx_log_error(NGX_LOG_ALERT, r->connection->log, ngx_errno,
                          ngx_directio_on_n " of a docket capture failed");
        } else {
            b->file->directio = 1;
        }
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->file_last = capture->size;
    b->in_file = b->file_last ? 1 : 0;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;
    b->sync = (b->last_buf || b->in_file) ? 0 : 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* nginx's own has seconds and the size: two runs may share both. */

static ngx_int_t
ngx_http_docket_capture_etag(ngx_http_request_t *r,
    ngx_http_docket_capture_t *capture)
{
    ngx_table_elt_t  *etag;

    etag = ngx_list_push(&r->headers_out.headers);
    if (etag == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(etag, sizeof(ngx_table_elt_t));

    ngx_str_set(&etag->key, "ETag");

    etag->value.data = ngx_pnalloc(r->pool,
                                   NGX_TIME_T_LEN + NGX_OFF_T_LEN
                                   + 2 * NGX_INT64_LEN + sizeof("\"---\""));
    if (etag->value.data == NULL) {
        return NGX_ERROR;
    }

    etag->value.len = ngx_sprintf(etag->value.data, "\"%xT-%xL-%xO-%xL\"",
                                  ngx_file_mtime(&capture->info),
                                  (int64_t) capture->info.st_mtim.tv_nsec,
                                  capture->size,
                                  (int64_t) capture->info.st_ino)
                      - etag->value.data;

    etag->hash = 1;
    r->headers_out.etag = etag;

    return NGX_OK;
}


void
ngx_http_docket_capture_type(ngx_http_request_t *r)
{
    ngx_str_set(&r->headers_out.content_type,
                "application/vnd.tcpdump.pcap");

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
}
