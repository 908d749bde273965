/*
 * What holds for every tree, over random ones: canonical text is a fixed
 * point, the order of operands does not matter, and the packets that it
 * selects stay the same.  A small evaluator here, which knows nothing of the
 * library, reads expressions as Stenographer does.
 */

#include "test_query.h"


#define TEST_TREES    1500
#define TEST_PACKETS  64
#define TEST_KIDS     4
#define TEST_WRITTEN  8192


typedef struct {
    unsigned   host[2];
    unsigned   port[2];
    unsigned   vlan;
    unsigned   mpls;
    unsigned   proto;
    int64_t    time;                  /* seconds */
} test_packet_t;


typedef struct test_node_s  test_node_t;

struct test_node_s {
    char          op;                 /* '&', '|', 0: a term */
    char          term[64];
    unsigned      n;
    test_node_t  *kid[TEST_KIDS];
};


static uint64_t       test_seed;
static test_packet_t  test_packets[TEST_PACKETS];


/* xorshift64* by Marsaglia and Vigna: the same trees on every machine */

static unsigned
test_random(unsigned n)
{
    test_seed ^= test_seed >> 12;
    test_seed ^= test_seed << 25;
    test_seed ^= test_seed >> 27;

    return (unsigned) ((test_seed * 2685821657736338717ULL) >> 33) % n;
}


static void
test_make_packets(void)
{
    size_t          i, k;
    test_packet_t  *p;

    static const unsigned  protos[] = { 6, 17, 1, 47 };

    for (i = 0; i < TEST_PACKETS; i++) {
        p = &test_packets[i];

        for (k = 0; k < 2; k++) {
            p->host[k] = 0x0a000000 + test_random(2) * 256 + test_random(3);
            p->port[k] = test_random(4);
        }

        p->vlan = test_random(3);
        p->mpls = test_random(3);
        p->proto = protos[test_random(4)];
        p->time = TEST_NOW - test_random(86400);
    }
}


static void
test_make_term(char *s, int times)
{
    char  time[DOCKET_TIME_LEN];

    switch (test_random(times ? 10 : 8)) {

    case 0:
        (void) sprintf(s, "host 10.0.%u.%u", test_random(2), test_random(3));
        break;

    case 1:
        (void) sprintf(s, "host ::ffff:10.0.%u.%u", test_random(2),
                       test_random(3));
        break;

    case 2:
        (void) sprintf(s, "net 10.0.%u.%u/%u", test_random(2),
                       test_random(3), 22 + test_random(11));
        break;

    case 3:
        (void) sprintf(s, "net 10.0.%u.7 mask 255.255.255.0",
                       test_random(2));
        break;

    case 4:
        (void) sprintf(s, "port %u", test_random(4));
        break;

    case 5:
        (void) sprintf(s, "vlan %u", test_random(3));
        break;

    case 6:
        (void) sprintf(s, "mpls %u", test_random(3));
        break;

    case 7:
        (void) strcpy(s, "tcp");

        switch (test_random(4)) {
        case 0:
            (void) strcpy(s, "udp");
            break;
        case 1:
            (void) strcpy(s, "ip proto 6");
            break;
        case 2:
            (void) strcpy(s, "ip proto 47");
            break;
        }

        break;

    default:
        (void) docket_format_time(time, (TEST_NOW - test_random(86400))
                                        * DOCKET_SECOND);
        (void) sprintf(s, "%s %s", test_random(2) ? "after" : "before",
                       time);
    }
}


static test_node_t *
test_make_tree(unsigned depth, int times)
{
    unsigned      i;
    test_node_t  *node;

    node = calloc(1, sizeof(test_node_t));
    assert_non_null(node);

    if (depth == 0 || test_random(3) == 0) {
        test_make_term(node->term, times);
        return node;
    }

    node->op = test_random(2) ? '&' : '|';
    node->n = 1 + test_random(TEST_KIDS);

    for (i = 0; i < node->n; i++) {
        node->kid[i] = test_make_tree(depth - 1, times);
    }

    return node;
}


