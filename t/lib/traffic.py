#!/usr/bin/env python3
"""traffic.py OUT.pcap --sensor N [--of M] [--start EPOCH] [--span SECONDS] [--mb MB]
              [--mix COUNT]

Writes the traffic that sensor N of M sees, the same for the same arguments.
Each sensor has a /24 of its own, so that tests can tell sensors apart:

    10.N.0.2   <-> 198.51.100.53   UDP 53530+N <-> 53    20 packets
    10.N.0.3    -> 198.51.100.10   ICMP echo             10 packets
    2001:db8:N::1 -> 2001:db8:ffff::53  UDP 546 -> 53    12 packets
    10.N.0.4    -> 198.51.100.10   TCP 4444 -> 443, VLAN 100+N    5 packets
    10.N.0.5    -> 198.51.100.10   TCP 5555 -> 443, MPLS 200+N    5 packets
    10.N.0.6   <-> 203.0.113.77    TCP 6666 <-> 8080, 8 packets on EVERY sensor
    ARP (never indexed)                                   3 packets
    10.N.0.1    -> 198.51.100.10   TCP 40000+k -> 80      --mb of bulk
    any header on any other                               --mix packets between them

The 63 special packets are spread over --span seconds, and the sensors' times
interleave, so that a merge of them is a real one; the same second has packets
of every sensor. The bulk follows at 10 us steps, interleaved as well.
"""
import argparse
import random
import socket
import struct

MAC = bytes.fromhex("02000000000a02000000000b")
EXT, DNS, SHARED = "198.51.100.10", "198.51.100.53", "203.0.113.77"


def checksum(b):
    if len(b) & 1:
        b += b"\0"
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def eth(ethertype, payload):
    return MAC + struct.pack("!H", ethertype) + payload


def ip4(src, dst, proto, payload, ident=0):
    h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident & 0xffff,
                    0x4000, 64, proto, 0, socket.inet_aton(src),
                    socket.inet_aton(dst))
    return h[:10] + struct.pack("!H", checksum(h)) + h[12:] + payload


def ip6(src, dst, proto, payload):
    return (struct.pack("!IHBB", 6 << 28, len(payload), proto, 64)
            + socket.inet_pton(socket.AF_INET6, src)
            + socket.inet_pton(socket.AF_INET6, dst) + payload)


def tcp(sport, dport, seq, payload):
    return struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, 1, 0x50,
                       0x18, 65535, 0, 0) + payload


def udp(sport, dport, payload):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def dns_query(i):
    """The query of number i for the A record of sensor.test."""
    return (struct.pack("!HHHHHH", i, 0x0100, 1, 0, 0, 0)
            + b"\6sensor\4test\0\0\1\0\1")


def dns_answer(i, address):
    """What answers it."""
    return (struct.pack("!HHHHHH", i, 0x8180, 1, 1, 0, 0) + dns_query(i)[12:]
            + struct.pack("!HHHIH", 0xc00c, 1, 1, 60, 4)
            + socket.inet_aton(address))


def specials(n):
    """The 63 special packets of sensor n, in order of time."""
    out = []
    host = "10.%d.0." % n
    for i in range(20):
        if i % 2 == 0:
            p = ip4(host + "2", DNS, 17, udp(53530 + n, 53, dns_query(i)), i)
        else:
            p = ip4(DNS, host + "2", 17,
                    udp(53, 53530 + n, dns_answer(i - 1, host + "7")), i)
        out.append(eth(0x0800, p))
    for i in range(10):
        d = struct.pack("!BBHHH", 8, 0, 0, 77, i) + b"ping" * 14
        d = d[:2] + struct.pack("!H", checksum(d)) + d[4:]
        out.append(eth(0x0800, ip4(host + "3", EXT, 1, d, i)))
    for i in range(12):
        out.append(eth(0x86dd, ip6("2001:db8:%d::1" % n, "2001:db8:ffff::53",
                                   17, udp(546, 53, dns_query(i)))))
    for i in range(5):
        p = ip4(host + "4", EXT, 6, tcp(4444, 443, i, b"vlan" * 10), i)
        out.append(eth(0x8100, struct.pack("!HH", 100 + n, 0x0800) + p))
    for i in range(5):
        p = ip4(host + "5", EXT, 6, tcp(5555, 443, i, b"mpls" * 10), i)
        out.append(eth(0x8847,
                       struct.pack("!I", ((200 + n) << 12) | 0x100 | 64) + p))
    for i in range(8):
        d = b"shared-%d-%d" % (n, i)
        if i % 2:
            p = ip4(SHARED, host + "6", 6, tcp(8080, 6666, i * 100, d), i)
        else:
            p = ip4(host + "6", SHARED, 6, tcp(6666, 8080, i * 100, d), i)
        out.append(eth(0x0800, p))
    for i in range(3):
        out.append(b"\xff" * 6 + MAC[6:] + b"\x08\x06"
                   + struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, MAC[6:],
                                 socket.inet_aton(host + "9"), b"\0" * 6,
                                 socket.inet_aton(host + "1")))
    # deal them out so that each kind spans the whole time
    kinds = [out[0:20], out[20:30], out[30:42], out[42:47], out[47:52],
             out[52:60], out[60:63]]
    dealt = [((k + 0.5) / len(kind), j, p) for j, kind in enumerate(kinds)
             for k, p in enumerate(kind)]
    return [p for _, _, p in sorted(dealt, key=lambda x: x[:2])]


