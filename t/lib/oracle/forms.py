"""Random questions, and the forms in which they can be written."""
import datetime
import ipaddress
import json
import re
import urllib.parse

import traffic
from oracle.question import (SECOND, Group, Question, Refused, Term, address,
                             network)

HOSTS = (traffic.MIX_HOSTS4 + traffic.MIX_HOSTS6
         + (traffic.EXT, traffic.DNS, traffic.SHARED, "10.1.0.2", "10.2.0.6",
            "2001:db8:1::1", "2001:db8:ffff::53", "203.0.113.254"))
PORTS = traffic.MIX_PORTS + (443, 546, 4444, 6666, 53531, 9)
PROTOS = traffic.MIX_PROTOS + (0, 2, 43, 89)
VLANS = traffic.MIX_VLANS + (101, 102, 99, 4095)
MPLS = traffic.MIX_MPLS + (201, 202, 17)
LIMIT = (1, 2, 7, 50, 10 ** 12)
FILTERS = (("less 100", lambda p: len(p.data) <= 100),
           ("greater 150", lambda p: len(p.data) >= 150),
           ("len > 80 and len < 160", lambda p: 80 < len(p.data) < 160),
           ("ether[12:2] = 0x86dd", lambda p: p.outer == 0x86dd),
           ("not ip6", lambda p: p.inner != 0x86dd),
           ("ip and not vlan", lambda p: p.inner == 0x0800 and not p.vlans),
           ("vlan 101 or not ip", lambda p: (101 in p.vlans
                                             or p.inner != 0x0800)))

# what stands in mutated questions
JUNK = ("not", "src", "dst", "portrange", "tcp6", "!", "=", ";", ",", "{", "'",
        "\\", "%", "*", "&", "|", "host", "net", "port", "ip", "proto", "mask",
        "ago", "after", "before", "65536", "4096", "-1", "0x50", "256", "33",
        "5", "10.0.0", "1.2.3.4.5", ":::", "255.0.255.0", "1048576", "(", ")",
        "/", "and", "or", "&&", "||", "tcp", "port", "\u00e9", "andport")


# Trees ---------------------------------------------------------------------

