"""Questions: a tree of terms, what it means, and its canonical text, as the
README and the API's description have them."""
import datetime
import hashlib
import ipaddress
import socket

SECOND = 10 ** 6
MINUTE = 60 * SECOND
NAMES = {1: "icmp", 6: "tcp", 17: "udp"}

# in the order of the canonical text
KINDS = ("host", "net", "port", "vlan", "mpls", "proto", "or", "after",
         "before", "and")


class Refused(Exception):
    """There is something wrong with it."""


def utc(us):
    t = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)
    return t.isoformat(timespec="seconds") + "Z"


def down(us, unit):
    return us // unit * unit


def up(us, unit):
    return -(-us // unit) * unit


def address(text):
    a = ipaddress.ip_address(text)
    return getattr(a, "ipv4_mapped", None) or a


def network(text, mask):
    """The network of an address and its length or mask."""
    a = ipaddress.ip_address(text)
    if "." in mask or ":" in mask:
        m = ipaddress.ip_address(mask)
        if m.version != address(text).version:
            raise ValueError("another kind of address")
        bits = bin(int(m))[2:].zfill(m.max_prefixlen)
        if "01" in bits:
            raise ValueError("ones behind a zero")
        a, length = address(text), bits.count("1")
    else:
        if not mask.isdigit() or len(mask) > 3:
            raise ValueError("no length")
        length = int(mask)
        if address(text) != a:
            a, length = address(text), length - 96
    return ipaddress.ip_network((a, length), strict=False)


def written(a):
    """As inet_ntop has it, which writes ::1.2.3.4."""
    family = socket.AF_INET if a.version == 4 else socket.AF_INET6
    return socket.inet_ntop(family, a.packed)


class Term:
    """kind, and its value: an address, a network, a number; of a time
    microseconds, or (microseconds,) before now. spelled: its value as it is to
    be written."""

    def __init__(self, kind, value, spelled):
        self.kind = kind
        self.value = value
        self.spelled = spelled

    def resolve(self, now, window):
        """The time as sensors are told it."""
        if isinstance(self.value, tuple):
            value, unit = now - self.value[0], window
        else:
            value, unit = self.value, SECOND
        return (down if self.kind == "after" else up)(value, unit)

    def canonical(self, now, window):
        if self.kind in ("after", "before"):
            t = self.resolve(now, window)
            return Node(self.kind, t, "%s %s" % (self.kind, utc(t)), [])
        if self.kind == "host":
            text = "host " + written(self.value)
            return Node(self.kind, 0, text, [])
        if self.kind == "net":
            text = "net %s/%d" % (written(self.value.network_address),
                                  self.value.prefixlen)
            return Node(self.kind, 0, text, [])
        if self.kind == "proto":
            text = NAMES.get(self.value, "ip proto %d" % self.value)
        else:
            text = "%s %d" % (self.kind, self.value)
        return Node(self.kind, self.value, text, [])

    def holds(self, p, now, window):
        if self.kind == "host":
            return self.value in p.hosts
        if self.kind == "net":
            return any(h in self.value for h in p.hosts)
        if self.kind == "port":
            return self.value in p.ports
        if self.kind == "vlan":
            return self.value in p.vlans
        if self.kind == "mpls":
            return self.value in p.mpls
        if self.kind == "proto":
            return self.value in p.protos
        return file_holds(self.kind, self.resolve(now, window), p)


def file_holds(kind, t, p):
    """A sensor's own times pick files by their first packet, with a minute of
    slack."""
    return (t - MINUTE <= p.first if kind == "after"
            else p.first <= t + MINUTE)


class Group:
    """kind: and, or; parts: what it joins."""

    def __init__(self, kind, parts):
        self.kind = kind
        self.parts = parts

    def canonical(self, now, window):
        parts = {}
        for p in self.parts:
            c = p.canonical(now, window)
            for c in c.parts if c.kind == self.kind else [c]:
                parts[c.text] = c
        if len(parts) == 1:
            return c
        parts = sorted(parts.values(), key=Node.in_and if self.kind == "and"
                       else Node.in_or)
        return Node(self.kind, 0, "(%s)" % (" %s " % self.kind)
                    .join(c.text for c in parts), parts)

    def holds(self, p, now, window):
        return (all if self.kind == "and" else any)(
            part.holds(p, now, window) for part in self.parts)


class Node:
    """A part of the canonical text."""

    def __init__(self, kind, value, text, parts):
        self.kind = kind
        self.value = value
        self.text = text
        self.parts = parts

    def in_and(self):
        return KINDS.index(self.kind), self.value, self.text.encode()

    def in_or(self):
        return self.text.encode()

    def has_time(self):
        return (self.kind in ("after", "before")
                or any(p.has_time() for p in self.parts))


class Question:
    """root: its tree; the options: sensors (names), limit_packets,
    limit_bytes, filter ((text, function of a packet) or None)."""

    def __init__(self, root, sensors=(), limit_packets=0, limit_bytes=0,
                 filter=None):
        self.root = root
        self.sensors = sensors
        self.limit_packets = limit_packets
        self.limit_bytes = limit_bytes
        self.filter = filter

    def meaning(self, now, window=MINUTE, long_ago=86400 * SECOND):
        return Meaning(self, now, window, long_ago)


class Meaning:
    """What a question means at a time. after, before: its range; text, id,
    exact; rest: the canonical text of all but the range."""

    def __init__(self, q, now, window, long_ago):
        self.q = q
        self.now = now
        self.window = window
        c = q.root.canonical(now, window)
        c = c.parts if c.kind == "and" else [c]
        after = [p.value for p in c if p.kind == "after"]
        before = [p.value for p in c if p.kind == "before"]
        self.after = down(max(after) if after else now - long_ago, window)
        self.before = (up(min(before), window) if before
                       else down(now, window) + window)
        if self.after >= self.before:
            raise Refused("an empty range")
        rest = [p for p in c if p.kind not in ("after", "before")]
        self.exact = not any(p.has_time() for p in rest)
        self.rest = " and ".join(p.text for p in rest)
        self.range = "after %s and before %s" % (utc(self.after),
                                                 utc(self.before))
        self.expression = (self.rest + " and " if rest else "") + self.range
        self.text = self.expression
        if q.sensors:
            self.text += "; sensors " + ",".join(sorted(set(q.sensors)))
        if q.limit_packets:
            self.text += "; limit-packets %d" % q.limit_packets
        if q.limit_bytes:
            self.text += "; limit-bytes %d" % q.limit_bytes
        if q.filter:
            self.text += "; filter " + q.filter[0]
        self.id = hashlib.md5(self.text.encode()).hexdigest()
        self.terms = list(self.outermost(q.root))

    def outermost(self, part):
        """Operands of the outermost "and" that are not its times."""
        if isinstance(part, Group) and (part.kind == "and" or 1 == len(
                {p.canonical(self.now, self.window).text
                 for p in part.parts})):
            for p in (part.parts if part.kind == "and" else part.parts[:1]):
                yield from self.outermost(p)
        elif part.kind not in ("after", "before"):
            yield part

    def sent(self, padding):
        """What a sensor is asked when the range is one slice."""
        text = "after %s and before %s" % (
            utc(max(self.after - padding, 0)), utc(self.before + padding))
        if not self.rest:
            return text
        rest = self.rest
        c = self.q.root.canonical(self.now, self.window)
        c = [p for p in (c.parts if c.kind == "and" else [c])
             if p.kind not in ("after", "before")]
        if len(c) == 1 and c[0].kind == "or":
            rest = rest[1:-1]
        return text + " and (" + rest + ")"

    def holds(self, p):
        """The packet has what is asked for, whatever its time."""
        return all(t.holds(p, self.now, self.window) for t in self.terms)

    def found(self, packets, padding=0):
        """What a sensor finds, by files."""
        return [p for p in packets
                if file_holds("after", self.after - padding, p)
                and file_holds("before", self.before + padding, p)
                and self.holds(p)]

    def result(self, packets):
        """The capture that the question has as its result, of those packets
        that sensors find."""
        out = []
        size = 24
        for p in sorted(packets, key=lambda p: p.ns):
            if (self.q.sensors and p.sensor not in self.q.sensors
                    or not self.after * 1000 <= p.ns < self.before * 1000
                    or self.q.filter and not self.q.filter[1](p)):
                continue
            size += 16 + len(p.data)
            if (self.q.limit_packets and len(out) == self.q.limit_packets
                    or self.q.limit_bytes and size > self.q.limit_bytes):
                break
            out.append(p)
        return out
