"""What a packet is found by: read from its bytes, with nothing of Docket or of
the fixture's index in between."""
import ipaddress
import struct

VLAN = (0x8100, 0x88a8)
MPLS = (0x8847, 0x8848)

# IPv6: hop-by-hop options, routing, destination options
EXTENSIONS = (0, 43, 60)


class Packet:
    """One record of a capture. ns: its time; first: the time of the first
    packet in the sensor's file that it is in, microseconds; outer, inner: type
    of the frame as it is, and without its tags and labels."""

    def __init__(self, sensor, ns, first, wire, data):
        self.sensor = sensor
        self.ns = ns
        self.first = first
        self.wire = wire
        self.data = data
        self.hosts = ()
        self.ports = ()
        self.protos = ()
        self.vlans = []
        self.mpls = []
        self.outer = self.inner = None
        self.link(int.from_bytes(data[12:14], "big"), data[14:])

    def link(self, kind, rest):
        self.outer = kind
        while kind in VLAN:
            self.vlans.append(int.from_bytes(rest[:2], "big") % 4096)
            kind = int.from_bytes(rest[2:4], "big")
            rest = rest[4:]
        if kind in MPLS:
            last = False
            while not last:
                label = int.from_bytes(rest[:4], "big")
                self.mpls.append(label >> 12)
                last = label >> 8 & 1
                rest = rest[4:]
            kind = {4: 0x0800, 6: 0x86dd}.get(rest[0] >> 4, kind)
        self.inner = kind
        if kind == 0x0800:
            self.hosts = (ipaddress.IPv4Address(rest[12:16]),
                          ipaddress.IPv4Address(rest[16:20]))
            self.transport(rest[9], rest[rest[0] % 16 * 4:])
        elif kind == 0x86dd:
            self.hosts = (ipaddress.IPv6Address(rest[8:24]),
                          ipaddress.IPv6Address(rest[24:40]))
            proto, rest = rest[6], rest[40:]
            while proto in EXTENSIONS:
                proto, rest = rest[0], rest[8 + rest[1] * 8:]
            self.transport(proto, rest)

    def transport(self, proto, rest):
        self.protos = (proto,)
        if proto in (6, 17):
            self.ports = struct.unpack("!HH", rest[:4])

    def key(self):
        return self.ns, self.wire, self.data


def records(capture):
    """(ns, wire length, bytes) of each record; as Stenographer writes them."""
    magic, = struct.unpack_from("<I", capture)
    if magic != 0xa1b2c3d4:
        raise ValueError("no capture: %r" % capture[:40])
    pos = 24
    while pos < len(capture):
        sec, us, size, wire = struct.unpack_from("<IIII", capture, pos)
        data = capture[pos + 16:pos + 16 + size]
        if len(data) != size:
            raise ValueError("a record is cut")
        yield sec * 10 ** 9 + us * 1000, wire, data
        pos += 16 + size


def load(sensor, path, file_seconds=60):
    """The packets of a sensor, in order of time."""
    with open(path, "rb") as f:
        capture = f.read()
    found = []
    first = None
    for ns, wire, data in records(capture):
        if first is None or ns >= first + file_seconds * 10 ** 9:
            first = ns
        found.append(Packet(sensor, ns, first // 1000, wire, data))
    return found
