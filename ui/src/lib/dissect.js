// One packet in a line: who, to whom, what.  Every length in a packet is
// somebody else's word: nothing is read behind the captured bytes.

import { payload } from './payload.js';

const PROTOCOLS = {
    1: 'ICMP', 2: 'IGMP', 4: 'IPIP', 6: 'TCP', 17: 'UDP', 41: 'IPv6', 47: 'GRE', 50: 'ESP',
    51: 'AH', 58: 'ICMPv6', 88: 'EIGRP', 89: 'OSPF', 103: 'PIM', 112: 'VRRP', 132: 'SCTP',
};
const ETHERTYPES = { 0x0806: 'ARP', 0x88cc: 'LLDP', 0x8863: 'PPPoE', 0x8864: 'PPPoE', 0x888e: 'EAPOL' };
const LINK = { ETHERNET: 1, RAW: 101, LOOP: 108, NULL: 0, SLL: 113, IPV4: 228, IPV6: 229, SLL2: 276 };

class Short extends Error {}

export class Cursor {
    constructor(data, at = 0, end = data.length) {
        this.data = data;
        this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
        this.at = at;
        this.end = Math.min(end, data.length);
    }

    need(n) { if (this.at + n > this.end) throw new Short(); }
    skip(n) { this.need(n); this.at += n; }
    u8() { this.need(1); return this.data[this.at++]; }
    u16() { this.need(2); this.at += 2; return this.view.getUint16(this.at - 2); }
    u24() { return this.u8() * 65536 + this.u16(); }
    u32() { this.need(4); this.at += 4; return this.view.getUint32(this.at - 4); }
    take(n) { this.need(n); this.at += n; return this.data.subarray(this.at - n, this.at); }
    get left() { return this.end - this.at; }
    rest() { return this.data.subarray(this.at, this.end); }
}

/*
 * {src, dst, sport, dport, proto, info, layers}: addresses are text, ports
 * numbers or null; layers are [name, words] from the outside in.
 */
export function dissect(data, link) {
    const p = { src: '', dst: '', sport: null, dport: null, proto: '', info: '', layers: [] };

    try {
        outer(p, new Cursor(data), link);
    } catch (e) {
        if (!(e instanceof Short)) throw e;
        p.info = p.info ? `${p.info} (cut short)` : 'cut short';
    }

    if (!p.proto) p.proto = '?';
    return p;
}

function outer(p, c, link) {
    switch (link) {
    case LINK.ETHERNET: ethernet(p, c); break;
    case LINK.SLL: c.skip(14); ethertype(p, c, c.u16()); break;
    case LINK.SLL2: { const t = c.u16(); c.skip(18); ethertype(p, c, t); break; }
    case LINK.NULL: case LINK.LOOP: c.skip(4); raw(p, c); break;
    case LINK.RAW: case LINK.IPV4: case LINK.IPV6: case 12: raw(p, c); break;
    default: p.proto = `link ${link}`;
    }
}

const mac = (b) => [...b].map((v) => v.toString(16).padStart(2, '0')).join(':');

function ethernet(p, c) {
    const dst = mac(c.take(6));
    const src = mac(c.take(6));
    p.src = src;
    p.dst = dst;
    p.layers.push(['Ethernet', `${src} → ${dst}`]);
    ethertype(p, c, c.u16());
}

function ethertype(p, c, type) {
    for (let tags = 0; tags < 8 && (type === 0x8100 || type === 0x88a8 || type === 0x9100); tags++) {
        const tag = c.u16();
        type = c.u16();
        p.layers.push(['VLAN', `${tag & 0xfff}${tag >> 13 ? `, priority ${tag >> 13}` : ''}`]);
    }

    if (type === 0x0800 || type === 0x86dd) {
        raw(p, c);
    } else if (type === 0x8847 || type === 0x8848) {
        mpls(p, c);
    } else if (type === 0x0806) {
        arp(p, c);
    } else if (type < 0x600) {
        p.proto = '802.3';
        p.info = `${type} bytes`;
    } else {
        p.proto = ETHERTYPES[type] ?? `0x${type.toString(16).padStart(4, '0')}`;
        p.info = `${c.left} bytes`;
    }
}

