import assert from 'node:assert/strict';
import { test } from 'node:test';

import { dissect, ip6 } from '../src/lib/dissect.js';
import { read } from '../src/lib/pcap.js';
import { dump } from '../src/views/watch/hexdump.js';

const hex = (s) => Uint8Array.from(Buffer.from(s.replace(/\s/g, ''), 'hex'));
const MAC = '02000000000a 02000000000b ';

function capture({ little = true, nano = false, link = 1 }, ...records) {
    const out = [];
    const u32 = (v) => { const b = Buffer.alloc(4); little ? b.writeUInt32LE(v) : b.writeUInt32BE(v); out.push(b); };
    u32(nano ? 0xa1b23c4d : 0xa1b2c3d4);
    out.push(Buffer.from(little ? '02000400' : '00020004', 'hex'));
    u32(0); u32(0); u32(65536); u32(link);
    for (const data of records) { u32(1700000000); u32(7); u32(data.length); u32(data.length + 4); out.push(Buffer.from(data)); }
    return new Uint8Array(Buffer.concat(out));
}

test('captures of either order and precision', () => {
    for (const little of [true, false]) for (const nano of [true, false]) {
        const c = read(capture({ little, nano, link: 101 }, [1, 2], [3]));
        assert.equal(c.digits, nano ? 9 : 6);
        assert.equal(c.link, 101);
        assert.deepEqual(c.packets.map((p) => [p.sec, p.frac, p.len, [...p.data]]),
            [[1700000000, 7, 6, [1, 2]], [1700000000, 7, 5, [3]]]);
    }
});

test('a record that is cut is left for next time', () => {
    const whole = capture({}, [1, 2, 3], [4, 5, 6]);
    for (let n = 0; n <= whole.length; n++) {
        const c = read(whole.subarray(0, n));
        if (n < 24) { assert.equal(c, null); continue; }
        assert.equal(c.packets.length, n < 43 ? 0 : n < 62 ? 1 : 2);
        assert.equal(c.used, 24 + 19 * c.packets.length);
    }
    assert.equal(read(whole, 1).packets.length, 1);
});

test('what is no capture', () => {
    assert.match(read(new Uint8Array(24)).bad, /no capture/);
    const evil = capture({}, [1]);
    evil.set([255, 255, 255, 127], 32);
    assert.match(read(evil).bad, /claims/);
});

const IP = (proto, total) => `4500 ${total.toString(16).padStart(4, '0')} 0000 4000 40 ${proto} 0000 0a010002 c6336435`;
const DNS = '0001 0100 0001 0000 0000 0000 06 73656e736f72 04 74657374 00 0001 0001';

test('UDP and DNS, plain and under VLAN and MPLS', () => {
    const ip = `${IP('11', 57)} d11b 0035 0025 0000 ${DNS}`;
    for (const under of ['0800', '8100 0064 0800', '88a8 0001 8100 0064 0800', '8847 000c9140']) {
        const p = dissect(hex(MAC + under + ip), 1);
        assert.deepEqual([p.src, p.sport, p.dst, p.dport, p.proto, p.info],
            ['10.1.0.2', 53531, '198.51.100.53', 53, 'DNS', 'query A sensor.test'], under);
    }
    assert.equal(dissect(hex(ip), 101).proto, 'DNS');
});

test('TCP: flags, HTTP, TLS', () => {
    const tcp = (payload) => dissect(hex(`${MAC}0800 4500 0000 0000 4000 40 06 0000 0a010002 c6336435`
        + `115c 01bb 00000005 00000001 5018 ffff 0000 0000 ${payload}`), 1);
    assert.equal(tcp('').info, '[PSH ACK] seq 5 ack 1 win 65535, 0 bytes');
    const text = (s) => Buffer.from(s).toString('hex');
    assert.deepEqual([tcp(text('GET /a HTTP/1.1\r\nHost: b.example\r\n')).proto, tcp(text('GET /a HTTP/1.1\r\nHost: b.example\r\n')).info],
        ['HTTP', 'GET /a HTTP/1.1 (b.example)']);
    assert.equal(tcp(text('HTTP/1.1 404 Not Found\r\n')).info, 'HTTP/1.1 404 Not Found');
    const name = text('x.example');
    const hello = `160301 0046 01 000042 0303 ${'00'.repeat(32)} 00 0002 1301 01 00 0012 0000 000e 000c 00 0009 ${name}`;
    assert.deepEqual([tcp(hello).proto, tcp(hello).info], ['TLS', 'Client Hello, x.example']);
    assert.equal(tcp('170303 0020').info.startsWith('[PSH'), true);
});

test('IPv6, ICMP, ARP, fragments', () => {
    const six = dissect(hex(`${MAC}86dd 60000000 0008 3a 40 ${'20010db8'}${'00'.repeat(11)}01 ${'20010db8'}${'00'.repeat(11)}02 8000 0000 0001 0002`), 1);
    assert.deepEqual([six.src, six.dst, six.proto, six.info], ['2001:db8::1', '2001:db8::2', 'ICMPv6', 'echo request id 1 seq 2']);
    assert.equal(dissect(hex(`${MAC}0806 0001 0800 06 04 0001 02000000000b 0a010001 000000000000 0a010002`), 1).info,
        'Who has 10.1.0.2? Tell 10.1.0.1');
    assert.match(dissect(hex(`${MAC}0800 4500 0020 0000 00b9 40 11 0000 0a010002 c6336435 0000 0000`), 1).info, /fragment at 1480/);
    assert.equal(ip6(new Uint8Array(16)), '::');
    assert.equal(ip6(hex('20010db8 0000 0001 0000 0000 0000 0001')), '2001:db8:0:1::1');
});

test('no bytes make it fail', () => {
    let seed = 1;
    const rand = () => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed >> 8; };
    const start = hex(`${MAC}0800${IP('11', 57)} d11b 0035 0025 0000 ${DNS}`);
    for (let i = 0; i < 20000; i++) {
        const data = start.slice(0, rand() % (start.length + 1));
        for (let k = rand() % 6; k > 0 && data.length; k--) data[rand() % data.length] = rand();
        const p = dissect(data, [1, 101, 113, 0, 276, 147][rand() % 6]);
        assert.equal(typeof p.info, 'string');
    }
});

test('hex', () => {
    assert.equal(dump(hex('00112233 44556677 8899 41')), '0000  00 11 22 33 44 55 66 77  88 99 41                 .."3DUfw..A');
    assert.match(dump(new Uint8Array(5000)), /… 904 bytes more$/);
});