static void
test_free_tree(test_node_t *node)
{
    unsigned  i;

    for (i = 0; i < node->n; i++) {
        test_free_tree(node->kid[i]);
    }

    free(node);
}


static void
test_shuffle(test_node_t *node)
{
    unsigned      i, k;
    test_node_t  *kid;

    for (i = 0; i < node->n; i++) {
        k = i + test_random(node->n - i);
        kid = node->kid[i];
        node->kid[i] = node->kid[k];
        node->kid[k] = kid;
        test_shuffle(node->kid[i]);
    }
}


/* only the first operand may go without parentheses */

static char *
test_write(char *p, const test_node_t *node, int bare)
{
    unsigned  i;

    static const char *const  word[2][4] = {
        { " and ", " && ", "&&", " AND " }, { " or ", " || ", "||", " Or " }
    };

    if (node->op == 0) {
        return stpcpy(p, node->term);
    }

    bare = bare && test_random(2);

    if (!bare) {
        *p++ = '(';
    }

    for (i = 0; i < node->n; i++) {
        if (i != 0) {
            p = stpcpy(p, word[node->op == '|'][test_random(4)]);
        }

        p = test_write(p, node->kid[i], i == 0);
    }

    if (!bare) {
        *p++ = ')';
    }

    *p = '\0';

    return p;
}


static int
test_term_matches(const char *s, const test_packet_t *p)
{
    char      *end, text[32];
    int64_t    us;
    unsigned   a, b, c, d, n, mask;

    if (sscanf(s, "host ::ffff:%u.%u.%u.%u", &a, &b, &c, &d) == 4
        || sscanf(s, "host %u.%u.%u.%u", &a, &b, &c, &d) == 4)
    {
        n = (a << 24) + (b << 16) + (c << 8) + d;
        return p->host[0] == n || p->host[1] == n;
    }

    if (sscanf(s, "net %u.%u.%u.%u", &a, &b, &c, &d) == 4) {
        n = (a << 24) + (b << 16) + (c << 8) + d;
        mask = 24;
        end = strchr(s, '/');

        if (end != NULL) {
            mask = atoi(end + 1);
        }

        mask = ~0U << (32 - mask);

        return (p->host[0] & mask) == (n & mask)
               || (p->host[1] & mask) == (n & mask);
    }

    if (sscanf(s, "port %u", &n) == 1) {
        return p->port[0] == n || p->port[1] == n;
    }

    if (sscanf(s, "vlan %u", &n) == 1) {
        return p->vlan == n;
    }

    if (sscanf(s, "mpls %u", &n) == 1) {
        return p->mpls == n;
    }

    if (sscanf(s, "ip proto %u", &n) == 1) {
        return p->proto == n;
    }

    if (sscanf(s, "after %31[^ )]", text) == 1
        || sscanf(s, "before %31[^ )]", text) == 1)
    {
        assert_int_equal(docket_parse_time(text, strlen(text), &us),
                         DOCKET_OK);

        return (*s == 'a') ? p->time >= us / DOCKET_SECOND
                           : p->time < us / DOCKET_SECOND;
    }

    n = (*s == 't') ? 6 : (*s == 'u') ? 17 : 1;

    return p->proto == n;
}


static int
test_tree_matches(const test_node_t *node, const test_packet_t *p)
{
    int       hit;
    unsigned  i;

    if (node->op == 0) {
        return test_term_matches(node->term, p);
    }

    for (i = 0; i < node->n; i++) {
        hit = test_tree_matches(node->kid[i], p);

        if (hit == (node->op == '|')) {
            return hit;
        }
    }

    return node->op == '&';
}


/* an expression, left to right with equal precedence, up to its ')' */

static int
test_text_matches(const char **s, const test_packet_t *p)
{
    int   hit, right, op;

    hit = 0;
    op = '|';

    for ( ;; ) {
        if (**s == '(') {
            (*s)++;
            right = test_text_matches(s, p);
            assert_int_equal(*(*s)++, ')');

        } else {
            right = test_term_matches(*s, p);

            while (**s != '\0' && **s != ')' && strncmp(*s, " and ", 5) != 0
                   && strncmp(*s, " or ", 4) != 0)
            {
                (*s)++;
            }
        }

        hit = (op == '|') ? (hit || right) : (hit && right);

        if (**s != ' ') {
            return hit;
        }

        op = ((*s)[1] == 'a') ? '&' : '|';
        *s += (op == '&') ? 5 : 4;
    }
}


