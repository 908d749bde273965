process.env.TZ = 'Europe/Berlin';

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as time from '../src/lib/time.js';

const NOW = Date.UTC(2026, 10, 24, 12, 0, 0);
const at = (text, zone = 'utc') => time.parse(text, zone, NOW);

test('durations count back from now', () => {
    assert.deepEqual(at('15m'), { kind: 'ago', ms: 900000, text: '15m' });
    assert.deepEqual(at('3h 30m ago'), { kind: 'ago', ms: 12600000, text: '3h30m' });
    assert.equal(at('1.5d').ms, 129600000);
    assert.equal(at('-5m').text, '5m');
    assert.equal(time.parseDuration('5'), null);
    assert.equal(time.parseDuration('5x'), null);
});

test('nothing, and now', () => {
    assert.equal(at('').kind, 'none');
    assert.equal(at(' now ').kind, 'none');
});

test('a time without a zone is of the chosen one', () => {
    assert.equal(at('2026-11-24 05:21:00').text, '2026-11-24T05:21:00Z');
    assert.equal(at('2026-11-24 05:21:00', 'local').text, '2026-11-24T04:21:00Z');
    assert.equal(at('2026-07-01 05:21', 'local').text, '2026-07-01T03:21:00Z');
    assert.equal(at('2026-11-24').text, '2026-11-24T00:00:00Z');
    assert.equal(at('2026-11-24T05:21:00.250').text, '2026-11-24T05:21:00.250Z');
});

test('a time with a zone keeps it', () => {
    for (const zone of ['utc', 'local']) {
        assert.equal(at('2026-11-24T05:21:00Z', zone).text, '2026-11-24T05:21:00Z');
        assert.equal(at('2026-11-24T05:21:00.5+0200', zone).text, '2026-11-24T03:21:00.500Z');
        assert.equal(at('2026-11-24 05:21:00 -01:30', zone).text, '2026-11-24T06:51:00Z');
    }
});

test('a clock is the last such one', () => {
    assert.equal(at('11:59').text, '2026-11-24T11:59:00Z');
    assert.equal(at('12:01').text, '2026-11-23T12:01:00Z');
    assert.equal(at('12:01', 'local').text, '2026-11-24T11:01:00Z');
});

test('a clock at the end of a range is the first one after its begin', () => {
    const range = (after, before, zone = 'utc') => {
        const r = time.parseRange({ after, before }, zone, NOW);
        return [r.after.text, r.before.text];
    };
    assert.deepEqual(range('11:58', '12:03'), ['2026-11-24T11:58:00Z', '2026-11-24T12:03:00Z']);
    assert.deepEqual(range('12:58', '13:03', 'local'), ['2026-11-24T11:58:00Z', '2026-11-24T12:03:00Z']);
    assert.deepEqual(range('23:50', '00:10'), ['2026-11-23T23:50:00Z', '2026-11-24T00:10:00Z']);
    assert.deepEqual(range('2026-11-20 14:00', '15:00'), ['2026-11-20T14:00:00Z', '2026-11-20T15:00:00Z']);
    assert.deepEqual(range('7d', '11:00'), ['7d', '2026-11-24T11:00:00Z']);
});

test('UTC may be said', () => {
    for (const zone of ['utc', 'local']) {
        assert.equal(at('11:59 UTC', zone).text, '2026-11-24T11:59:00Z');
        assert.equal(at('11:59Z', zone).text, '2026-11-24T11:59:00Z');
        assert.equal(at('2026-11-24 05:21 utc', zone).text, '2026-11-24T05:21:00Z');
    }
    assert.equal(at('yesterday UTC').kind, 'error');
});

test('what was typed stays the same moment in another zone', () => {
    const to = (text, from = null) => time.rezone(text, 'utc', 'local', NOW, from);
    assert.equal(to('11:30'), '2026-11-24 12:30:00');
    assert.equal(to('12:10', NOW), '2026-11-24 13:10:00');
    assert.equal(to('2026-07-01 05:21'), '2026-07-01 07:21:00');
    for (const text of ['15m', '', '11:59 UTC', '2026-11-24T05:21:00Z', '1795500000', 'nonsense']) assert.equal(to(text), text);
});

test('seconds and milliseconds since 1970', () => {
    assert.equal(at('1795500000').text, '2026-11-24T06:00:00Z');
    assert.equal(at('1795500000123').text, '2026-11-24T06:00:00.123Z');
});

test('what is no time', () => {
    for (const text of ['2026-02-30', '2026-13-01', '25:00', '2026', 'yesterday', '2026-11-24 24:30:00']) {
        assert.equal(at(text).kind, 'error', text);
    }
});

test('writing', () => {
    assert.equal(time.format(NOW, 'utc'), '2026-11-24 12:00:00');
    assert.equal(time.format(NOW, 'local'), '2026-11-24 13:00:00');
    assert.equal(time.formatRange(NOW, NOW + 60000, 'utc'), '2026-11-24 12:00:00 – 12:01:00');
    assert.equal(time.formatRange(NOW, NOW + 86400000, 'utc'), '2026-11-24 12:00:00 – 2026-11-25 12:00:00');
    assert.equal(time.formatPacket(NOW / 1000, 7, 6, 'utc'), '12:00:00.000007');
    assert.equal(time.offset(NOW), '+01:00');
});
