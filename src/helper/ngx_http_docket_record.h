/*
 * Records of jobs: the spool's index, and those that the disk did not take.
 */

#ifndef NGX_HTTP_DOCKET_RECORD_H
#define NGX_HTTP_DOCKET_RECORD_H


#include "helper/ngx_http_docket_state.h"


/* The end of a job, which the disk did not take. */

typedef struct {
    ngx_queue_t                queue;
    char                       id[DOCKET_ID_LEN + 1];
    int64_t                    created;
    int64_t                    finished;
    size_t                     len;
    char                       text[];      /* the record */
} ngx_http_docket_unsaved_t;


/* For the io thread: a record that is in no run's hands. */

typedef struct {
    ngx_queue_t                queue;
    docket_index_record_t      record;
    char                       id[DOCKET_ID_LEN + 1];
    ngx_http_docket_unsaved_t *unsaved;     /* NULL: it is on disk */
} ngx_http_docket_note_t;


/* io thread; nothing is done when the spool is another's. */
void ngx_http_docket_index_put(ngx_http_docket_proc_t *hlp,
    const docket_index_record_t *record);

/* Any thread: the end of "job", whose record is "text"; NULL: no memory. */
ngx_http_docket_unsaved_t *ngx_http_docket_unsaved_create(
    ngx_http_docket_proc_t *hlp, const docket_job_t *job, const char *text,
    size_t len);
/* io thread: takes "unsaved" (may be NULL), to be saved when that is
   possible. */
void ngx_http_docket_unsaved_add(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_unsaved_t *unsaved);
/* io thread, each second: tries again. */
void ngx_http_docket_unsaved_turn(ngx_http_docket_proc_t *hlp);


#endif /* NGX_HTTP_DOCKET_RECORD_H */