function mpls(p, c) {
    for (let i = 0; i < 16; i++) {
        const v = c.u32();
        p.layers.push(['MPLS', `label ${v >>> 12}, TTL ${v & 0xff}`]);
        if (v & 0x100) break;
    }
    p.proto = 'MPLS';
    const version = c.left ? c.data[c.at] >> 4 : 0;
    if (version === 4 || version === 6) raw(p, c);
    // a pseudowire: a control word of zeros before a frame
    else if (version === 0 && c.left >= 18) { c.skip(4); ethernet(p, c); }
}

function arp(p, c) {
    p.proto = 'ARP';
    c.skip(6);
    const op = c.u16();
    const sha = mac(c.take(6));
    const spa = ip4(c.take(4));
    c.skip(6);
    const tpa = ip4(c.take(4));
    p.info = op === 1 ? `Who has ${tpa}? Tell ${spa}` : op === 2 ? `${spa} is at ${sha}` : `operation ${op}`;
    p.layers.push(['ARP', p.info]);
}

export const ip4 = (b) => b.join('.');

export function ip6(b) {
    const w = [];
    for (let i = 0; i < 16; i += 2) w.push((b[i] << 8) | b[i + 1]);

    // the longest run of zeros, the first of equals, two words at least
    let best = -1;
    let len = 1;
    for (let i = 0; i < 8; i++) {
        let n = 0;
        while (i + n < 8 && w[i + n] === 0) n++;
        if (n > len) { best = i; len = n; }
        i += n;
    }

    const hex = (a) => a.map((v) => v.toString(16)).join(':');
    return best < 0 ? hex(w) : `${hex(w.slice(0, best))}::${hex(w.slice(best + len))}`;
}

function raw(p, c) {
    c.need(1);
    const version = c.data[c.at] >> 4;
    if (version === 4) ipv4(p, c);
    else if (version === 6) ipv6(p, c);
    else p.proto = '?';
}

function ipv4(p, c) {
    const start = c.at;
    const head = (c.u8() & 15) * 4;
    c.skip(1);
    const total = c.u16();
    const id = c.u16();
    const frag = c.u16();
    const ttl = c.u8();
    const proto = c.u8();
    c.skip(2);
    p.src = ip4(c.take(4));
    p.dst = ip4(c.take(4));
    p.proto = 'IPv4';
    p.layers.push(['IPv4', `${p.src} → ${p.dst}, TTL ${ttl}, id ${id}, ${total} bytes`
        + `${frag & 0x4000 ? ', DF' : ''}${frag & 0x2000 ? ', MF' : ''}`]);
    if (head < 20) { p.info = 'header too short'; return; }
    c.at = start;
    c.skip(head);
    // 0: the length was left to the card
    if (total >= head) c.end = Math.min(c.end, start + total);
    inner(p, c, proto, (frag & 0x1fff) * 8);
}

function ipv6(p, c) {
    const start = c.at;
    c.skip(4);
    const length = c.u16();
    let next = c.u8();
    const hops = c.u8();
    p.src = ip6(c.take(16));
    p.dst = ip6(c.take(16));
    p.proto = 'IPv6';
    p.layers.push(['IPv6', `${p.src} → ${p.dst}, hops ${hops}, ${length} bytes`]);
    if (length) c.end = Math.min(c.end, start + 40 + length);

    let offset = 0;
    for (let i = 0; i < 16; i++) {
        if (next === 0 || next === 43 || next === 60) {
            next = c.u8();
            c.skip(c.u8() * 8 + 6);
        } else if (next === 44) {
            next = c.u8();
            c.skip(1);
            offset = c.u16() & 0xfff8;
            c.skip(4);
        } else if (next === 51) {
            next = c.u8();
            c.skip(c.u8() * 4 + 6);
        } else {
            break;
        }
    }

    inner(p, c, next, offset);
}

