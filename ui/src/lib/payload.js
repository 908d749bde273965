// What stands first in a payload: a name that is asked for, a server's name, a
// request's line.  [protocol, words] or null.  Reading behind the end throws.

const text = (bytes) => [...bytes].map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '·')).join('');

export function payload(c, sport, dport, stream) {
    const on = (...ports) => ports.includes(sport) || ports.includes(dport);

    if (on(53, 5353, 5355)) {
        if (stream) c.skip(2);
        return dns(c, on(5353) ? 'MDNS' : on(5355) ? 'LLMNR' : 'DNS');
    }

    if (stream) return tls(c) ?? line(c);
    if (on(123) && c.left >= 48) return ['NTP', `version ${(c.data[c.at] >> 3) & 7}, mode ${c.data[c.at] & 7}`];
    if (on(67, 68) && c.left >= 240) return ['DHCP', c.data[c.at] === 1 ? 'request' : 'reply'];
    if (on(443) && c.data[c.at] & 0x80) return ['QUIC', 'handshake'];
    return null;
}

const TYPES = {
    1: 'A', 2: 'NS', 5: 'CNAME', 6: 'SOA', 12: 'PTR', 15: 'MX', 16: 'TXT', 28: 'AAAA', 33: 'SRV',
    43: 'DS', 48: 'DNSKEY', 64: 'SVCB', 65: 'HTTPS', 255: 'ANY',
};
const CODES = ['', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

function dns(c, proto) {
    c.skip(2);
    const flags = c.u16();
    const asked = c.u16();
    const answers = c.u16();
    c.skip(4);
    if (!asked) return [proto, flags & 0x8000 ? `response, ${answers} answers` : 'query'];

    const labels = [];
    for (let n; labels.length < 64 && (n = c.u8());) {
        // the first name of a message points nowhere
        if (n > 63) return null;
        labels.push(text(c.take(n)));
    }

    const type = c.u16();
    const name = `${TYPES[type] ?? `type ${type}`} ${labels.join('.') || '.'}`;
    if (!(flags & 0x8000)) return [proto, `query ${name}`];
    const code = flags & 15;
    return [proto, `response ${name}, ${code ? CODES[code] ?? `code ${code}` : `${answers} answers`}`];
}

const RECORDS = { 20: 'change cipher spec', 21: 'alert', 22: 'handshake', 23: 'application data' };
const SHAKES = { 1: 'Client Hello', 2: 'Server Hello', 4: 'session ticket', 11: 'certificate', 16: 'key exchange' };

function tls(c) {
    const [kind, major] = [c.data[c.at], c.data[c.at + 1]];
    if (c.left < 6 || !RECORDS[kind] || major !== 3 || c.data[c.at + 2] > 4) return null;

    c.skip(3);
    const length = c.u16();
    if (kind !== 22) return ['TLS', `${RECORDS[kind]}, ${length} bytes`];

    const shake = SHAKES[c.u8()] ?? 'handshake';
    if (shake !== 'Client Hello') return ['TLS', shake];

    let name = null;
    try {
        name = serverName(c);
    } catch {
        // a hello that goes on in the next packet
    }
    return ['TLS', name ? `Client Hello, ${name}` : 'Client Hello'];
}

function serverName(c) {
    c.u24();
    c.skip(34);
    c.skip(c.u8());
    c.skip(c.u16());
    c.skip(c.u8());

    const end = c.at + 2 + c.u16();
    while (c.at < end) {
        const type = c.u16();
        const length = c.u16();
        if (type === 0) {
            c.skip(3);
            return text(c.take(c.u16()));
        }
        c.skip(length);
    }
    return null;
}

const FIRST = /^(?:(?:GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|CONNECT|TRACE) \S|HTTP\/\d)/;
const GREETING = [
    [/^SSH-\d/, 'SSH'], [/^(?:EHLO|HELO|MAIL FROM|RCPT TO) /i, 'SMTP'],
    [/^(?:USER|PASS|RETR|STOR) /i, 'FTP'],
];

function line(c) {
    const start = c.data.subarray(c.at, Math.min(c.end, c.at + 400));
    const stop = start.findIndex((b) => b === 13 || b === 10);
    const first = text(stop < 0 ? start : start.subarray(0, stop));

    if (FIRST.test(first)) return ['HTTP', first + host(c, first)];
    for (const [pattern, name] of GREETING) if (pattern.test(first)) return [name, first];
    return null;
}

function host(c, first) {
    if (first.startsWith('HTTP')) return '';
    const head = text(c.data.subarray(c.at, Math.min(c.end, c.at + 2000)).map((b) => (b === 13 || b === 10 ? 0x20 : b)));
    const m = / {1,2}host: *([^ ]+)/i.exec(head);
    return m ? ` (${m[1]})` : '';
}
