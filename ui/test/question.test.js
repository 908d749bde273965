import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as q from '../src/lib/question.js';

const NOW = Date.UTC(2026, 10, 24, 12);
const form = (f) => ({ ...q.EMPTY, sensors: [], ...f });
const json = (f) => q.toJson(form(f), 'utc', NOW);
const path = (f) => q.toPath(form(f), 'utc', NOW);

test('fields become JSON', () => {
    assert.deepEqual(json({ hosts: '10.1.0.2, 2001:db8::1 10.0.0.0/8', ports: '53 80', proto: 'UDP', after: '5m' }),
        { host: ['10.1.0.2', '2001:db8::1'], net: '10.0.0.0/8', port: ['53', '80'], 'proto-name': 'udp', after: '5m' });
    assert.deepEqual(json({ proto: '47', sensors: ['s1'], filter: ' tcp ', limitPackets: '5', ignoreWeight: true }),
        { proto: '47', sensor: ['s1'], filter: 'tcp', 'limit-packets': '5', 'ignore-weight': true });
    assert.deepEqual(json({ mode: 'expr', expr: ' port 80 or port 81 ', hosts: 'ignored' }), { query: 'port 80 or port 81' });
});

test('what is no time goes to the server as it is, to be refused there', () => {
    assert.equal(json({ after: 'yesterday' }).after, 'yesterday');
});

test('fields become a path, and come back', () => {
    const f = form({ hosts: '10.1.0.2 10.0.0.0/8 2001:db8::1', ports: '53', proto: 'tcp', vlan: '7', mpls: '9',
        after: '2026-11-24T05:00:00Z', before: '2026-11-24T06:00:00Z', sensors: ['s1', 's2'], filter: 'len > 9 & 1 = 1',
        limitPackets: '5', limitBytes: '6', ignoreWeight: true });
    const [p, args] = path(f).split('?');

    assert.equal(p, 'host/10.1.0.2/net/10.0.0.0/8/host/2001%3Adb8%3A%3A1/port/53/proto-name/tcp/vlan/7/mpls/9'
        + '/after/2026-11-24T05%3A00%3A00Z/before/2026-11-24T06%3A00%3A00Z');
    assert.deepEqual(q.fromPath(p, new URLSearchParams(args)), f);
});

test('an expression in a path', () => {
    const f = form({ mode: 'expr', expr: 'host 10.1.0.2 and (port 80 or port 443)' });
    assert.equal(path(f), 'query/host%2010.1.0.2%20and%20(port%2080%20or%20port%20443)');
    assert.deepEqual(q.fromPath(path(f)), f);
});

test('paths that only the server can read', () => {
    for (const p of ['host/1.2.3.4/or/port/80', 'nope/1', 'host', 'host/%zz', 'proto/6/proto/7']) {
        assert.equal(q.fromPath(p), null, p);
    }
});

test('paths of other writers', () => {
    assert.deepEqual(q.fromPath('host/1.2.3.4/tcp/net/10.0.0.0/255.0.0.0/after-ago/5m/refresh/port/80'),
        form({ hosts: '1.2.3.4 10.0.0.0/255.0.0.0', proto: 'tcp', after: '5m', refresh: true, ports: '80' }));
    assert.equal(q.fromPath('net/2001:db8::/32/port/80').hosts, '2001:db8::/32');
});

test('canonical texts', () => {
    const text = 'host 1.2.3.4 and port 80 and after 2026-11-24T05:00:00Z and before 2026-11-24T06:00:00Z'
        + '; sensors a,b; limit-packets 5; filter host 9.9.9.9; x and after 1';
    assert.deepEqual(q.canonical(text), { terms: 'host 1.2.3.4 and port 80', after: '2026-11-24T05:00:00Z',
        before: '2026-11-24T06:00:00Z', sensors: ['a', 'b'], limit_packets: 5, filter: 'host 9.9.9.9; x and after 1' });
    assert.equal(q.canonical('after 2026-11-24T05:00:00Z and before 2026-11-24T06:00:00Z').terms, '');
    assert.deepEqual(q.fromCanonical(text).hosts, '1.2.3.4');
});

test('terms that fields cannot say stay an expression', () => {
    assert.equal(q.fromJob({ terms: 'ip proto 47 and net 10.0.0.0/8' }).proto, '47');
    const f = q.fromJob({ terms: 'host 1.2.3.4 and (port 80 or port 81)' });
    assert.equal(f.mode, 'expr');
    assert.equal(f.expr, 'host 1.2.3.4 and (port 80 or port 81)');
    assert.equal(f.hosts, '');
});

test('narrower questions', () => {
    const job = { terms: 'net 10.0.0.0/8', after: '2026-11-24T05:00:00Z', before: '2026-11-24T06:00:00Z' };
    const n = q.narrowed(job, { hosts: ['10.1.0.2', '10.1.0.3'], port: 53, after: NOW });
    assert.equal(n.hosts, '10.0.0.0/8 10.1.0.2 10.1.0.3');
    assert.equal(n.ports, '53');
    assert.equal(n.after, '2026-11-24T12:00:00Z');
    assert.equal(n.before, job.before);
    assert.equal(q.narrowed({ terms: '(port 80 or port 81)' }, { hosts: ['1.2.3.4'], proto: '47' }).expr,
        '((port 80 or port 81)) and host 1.2.3.4 and ip proto 47');
});

test('names of files', () => {
    assert.equal(q.fileName({ terms: 'host 10.1.0.2 and ip proto 47', after: '2026-11-24T05:00:00Z', id: '0123456789' }),
        'host-10.1.0.2-proto-47_20261124T050000Z_01234567.pcap');
    assert.doesNotMatch(q.fileName({ terms: '../../x <script>"', id: 'a' }), /[/<>"\s]/);
});