function inner(p, c, proto, fragment) {
    p.proto = PROTOCOLS[proto] ?? `IP ${proto}`;

    if (fragment) {
        p.info = `fragment at ${fragment}, ${c.left} bytes`;
        return;
    }

    switch (proto) {
    case 6: tcp(p, c); break;
    case 17: udp(p, c); break;
    case 1: icmp(p, c, ICMP); break;
    case 58: icmp(p, c, ICMP6); break;
    case 4: case 41: if (p.layers.length < 12) raw(p, c); break;
    case 47: gre(p, c); break;
    default: p.info = `${c.left} bytes`;
    }
}

function gre(p, c) {
    const flags = c.u16();
    const type = c.u16();
    if (flags & 0xb000) c.skip((flags & 0x8000 ? 4 : 0) + (flags & 0x2000 ? 4 : 0) + (flags & 0x1000 ? 4 : 0));
    p.layers.push(['GRE', `protocol 0x${type.toString(16).padStart(4, '0')}`]);
    if ((type === 0x0800 || type === 0x86dd) && p.layers.length < 12) raw(p, c);
    else p.info = `protocol 0x${type.toString(16)}`;
}

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];

function tcp(p, c) {
    const start = c.at;
    p.sport = c.u16();
    p.dport = c.u16();
    const seq = c.u32();
    const ack = c.u32();
    const bits = c.u16();
    const window = c.u16();
    const head = (bits >> 12) * 4;
    const flags = FLAGS.filter((_, i) => bits & (1 << i)).join(' ');
    if (head >= 20) { c.at = start; c.skip(head); }
    p.info = `[${flags}] seq ${seq}${bits & 0x10 ? ` ack ${ack}` : ''} win ${window}, ${c.left} bytes`;
    p.layers.push(['TCP', `${p.sport} → ${p.dport}, ${p.info}`]);
    application(p, c, true);
}

function udp(p, c) {
    const start = c.at;
    p.sport = c.u16();
    p.dport = c.u16();
    const length = c.u16();
    c.skip(2);
    if (length >= 8) c.end = Math.min(c.end, start + length);
    p.info = `${c.left} bytes`;
    p.layers.push(['UDP', `${p.sport} → ${p.dport}, ${p.info}`]);
    application(p, c, false);
}

function application(p, c, stream) {
    if (!c.left) return;
    let found = null;

    try {
        found = payload(new Cursor(c.data, c.at, c.end), p.sport, p.dport, stream);
    } catch (e) {
        if (!(e instanceof Short)) throw e;
    }

    if (found) {
        [p.proto, p.info] = found;
        p.layers.push(found);
    }
}

const ICMP = {
    0: 'echo reply', 3: 'unreachable', 4: 'source quench', 5: 'redirect', 8: 'echo request',
    9: 'router advertisement', 10: 'router solicitation', 11: 'time exceeded', 12: 'bad parameter',
};
const ICMP6 = {
    1: 'unreachable', 2: 'packet too big', 3: 'time exceeded', 4: 'bad parameter', 128: 'echo request',
    129: 'echo reply', 133: 'router solicitation', 134: 'router advertisement',
    135: 'neighbor solicitation', 136: 'neighbor advertisement', 143: 'multicast report',
};

function icmp(p, c, names) {
    const type = c.u8();
    const code = c.u8();
    c.skip(2);
    p.info = names[type] ?? `type ${type}`;
    if (/^echo/.test(p.info)) p.info += ` id ${c.u16()} seq ${c.u16()}`;
    else if (code) p.info += `, code ${code}`;
    p.layers.push([p.proto, p.info]);
}