class Maker:
    """rng; first, span: of the traffic, seconds; now: microseconds."""

    def __init__(self, rng, first, span, now):
        self.rng = rng
        self.first = first
        self.span = span
        self.now = now

    def chance(self, p):
        return self.rng.random() < p

    def spell_address(self, text):
        a = ipaddress.ip_address(text)
        if a.version == 4:
            if self.chance(0.1):
                return "::ffff:" + text, 96
            return text, 0
        text = self.rng.choice((text, text, a.exploded, text.upper()))
        return text, 0

    def host(self):
        text, _ = self.spell_address(self.rng.choice(HOSTS))
        return Term("host", address(text), text)

    def net(self):
        text, more = self.spell_address(self.rng.choice(HOSTS))
        bits = address(text).max_prefixlen
        length = self.rng.choice(
            (0, 1, 7, 8, 9, 12, 16, 24, 25, 31, 32, bits, bits,
             self.rng.randrange(bits + 1)) + (bits == 128) * (64, 79, 80, 81,
                                                              95, 96, 97))
        mask = str(length + more)
        if self.chance(0.3) and not more:
            whole = (1 << bits) - (1 << bits - length)
            mask = str(ipaddress.ip_address(whole.to_bytes(bits // 8, "big")))
        return Term("net", network(text, mask), text + "/" + mask)

    def number(self, kind, of):
        n = self.rng.choice(of)
        return Term(kind, n, "0" * self.chance(0.05) + str(n))

    def term(self, below=False):
        r = self.rng.random()
        if below and r < 0.06:
            return self.time(self.rng.choice(("after", "before")),
                             self.inside())
        if r < 0.3:
            return self.host()
        if r < 0.5:
            return self.net()
        if r < 0.72:
            return self.number("port", PORTS)
        if r < 0.86:
            return self.number("proto", PROTOS)
        return self.number(*self.rng.choice((("vlan", VLANS),
                                             ("mpls", MPLS))))

    def tree(self, depth, below=False):
        """below: an "or" is above it."""
        if depth == 0 or self.chance(0.3):
            return self.term(below)
        kind = self.rng.choice(("and", "or", "or"))
        parts = [self.tree(depth - 1, below or kind == "or")
                 for _ in range(self.rng.choice((1, 2, 2, 2, 3, 4)))]
        if self.chance(0.1):
            parts.append(self.rng.choice(parts))
        return Group(kind, parts)

    def flat(self):
        """What a URI can say: one "or" of some "and"s."""
        parts = [Group("and", [self.term() for _ in range(
            self.rng.choice((1, 1, 2, 3)))])
            for _ in range(self.rng.choice((1, 1, 2, 3)))]
        return Group("or", parts) if len(parts) > 1 else parts[0]

    # Times

    def inside(self):
        """A time in and around the traffic, microseconds."""
        return (self.first * SECOND + self.rng.randrange(
            (self.span + 600) * 1000) * 1000 - 300 * SECOND)

    def time(self, kind, us):
        if self.chance(0.2):
            return self.ago(kind, us)
        day = datetime.datetime(1970, 1, 1) + datetime.timedelta(
            microseconds=us)
        zone = "Z"
        if self.chance(0.2):
            return Term(kind, us // SECOND * SECOND,
                        day.isoformat(timespec="seconds"))
        if self.chance(0.2):
            minutes = self.rng.choice((60, 420, 330, -90, 0))
            day += datetime.timedelta(minutes=minutes)
            zone = "%s%02d:%02d" % (("-" if minutes < 0 else "+",)
                                    + divmod(abs(minutes), 60))
        if self.chance(0.4):
            return Term(kind, us,
                        day.isoformat(timespec="milliseconds") + zone)
        return Term(kind, us // SECOND * SECOND,
                    day.isoformat(timespec="seconds") + zone)

    def ago(self, kind, us):
        s = (self.now - us) // SECOND
        m, h = s // 60, s // 3600
        text, value = self.rng.choice((
            ("%ds" % s, s), ("%dm" % m, m * 60), ("%d000ms" % s, s),
            ("%dh%dm" % (h, m % 60), m * 60), ("%dm30s" % m, m * 60 + 30),
            ("%dh%d" % (h, m % 60), m * 60), ("%d.5m" % m, m * 60 + 30)))
        return Term(kind, (value * SECOND,), text)

    def range(self):
        r = self.rng.random()
        times = []
        if r < 0.5:
            times = [self.time("after", (self.first - 300) * SECOND),
                     self.time("before", (self.first + self.span + 300)
                               * SECOND)]
        elif r < 0.9:
            a, b = sorted((self.inside(), self.inside()))
            times = [self.time("after", a), self.time("before", b)]
            if self.chance(0.1):
                times.append(self.time("after", self.inside()))
        elif r < 0.95:
            times = [self.time("after", self.inside())]
        return times

    def question(self, flat=False):
        root = self.flat() if flat else self.tree(
            self.rng.choice((0, 1, 2, 2, 3, 4)))
        times = self.range()
        if self.chance(0.04) and times:
            root = Group("and", times)
        elif times:
            parts = [root] + times
            self.rng.shuffle(parts)
            root = Group("and", parts)
        q = Question(root)
        if self.chance(0.15):
            q.sensors = self.rng.choice((["s1"], ["s2"], ["s2", "s1"]))
        if self.chance(0.1):
            q.limit_packets = self.rng.choice(LIMIT)
        if self.chance(0.1):
            q.limit_bytes = self.rng.choice(LIMIT) * 100
        if self.chance(0.1):
            q.filter = self.rng.choice(FILTERS)
        return q


def shuffled(part, rng):
    """The same with its operands in another order."""
    if isinstance(part, Term):
        return part
    parts = [shuffled(p, rng) for p in part.parts]
    rng.shuffle(parts)
    return Group(part.kind, parts)


# Forms ---------------------------------------------------------------------
#
# Each gives (method, path below the API, headers, body) of /explain; of a
# question that is asked "explain" is another name.

class Writer:
    def __init__(self, rng):
        self.rng = rng

    def chance(self, p):
        return self.rng.random() < p

    def any_case(self, word):
        return self.rng.choice((word, word, word, word.upper(),
                                word.capitalize()))

    def blank(self):
        return self.rng.choice((" ", " ", " ", "  ", "\t", "\n", " \r\n "))

    def raw(self, part):
        """Of equal precedence, left to right: only a group on the right of
        another one needs its parentheses."""
        if isinstance(part, Term):
            return self.raw_term(part)
        out = self.raw_operand(part.parts[0], self.chance(0.5))
        for p in part.parts[1:]:
            op = self.rng.choice((part.kind, self.any_case(part.kind),
                                  {"and": "&&", "or": "||"}[part.kind]))
            out += (self.blank() + op + self.blank()
                    + self.raw_operand(p, False))
        return out

    def raw_operand(self, part, bare):
        text = self.raw(part)
        if isinstance(part, Term):
            bare = not self.chance(0.1)
        if bare:
            return text
        pad = self.rng.choice(("", "", self.blank()))
        return "(" + pad + text + pad + ")"

    def raw_term(self, t):
        word = self.any_case(t.kind)
        if t.kind == "proto":
            if t.value in (1, 6, 17) and self.chance(0.6):
                return self.any_case({1: "icmp", 6: "tcp", 17: "udp"}[t.value])
            word = self.any_case("ip") + self.blank() + word
        if t.kind == "net":
            text, mask = t.spelled.split("/")
            pad = self.rng.choice(("", "", self.blank()))
            slash = pad + "/" + pad
            if not mask.isdigit() and self.chance(0.7):
                slash = self.blank() + self.any_case("mask") + self.blank()
            return word + self.blank() + text + slash + mask
        ago = ""
        if isinstance(t.value, tuple) and self.chance(0.7):
            ago = self.blank() + self.any_case("ago")
        return word + self.blank() + t.spelled + ago

    # Fields

    def name(self, name):
        return self.any_case(name.replace("-", self.rng.choice("--_")))

    def field(self, t):
        """(name, value) of a term."""
        kind, value = t.kind, t.spelled
        if kind == "proto" and t.value in (1, 6, 17) and self.chance(0.6):
            kind = self.rng.choice(("proto", "proto-name"))
            value = self.any_case({1: "icmp", 6: "tcp", 17: "udp"}[t.value])
        elif kind == "proto" and self.chance(0.2):
            kind = "ip-proto"
        elif isinstance(t.value, tuple):
            kind += self.rng.choice(("", "-ago"))
            value += self.rng.choice(("", "", " ago"))
        elif kind == "net" and not value.split("/")[1].isdigit():
            value = self.rng.choice((value, value.replace("/", " mask ")))
        return self.name(kind), value

    def options(self, q):
        """(name, value) of the options."""
        out = []
        if q.sensors:
            if self.chance(0.5):
                out += [("sensor", s) for s in q.sensors]
            else:
                out.append(("sensor", self.rng.choice(",; ").join(q.sensors)))
        for name, n in (("limit-packets", q.limit_packets),
                        ("limit-bytes", q.limit_bytes)):
            if n:
                out.append((self.rng.choice(("", "steno-")) + name, str(n)))
        if q.filter:
            out.append(("filter", q.filter[0]))
        return [(self.name(n), v) for n, v in out]

    def percent(self, text, safe, plus=False):
        out = "".join(
            urllib.parse.quote(c, safe=safe) if self.chance(0.95)
            else "".join("%%%02x" % b for b in c.encode()) for c in text)
        return out.replace("%20", "+") if plus and self.chance(0.5) else out

    def arguments(self, fields):
        return "&".join(self.percent(n, "-_") + "="
                        + self.percent(v, ":/.-", True) for n, v in fields)

    def form_raw(self, q, where="explain"):
        args = self.arguments(self.options(q))
        text = self.raw(q.root)
        if self.chance(0.3) and where == "explain":
            return ("POST", "/explain" + ("?" + args if args else ""), {
                "Content-Type": "application/x-www-form-urlencoded"},
                self.arguments([("query", text)]))
        return ("POST", "/" + where + ("?" + args if args else ""),
                {"Content-Type": "text/plain"}, text)

    def form_uri(self, q, where="explain"):
        alternatives, free = self.split(q.root)
        segments = []
        for i, terms in enumerate(alternatives):
            segments += [["or"]] * (i > 0)
            segments += [self.uri_term(t) for t in terms]
        options = self.options(q)
        args = ""
        if self.chance(0.5):
            args = "?" + self.arguments(options) if options else ""
            options = []
        for extra in [self.field(t) for t in free] + options:
            name, value = extra
            if value == "":
                continue
            segments.insert(self.rng.randrange(len(segments) + 1),
                            [name, value])
        path = "/".join(self.percent(s, ":,") if not s[:1] == "\0"
                        else s[1:] for seg in segments for s in seg)
        return ("GET", "/%s/%s%s%s" % (where, path, "/" * self.chance(0.3),
                                       args), {}, None)

    def uri_term(self, t):
        if t.kind == "proto" and t.value in (1, 6, 17) and self.chance(0.4):
            return [self.any_case({1: "icmp", 6: "tcp", 17: "udp"}[t.value])]
        name, value = self.field(t)
        mask = value.partition("/")[2]
        if t.kind == "net" and mask[:1].isdigit() and self.chance(0.6):
            return [name] + ["\0" + s for s in value.split("/")]
        return [name, value]

    def split(self, root):
        """Alternatives of terms, and the times beside them."""
        parts = root.parts if root.kind == "and" else [root]
        free = [p for p in parts if p.kind in ("after", "before")]
        terms = [p for p in parts if p.kind not in ("after", "before")]
        for p in terms:
            if p.kind == "or":
                return [a.parts for a in p.parts], free
        flat = []
        for p in terms:
            flat += p.parts if isinstance(p, Group) else [p]
        return ([flat] if flat else []), free

    def form_form(self, q, where="explain"):
        fields = self.options(q)
        parts = q.root.parts if q.root.kind == "and" else [q.root]
        for p in parts:
            if isinstance(p, Group) or self.chance(0.1):
                fields.append(("query", self.raw(p)))
            else:
                fields.append(self.field(p))
        if self.chance(0.2):
            fields.append((self.rng.choice(("host", "port", "query")), ""))
        self.rng.shuffle(fields)
        return ("POST", "/" + where,
                {"Content-Type": "application/x-www-form-urlencoded"},
                self.arguments(fields))

    def form_json(self, q, where="explain"):
        headers = {"Content-Type": "application/json"}
        members = self.members(q.root)
        for n, v in self.options(q):
            if n.lower().startswith("steno-limit") and self.chance(0.5):
                headers[n.replace("_", "-")] = v
            elif n == "filter" or not v.isdigit() or self.chance(0.5):
                members.append((n, json.dumps(v)))
            else:
                members.append((n, v))
        self.rng.shuffle(members)
        return "POST", "/" + where, headers, self.object(members)

    def object(self, members):
        return "{%s}" % self.rng.choice((", ", ",", " ,\n")).join(
            json.dumps(n, ensure_ascii=self.chance(0.5)) + ":" + v
            for n, v in members)

    def members(self, part):
        """[(name, JSON)] of an object that says the same."""
        if isinstance(part, Term):
            return [self.member(part)]
        if part.kind == "or":
            if self.chance(0.1):
                return [("query", json.dumps(self.raw(part)))]
            return [("any", "[%s]" % ",".join(
                self.object(self.members(p)) for p in part.parts))]
        out = []
        for p in part.parts:
            if isinstance(p, Group) and p.kind == "and" and self.chance(0.5):
                out.append(("any", "[%s]" % self.object(self.members(p))))
            else:
                out += self.members(p)
        if self.chance(0.1):
            out.append((self.rng.choice(("host", "any", "sensor")), "null"))
        return self.joined(out)

    def joined(self, members):
        """Members of one name as a list, sometimes."""
        lists = {}
        out = []
        for n, v in members:
            if n in ("any",) or v[:1] in "[n" or self.chance(0.5):
                out.append((n, v))
            else:
                lists.setdefault(n, []).append(v)
        return out + [(n, "[%s]" % ", ".join(v)) for n, v in lists.items()]

    def member(self, t):
        name, value = self.field(t)
        if value.isdigit() and not value.startswith("00") and (
                value == "0" or value[0] != "0") and self.chance(0.6):
            return name, value
        return name, json.dumps(value)


# Raw expressions, read -------------------------------------------------------

TOKEN = re.compile(r"[ \t\r\n\v\f]*(&&|\|\||[0-9A-Za-z.:+_-]+|[()/]|\S|$)")


def tokens(text):
    return [t for t in TOKEN.findall(text) if t]


class Reader:
    """A strict reader of raw expressions. times: value of each word that is a
    time; there are no others."""

    def __init__(self, text, times):
        self.left = tokens(text)
        self.times = times

    def tree(self):
        e = self.expression()
        if self.left:
            raise Refused("more: " + self.left[0])
        return e

    def take(self, *words):
        if not self.left or (words and self.left[0].lower() not in words):
            raise Refused("expected %s at %s" % (words, self.left[:1]))
        return self.left.pop(0)

    def peek(self):
        return self.left[0].lower() if self.left else ""

    def expression(self):
        left = self.operand()
        while self.peek() in ("and", "or", "&&", "||"):
            kind = "and" if self.take().lower() in ("and", "&&") else "or"
            left = Group(kind, [left, self.operand()])
        return left

    def operand(self):
        if self.peek() == "(":
            self.take()
            e = self.expression()
            self.take(")")
            return e
        return self.term()

    def term(self):
        word = self.take().lower()
        try:
            if word in ("tcp", "udp", "icmp"):
                return Term("proto", {"icmp": 1, "tcp": 6, "udp": 17}[word],
                            word)
            if word == "host":
                text = self.take()
                return Term("host", address(text), text)
            if word == "net":
                text = self.take()
                self.take("/", "mask")
                mask = self.take()
                return Term("net", network(text, mask), text + "/" + mask)
            if word == "ip":
                word = self.take("proto").lower()
                return self.number(word, 255)
            if word == "port":
                return self.number(word, 65535)
            if word == "vlan":
                return self.number(word, 4095)
            if word == "mpls":
                return self.number(word, 1048575)
            if word in ("after", "before"):
                return self.time(word)
        except ValueError as e:
            raise Refused(str(e))
        raise Refused("no term: " + word)

    def number(self, kind, most):
        text = self.take()
        if not (text.isascii() and text.isdigit()) or int(text) > most:
            raise Refused("no number: " + text)
        return Term(kind, int(text), text)

    def time(self, kind):
        text = self.take()
        if text not in self.times:
            raise Refused("no time: " + text)
        value = self.times[text]
        if isinstance(value, tuple) and self.peek() == "ago":
            self.take()
        return Term(kind, value, text)


def times_of(part):
    if isinstance(part, Term):
        return ({part.spelled: part.value}
                if part.kind in ("after", "before") else {})
    return {k: v for p in part.parts for k, v in times_of(p).items()}


def mutated(text, rng):
    """The expression with some words lost, doubled, swapped, or other ones."""
    words = tokens(text)
    for _ in range(rng.choice((1, 1, 2))):
        i = rng.randrange(len(words))
        how = rng.randrange(5)
        if how == 0 and len(words) > 1:
            del words[i]
        elif how == 1:
            words.insert(i, words[i])
        elif how == 2:
            j = rng.randrange(len(words))
            words[i], words[j] = words[j], words[i]
        elif how == 3:
            words[i] = rng.choice(JUNK)
        else:
            words.insert(rng.choice((i, len(words))), rng.choice(JUNK))
    return " ".join(words)