# addresses at the edges of networks, ports and labels at the edges of numbers
MIX_HOSTS4 = ("0.0.0.0", "10.7.0.1", "10.7.0.254", "10.7.0.255", "10.7.1.0",
              "10.127.255.255", "10.128.0.0", "127.0.0.1", "172.16.5.4",
              "192.0.2.0", "192.0.2.127", "192.0.2.128", "255.255.255.255")
MIX_HOSTS6 = ("::", "::1", "::102:304", "::fffe:0:1", "::1:0:0:5", "1::",
              "2001:db8::", "2001:db8::ffff", "2001:db8:0:1::1",
              "2001:db8:7fff::1", "2001:db8:8000::1", "fe80::1", "ff02::fb",
              "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
MIX_PORTS = (0, 1, 53, 80, 443, 8080, 8443, 65535)
MIX_PROTOS = (1, 6, 6, 6, 17, 17, 17, 47, 50, 58, 132, 255)
MIX_VLANS = (0, 1, 7, 100, 4095)
MIX_MPLS = (0, 3, 16, 300, 1048575)


def mixed(n, count):
    """Packets of sensor n with any header on any other."""
    rng = random.Random("mix %d" % n)
    out = []
    for i in range(count):
        proto = rng.choice(MIX_PROTOS)
        body = b"mix-%d-%d" % (n, i) + bytes(rng.randrange(200))
        ports = rng.choice(MIX_PORTS), rng.choice(MIX_PORTS)
        if proto == 6:
            body = tcp(*ports, i, body)
        elif proto == 17:
            body = udp(*ports, body)
        if rng.random() < 0.6:
            kind = 0x0800
            p = ip4(rng.choice(MIX_HOSTS4), rng.choice(MIX_HOSTS4), proto,
                    body, i)
        else:
            kind = 0x86dd
            if rng.random() < 0.2:          # hop-by-hop options
                body = struct.pack("!BB6x", proto, 0) + body
                proto = 0
            p = ip6(rng.choice(MIX_HOSTS6), rng.choice(MIX_HOSTS6), proto,
                    body)
        link = rng.random()
        if link < 0.2:
            labels = rng.sample(MIX_MPLS, rng.choice((1, 1, 3)))
            p = b"".join(struct.pack("!I", label << 12 | 64
                                     | (0x100 if label is labels[-1] else 0))
                         for label in labels) + p
            kind = 0x8847
        if 0.15 < link < 0.4:
            tag = rng.choice(MIX_VLANS) | rng.choice((0, 0x6000))
            p = struct.pack("!HH", tag, kind) + p
            kind = 0x8100
            if link < 0.2:
                p = struct.pack("!HH", rng.choice(MIX_VLANS), kind) + p
                kind = 0x88a8
        elif link > 0.97:
            kind = 0x88cc                   # not IP at all
        out.append(eth(kind, p))
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("out")
    ap.add_argument("--sensor", type=int, required=True)
    ap.add_argument("--of", type=int, default=3)
    ap.add_argument("--start", type=int, default=1700000000)
    ap.add_argument("--span", type=int, default=0)
    ap.add_argument("--mb", type=float, default=0.0)
    ap.add_argument("--mix", type=int, default=0)
    a = ap.parse_args()

    us = a.start * 1000000 + a.sensor * 7
    packets = specials(a.sensor)
    every = a.mix // len(packets) + 1
    mix = mixed(a.sensor, a.mix)
    packets = [p for i, special in enumerate(packets)
               for p in [special] + mix[i * every:(i + 1) * every]]
    step = max(a.span * 1000000 // len(packets), 100)

    with open(a.out, "wb", buffering=1 << 20) as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65536, 1))

        def put(p):
            f.write(struct.pack("<IIII", us // 1000000, us % 1000000, len(p),
                                len(p)) + p)

        for p in packets:
            put(p)
            us += step

        body = (bytes(range(256)) * 6)[:1400]
        host = "10.%d.0.1" % a.sensor
        flows = [eth(0x0800, ip4(host, EXT, 6, tcp(40000 + k, 80, 0, body), k))
                 for k in range(50)]
        for i in range(int(a.mb * 1e6 / (len(flows[0]) + 16))):
            p = flows[i % 50]
            # the sequence number is the packet's, so that order can be checked
            put(p[:38] + struct.pack("!I", i) + p[42:])
            us += 10 * a.of


if __name__ == "__main__":
    main()