static docket_query_t *
test_ask_tree(const docket_query_conf_t *conf, const test_node_t *tree)
{
    int              rc;
    char             text[TEST_WRITTEN * 2];
    docket_query_t  *q;

    (void) test_write(text, tree, 1);

    q = test_ask_n(conf, "raw", text, strlen(text), &rc);

    if (rc != DOCKET_OK) {

        /* the outermost times may leave no range, and no tree is too big */

        assert_non_null(strstr(docket_query_error(q)->detail, "is empty"));
        docket_query_destroy(q);
        return NULL;
    }

    return q;
}


/* Each tree with a window of a second, which leaves times as they are; the
   packets are all within the range that is taken when none is given. */

static void
test_each_tree(void (*check)(const docket_query_conf_t *conf,
    test_node_t *tree, docket_query_t *q))
{
    unsigned              i, taken;
    test_node_t          *tree;
    docket_query_t       *q;
    docket_query_conf_t   conf;

    conf = test_conf;
    conf.time_window = DOCKET_SECOND;
    conf.now += DOCKET_SECOND;
    conf.long_ago += 2 * DOCKET_SECOND;

    test_seed = 20180110;
    test_make_packets();
    taken = 0;

    for (i = 0; i < TEST_TREES; i++) {
        tree = test_make_tree(1 + i % 4, i % 3 == 0);
        q = test_ask_tree(&conf, tree);

        if (q != NULL) {
            check(&conf, tree, q);
            docket_query_destroy(q);
            taken++;
        }

        test_free_tree(tree);
    }

    assert_true(taken > TEST_TREES / 2);
}


static void
test_check_fixed_point(const docket_query_conf_t *conf, test_node_t *tree,
    docket_query_t *q)
{
    int                           rc;
    docket_query_t               *again;
    const docket_query_result_t  *r, *r2;

    (void) tree;

    r = docket_query_result(q);
    again = test_ask_n(conf, "raw", r->text, r->text_len, &rc);
    assert_int_equal(rc, DOCKET_OK);

    r2 = docket_query_result(again);
    assert_string_equal(r->text, r2->text);
    assert_string_equal(r->id, r2->id);
    assert_int_equal(r->exact, r2->exact);

    docket_query_destroy(again);
}


static void
test_check_order(const docket_query_conf_t *conf, test_node_t *tree,
    docket_query_t *q)
{
    docket_query_t  *again;

    test_shuffle(tree);

    again = test_ask_tree(conf, tree);
    assert_non_null(again);
    assert_string_equal(docket_query_result(q)->text,
                        docket_query_result(again)->text);
    assert_string_equal(docket_query_result(q)->id,
                        docket_query_result(again)->id);

    docket_query_destroy(again);
}


static void
test_check_packets(const docket_query_conf_t *conf, test_node_t *tree,
    docket_query_t *q)
{
    size_t       i;
    const char  *s;

    (void) conf;

    for (i = 0; i < TEST_PACKETS; i++) {
        s = docket_query_result(q)->text;

        if (test_text_matches(&s, &test_packets[i])
            != test_tree_matches(tree, &test_packets[i]))
        {
            fail_msg("packet %zu: %s", i, docket_query_result(q)->text);
        }

        assert_int_equal(*s, '\0');
    }
}


static void
test_canonical_twice_changes_nothing(void **state)
{
    (void) state;

    test_each_tree(test_check_fixed_point);
}


static void
test_order_of_operands_keeps_the_id(void **state)
{
    (void) state;

    test_each_tree(test_check_order);
}


static void
test_canonical_selects_the_same_packets(void **state)
{
    (void) state;

    test_each_tree(test_check_packets);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_canonical_twice_changes_nothing),
        cmocka_unit_test(test_order_of_operands_keeps_the_id),
        cmocka_unit_test(test_canonical_selects_the_same_packets)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
