#!/usr/bin/env python3
"""stenofiles.py IN.pcap PKTDIR IDXDIR [--span SECONDS] [--mb MB]

Writes the packet and index files that stenotype would have written while it
saw IN.pcap: a file for each --span seconds (60, stenotype's own) or --mb
megabytes (64), named by the microseconds of its first packet. Packet files are
1 MiB TPACKET_V3 blocks (linux/if_packet.h), index files are leveldb tables of
stenographer's index format 2.0 (its stenotype/index.cc has the keys).
"""
import argparse
import os
import struct

BLOCK = 1 << 20
BLOCK_HDR = 48          # struct tpacket_block_desc
TP_MAC = 82             # of the Ethernet header behind a struct tpacket3_hdr

CRC = []
for _n in range(256):
    _c = _n
    for _ in range(8):
        _c = (_c >> 1) ^ (0x82F63B78 if _c & 1 else 0)
    CRC.append(_c)


def crc32c_masked(b):
    c = 0xffffffff
    for x in b:
        c = CRC[(c ^ x) & 255] ^ (c >> 8)
    c ^= 0xffffffff
    return (((c >> 15) | (c << 17)) + 0xa282ead8) & 0xffffffff


def varint(n):
    o = bytearray()
    while n > 127:
        o.append(n & 127 | 128)
        n >>= 7
    o.append(n)
    return bytes(o)


class Table:
    """A leveldb table, without compression."""

    def __init__(self, path):
        self.f = open(path, "wb")
        self.off = 0
        self.block = bytearray()
        self.restarts = []
        self.index = []
        self.last = b""

    def write(self, body, restarts):
        body = (bytes(body) + struct.pack("<%dI" % len(restarts), *restarts)
                + struct.pack("<I", len(restarts)))
        handle = varint(self.off) + varint(len(body))
        self.f.write(body + b"\0" + struct.pack("<I", crc32c_masked(body + b"\0")))
        self.off += len(body) + 5
        return handle

    def add(self, key, value):
        self.restarts.append(len(self.block))
        self.block += b"\0" + varint(len(key)) + varint(len(value)) + key + value
        self.last = key
        if len(self.block) >= 4096:
            self.cut()

    def cut(self):
        if self.block:
            self.index.append((self.last, self.write(self.block, self.restarts)))
            self.block = bytearray()
            self.restarts = []

    def finish(self):
        self.cut()
        meta = self.write(b"", [0])
        b = bytearray()
        restarts = []
        for key, handle in self.index:
            restarts.append(len(b))
            b += b"\0" + varint(len(key)) + varint(len(handle)) + key + handle
        index = self.write(b, restarts or [0])
        self.f.write((meta + index).ljust(40, b"\0")
                     + struct.pack("<Q", 0xdb4775248b80fb57))
        self.f.close()


