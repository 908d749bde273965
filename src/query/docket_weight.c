/*
 * How many bytes a question is likely to bring, from what it asks for.
 */

#include "query/docket_query_int.h"


static double docket_weight_part(const docket_weight_t *w,
    const docket_expr_t *e);
static double docket_weight_divisor(double each, size_t n);


double
docket_weight(const docket_weight_t *w, const docket_expr_t *terms,
    int64_t seconds)
{
    if (!(w->hours > 0)) {
        return 0;
    }

    return w->total / (w->hours * 3600) * (double) seconds
           * docket_weight_part(w, terms);
}


/* the part of all packets that is expected to match, at most the whole */

static double
docket_weight_part(const docket_weight_t *w, const docket_expr_t *e)
{
    size_t                hosts, nets, ports;
    double                part;
    const docket_expr_t  *child;

    if (e->type == DOCKET_EXPR_OR) {
        part = 0;

        for (child = e->first; child != NULL; child = child->next) {
            part += docket_weight_part(w, child);
        }

        return (part < 1) ? part : 1;
    }

    hosts = 0;
    nets = 0;
    ports = 0;
    part = 1;

    /* a single term is an intersection of one */

    child = (e->type == DOCKET_EXPR_AND) ? e->first : e;

    for ( /* void */ ; child != NULL; child = (child == e) ? NULL
                                                           : child->next)
    {
        switch (child->type) {

        case DOCKET_EXPR_HOST:
            hosts++;
            break;

        case DOCKET_EXPR_NET:
            nets++;
            break;

        case DOCKET_EXPR_PORT:
            ports++;
            break;

        case DOCKET_EXPR_OR:
            part *= docket_weight_part(w, child);
            break;

        default:
            break;
        }
    }

    if (hosts + nets != 0) {
        part /= docket_weight_divisor(w->ips * (double) hosts
                                      + w->nets * (double) nets, 1);
    }

    part /= docket_weight_divisor(w->ports, ports);

    return (part < 1) ? part : 1;
}


static double
docket_weight_divisor(double each, size_t n)
{
    double  d;

    d = each * (double) n;

    return (n == 0 || !(d > 1)) ? 1 : d;
}
