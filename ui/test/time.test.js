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