def keys(p):
    """The index keys of a packet, by the walk of stenotype's index.cc."""
    n = len(p)
    o = 14
    out = []
    if n < 14:
        return out
    et = p[12] << 8 | p[13]
    while et in (0x8100, 0x88a8, 0x9100, 0x9200, 0x9300, 0x8847, 0x8848):
        if et in (0x8847, 0x8848):
            while True:
                if o + 5 > n:
                    return out
                m = struct.unpack_from("!I", p, o)[0]
                out.append(b"\5" + struct.pack("!I", m >> 12))
                o += 4
                if m & 0x100:
                    break
            v = p[o] >> 4
            if v == 4:
                et = 0x0800
            elif v == 6:
                et = 0x86dd
            else:
                return out
        else:
            if o + 4 > n:
                return out
            out.append(b"\3" + struct.pack("!H", (p[o] << 8 | p[o + 1]) & 0xfff))
            et = p[o + 2] << 8 | p[o + 3]
            o += 4
    if et == 0x0800:
        if o + 20 > n:
            return out
        out += [b"\4" + p[o + 12:o + 16], b"\4" + p[o + 16:o + 20]]
        length = (p[o] & 15) * 4
        if length < 20:
            return out
        proto = p[o + 9]
        o += length
    elif et == 0x86dd:
        if o + 40 > n:
            return out
        out += [b"\6" + p[o + 8:o + 24], b"\6" + p[o + 24:o + 40]]
        proto = p[o + 6]
        o += 40
        while proto in (0, 43, 44, 60, 135):
            if proto == 44 and (o + 8 > n
                                or (p[o + 2] << 8 | p[o + 3]) & 0xfff8):
                break
            if o + 2 > n:
                return out
            proto, o = p[o], o + (p[o + 1] + 1) * 8
    else:
        return out
    out.append(b"\1" + bytes([proto]))
    if (proto == 6 and o + 20 <= n) or (proto == 17 and o + 8 <= n):
        out += [b"\2" + p[o:o + 2], b"\2" + p[o + 2:o + 4]]
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("pcap")
    ap.add_argument("pktdir")
    ap.add_argument("idxdir")
    ap.add_argument("--span", type=int, default=60)
    ap.add_argument("--mb", type=int, default=64)
    a = ap.parse_args()

    with open(a.pcap, "rb") as f:
        d = f.read()
    magic = struct.unpack_from("<I", d)[0]
    end, unit = {0xa1b2c3d4: ("<", 1000), 0xa1b23c4d: ("<", 1),
                 0xd4c3b2a1: (">", 1000), 0x4d3cb2a1: (">", 1)}[magic]
    rec = struct.Struct(end + "IIII")
    os.makedirs(a.pktdir, exist_ok=True)
    os.makedirs(a.idxdir, exist_ok=True)

    pos = 24
    seq = files = 0
    while pos < len(d):
        sec, frac, _, _ = rec.unpack_from(d, pos)
        first = sec * 10**9 + frac * unit
        limit = first + a.span * 10**9
        name = str(first // 1000)
        idx = {}
        blocks = 0
        ns = first
        with open(os.path.join(a.pktdir, name), "wb") as out:
            while pos < len(d) and blocks < a.mb and ns < limit:
                buf = bytearray(BLOCK)
                off, last, count, t0, t1 = BLOCK_HDR, 0, 0, 0, 0
                while pos < len(d):
                    sec, frac, cap, wire = rec.unpack_from(d, pos)
                    ns = sec * 10**9 + frac * unit
                    need = (TP_MAC + cap + 7) & ~7
                    if off + need > BLOCK or ns >= limit:
                        break
                    p = d[pos + 16:pos + 16 + cap]
                    pos += 16 + cap
                    struct.pack_into("<IIIIIIHHIIHH", buf, off, need, ns // 10**9,
                                     ns % 10**9, cap, wire, 1, TP_MAC,
                                     TP_MAC + 14, 0, 0, 0, 0)
                    buf[off + TP_MAC:off + TP_MAC + cap] = p
                    at = struct.pack("!I", blocks * BLOCK + off)
                    for k in set(keys(p)):
                        idx.setdefault(k, bytearray()).extend(at)
                    if count == 0:
                        t0 = ns
                    t1, last = ns, off
                    count += 1
                    off += need
                struct.pack_into("<I", buf, last, 0)
                struct.pack_into("<IIIIIIQIIII", buf, 0, 1, BLOCK_HDR, 1, count,
                                 BLOCK_HDR, off, seq, t0 // 10**9, t0 % 10**9,
                                 t1 // 10**9, t1 % 10**9)
                out.write(buf)
                blocks += 1
                seq += 1
        t = Table(os.path.join(a.idxdir, name))
        t.add(b"\0", struct.pack("!II", 2, 0))
        for k in sorted(idx):
            t.add(k, bytes(idx[k]))
        t.finish()
        files += 1
    print("%d files" % files)


if __name__ == "__main__":
    main()
