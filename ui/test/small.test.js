import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bytes, duration, percent, plural, relative } from '../src/lib/format.js';
import { parse } from '../src/lib/route.js';
import { indexOfByte } from '../src/lib/text.js';

test('numbers', () => {
    assert.deepEqual([0, 999, 1000, 12345, 999600, 1e6, 5e12].map(bytes), ['0 B', '999 B', '1.0 KB', '12 KB', '1.0 MB', '1.0 MB', '5.0 TB']);
    assert.deepEqual([20, 1500, 59000, 61000, 3600000, 90e6].map(duration), ['20 ms', '1.5 s', '59 s', '1 min 1 s', '1 h', '1 d 1 h']);
    assert.deepEqual([0, -5000, 61000, -7200000].map(relative), ['now', '5 s ago', 'in 1 min', '2 h ago']);
    assert.equal(percent(1, 0), 0);
    assert.equal(percent(5, 4), 100);
    assert.deepEqual([plural(1, 'slice'), plural(2000, 'slice')], ['1 slice', '2,000 slices']);
});

test('addresses', () => {
    assert.deepEqual([parse('').view, parse('#/nope/x').view, parse('#/status/abc').rest], ['ask', 'ask', 'abc']);
    const r = parse('#/ask/host/1.2.3.4?filter=tcp%20port+80&sensor=a');
    assert.equal(r.rest, 'host/1.2.3.4');
    assert.equal(r.args.get('filter'), 'tcp port 80');
});

test('offsets in bytes', () => {
    assert.equal(indexOfByte('abc', 1), 1);
    assert.equal(indexOfByte('äb', 2), 1);
    assert.equal(indexOfByte('€😀x', 7), 3);
    assert.equal(indexOfByte('ab', 99), 2);
});
