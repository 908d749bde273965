"""Requests as an enemy would send them, and some as a friend would."""
import json
import os

from oracle import forms

ENDPOINTS = ("", "uri", "q", "pcap", "query", "raw", "explain", "status",
             "events", "stats", "ids", "urls", "jobs", "find", "cancel",
             "retry", "clean", "sensors", "metrics", "openapi.json")
ASKING = ("uri", "q", "pcap", "explain")
METHODS = (b"GET", b"GET", b"GET", b"POST", b"POST", b"HEAD", b"DELETE",
           b"PUT", b"OPTIONS", b"PATCH")
BAD_METHODS = (b"get", b"BREW", b"TRACE", b"CONNECT", b"", b"G\0ET", b"X" * 70,
               b"PRI", b"PROPFIND", b"POST\t", b"\xff")
TYPES = (b"application/json", b"application/x-www-form-urlencoded",
         b"text/plain", b"application/octet-stream", b"text/xml",
         b"application/json; charset=utf-16", b"multipart/form-data",
         b"application/jsonx", b"", b"\xff", b"A" * 3000)
WORDS = (b"\0", b"%00", b"%0a", b"%0d%0aX-Evil:%201", b"\r\nX-Evil: 1", b"%",
         b"%zz", b"%c0%ae%c0%ae/", b"../", b"%2e%2e%2f", b"//", b"/./", b"\xff",
         b"%ff%fe", b"\xe2\x82\xac", b";", b"?", b"#", b"&", b"=", b"+", b"'",
         b'"', b"\\", b"<script>", b"{{7*7}}", b"$(id)", b"`id`", b"A" * 300,
         b"9" * 400, b"-1", b"1e999", b"0x10", b"NaN", b"null", b"true", b"[]",
         b"\x7f", b"\x1b[0m", b" ", b"\t", b"(", b")", b"/or/", b" or ",
         b"&&", b"not ", b"; rm -rf", b"host 1.2.3.4", b"port 80 AND port 9",
         b"after 5", b"ago", b"\n", b"tcp")
ARGS = (b"wait", b"limit", b"page", b"cursor", b"state", b"text", b"partial",
        b"filter", b"sensor", b"limit-packets", b"limit-bytes", b"refresh",
        b"ignore-weight", b"port", b"query", b"nonsense")
HEADERS = (b"Accept", b"Origin", b"Sec-Fetch-Site", b"Sec-Fetch-Mode",
           b"Sec-Fetch-User", b"Sec-Fetch-Dest", b"Steno-Limit-Packets",
           b"Steno-Limit-Bytes", b"Last-Event-ID", b"Range", b"If-Range",
           b"If-None-Match", b"If-Modified-Since", b"Referer", b"Cookie",
           b"Authorization", b"Expect", b"Host", b"X-Forwarded-For",
           b"User-Agent", b"Content-Encoding", b"Content-Type", b"Upgrade")
VALUES = (b"", b"text/html", b"application/json", b"cross-site", b"none",
          b"same-origin", b"navigate", b"?1", b"null", b"http://evil.example",
          b"bytes=0-", b"bytes=99-1", b"bytes=0-0,-1", b"100-continue",
          b"1", b"0", b"-1", b"18446744073709551616", b"5\0", b"*/*;q=0",
          b"\xff\xfe", b"a" * 900, b"Basic !!!", b"document", b"gzip")
CODINGS = (b"chunked", b"Chunked", b"gzip", b"chunked, gzip", b"identity",
           b"\x0bchunked", b"chunked\0")
CHUNKS = (b"0\r\n\r\n", b"zz\r\n", b"ffffffffffffffffff\r\n", b"-1\r\nx\r\n",
          b"5\r\nab", b"1;ext=" + b"e" * 300 + b"\r\nx\r\n0\r\n\r\n",
          b"1\r\nxy\r\n0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n",
          b"7fffffffffffffff\r\nx")
NUMBERS = (b"1", b"-1", b"1e400", b"1.5", b"99999999999999999999", b"0", b"05")


def corpus_of(folder):
    """{kind of question: [bytes]} of the fuzzers' corpora."""
    found = {}
    for kind in sorted(os.listdir(folder)):
        found[kind] = []
        for name in sorted(os.listdir(os.path.join(folder, kind))):
            with open(os.path.join(folder, kind, name), "rb") as f:
                found[kind].append(f.read(6000))
    return found


def quoted(data):
    """What a request line can hold."""
    return b"".join(bytes([c]) if 0x20 < c < 0x7f and c not in b"%?#"
                    else b"%%%02x" % c for c in data)


class Enemy:
    """maker, writer: of forms; ids: of jobs, which answers may add to."""

    def __init__(self, rng, maker, corpus):
        self.rng = rng
        self.maker = maker
        self.writer = forms.Writer(rng)
        self.corpus = corpus
        self.ids = ["0" * 32]

    def chance(self, p):
        return self.rng.random() < p

    def request(self):
        """The bytes of one or some requests, and how they are sent: "whole",
        or "cut" (the connection ends before they do)."""
        r = self.rng.random()
        if r < 0.3:
            return self.friendly(), "whole"
        if r < 0.36:
            return b"".join(self.friendly(close=False)
                            for _ in range(self.rng.choice((2, 5)))), "whole"
        if r < 0.42:
            data = self.hostile()
            return data[:self.rng.randrange(len(data) + 1)], "cut"
        if r < 0.46:
            return b"".join(self.hostile() for _ in range(3)), "whole"
        if r < 0.5:
            return self.mutated(self.friendly()), "whole"
        return self.hostile(), "whole"

    # Questions that are well-formed

    def friendly(self, close=True):
        form, where = self.rng.choice((
            ("raw", "raw"), ("raw", "query"), ("uri", "uri"), ("uri", "q"),
            ("uri", "pcap"), ("form", ""), ("json", ""), ("json", "explain")))
        q = self.maker.question(flat=form == "uri")
        method, path, headers, body = getattr(self.writer, "form_" + form)(
            q, where)
        if self.chance(0.3):
            headers["Steno-Limit-Packets"] = "100"
        return self.write(method.encode(), b"/api" + path.encode(), [
            (n.encode(), v.encode()) for n, v in headers.items()],
            None if body is None else body.encode(), close)

    def write(self, method, path, headers, body, close=True):
        out = method + b" " + path + b" HTTP/1.1\r\nHost: docket\r\n"
        for n, v in headers:
            out += n + b": " + v + b"\r\n"
        if body is not None:
            out += b"Content-Length: %d\r\n" % len(body)
        if close:
            out += b"Connection: close\r\n"
        return out + b"\r\n" + (body or b"")

    # Those that are not

    def word(self):
        return self.rng.choice(WORDS)

    def mutated(self, data):
        data = bytearray(data)
        for _ in range(self.rng.choice((1, 1, 2, 8))):
            i = self.rng.randrange(len(data) + 1)
            how = self.rng.randrange(4)
            if how == 0:
                data[i:i + self.rng.choice((1, 4, 50))] = b""
            elif how == 1:
                data[i:i] = self.word()
            elif how == 2 and i < len(data):
                data[i] ^= 1 << self.rng.randrange(8)
            else:
                j = self.rng.randrange(len(data) + 1)
                data[i:i] = data[j:j + 40]
        return bytes(data)

    def sample(self, kind):
        data = self.rng.choice(self.corpus[kind])
        return data if self.chance(0.4) else self.mutated(data)

    def id(self):
        return self.rng.choice(self.ids).encode()

    def path(self):
        endpoint = self.rng.choice(ENDPOINTS)
        if self.chance(0.05):
            return b"/results/" + self.id() + self.rng.choice((
                b"/merged.pcap", b"/query.json", b"/../x", b"", b"/",
                b"/merged.pcap" + quoted(self.word())))
        path = b"/api/" + endpoint.encode()
        if endpoint in ASKING:
            path += b"/" + quoted(self.sample("uri"))
        elif endpoint == "raw":
            path += b"/" + quoted(self.sample("raw"))
        elif self.chance(0.6):
            path += b"/" + self.rng.choice((b",", b";", b"+", b"%20", b"%09",
                                            b"")).join(
                self.rng.choice((self.id(), self.id(), quoted(self.word())))
                for _ in range(self.rng.choice((1, 1, 2, 40))))
        if self.chance(0.2):
            i = self.rng.randrange(len(path))
            path = path[:i] + self.word() + path[i:]
        if self.chance(0.03):
            path += b"/" + self.rng.choice((b"x", b"%41", b"a/", b"../")) * 3000
        if self.chance(0.3):
            path += b"?" + b"&".join(
                self.rng.choice(ARGS) + b"=" + quoted(self.value())
                for _ in range(self.rng.choice((1, 1, 2, 60))))
        return path

    def value(self):
        return self.rng.choice((
            self.word(), self.rng.choice(VALUES), self.rng.choice(NUMBERS),
            self.sample("duration"), self.sample("time"), b"100ms"))

    def body(self):
        kind = self.rng.choice(("json", "json", "form", "raw", "record", "odd"))
        if kind != "odd":
            return self.sample(kind)
        return self.rng.choice((
            b"", b"\0" * 100, bytes(range(256)), b"[" * 9000, b'{"any":[' * 400,
            b"(" * 5000, b"port 1 or " * 700 + b"port 2", b"{" + b" " * 70000,
            self.odd_json(), self.odd_json(), self.odd_json(),
            b"host=1.2.3.4&" * 900, b'"x"', b"query=" + quoted(self.word())))

    def odd_json(self):
        """Fields with values of the wrong kinds."""
        names = [n.decode() for n in ARGS] + ["host", "net", "port", "any",
                                              "after", "id", "proto", "\0"]
        values = (None, True, -1, 1.5, 10 ** 30, "", "\0", "\ud800", [], {},
                  [[]], [{}], {"port": 1}, ["1", 2, None], "x" * 3000,
                  [{"any": [{"port": 1}]}], "1.2.3.4", 80, "5m")
        return json.dumps({self.rng.choice(names): self.rng.choice(values)
                           for _ in range(self.rng.randrange(5))}).encode()

    def hostile(self):
        method = self.rng.choice(METHODS)
        if self.chance(0.06):
            method = self.rng.choice(BAD_METHODS)
        headers = []
        for _ in range(self.rng.choice((0, 0, 1, 2, 4))):
            headers.append((self.rng.choice(HEADERS), self.rng.choice(VALUES)))
        if self.chance(0.05):
            headers.append((b"X-Long", b"x" * self.rng.choice((900, 9000,
                                                               40000))))
        if self.chance(0.03):
            headers += [(b"X-Many-%d" % i, b"y") for i in range(500)]
        if self.chance(0.05):
            headers.append(self.rng.choice((
                (b"No-Colon\r\nX", b"1"), (b" Folded", b"1"), (b"", b"x"),
                (b"N\0l", b"1"), (b"Content-Length", b"5"),
                (b"Content-Length", b"-1"),
                (b"Content-Length", b"99999999999999999999"),
                (b"Content-Length", b"1000000"), (b"Host", b"a/b"))))
        if method in (b"GET", b"HEAD", b"DELETE") and self.chance(0.8):
            return self.write(method, self.path(), headers, None)
        headers.append((b"Content-Type", self.rng.choice(TYPES)))
        if self.chance(0.15):
            return self.chunked(method, headers)
        out = self.write(method, self.path(), headers, self.body())
        if self.chance(0.03):
            out = out.replace(b"HTTP/1.1", self.rng.choice((
                b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.", b"")), 1)
        return out

    def chunked(self, method, headers):
        headers.append((b"Transfer-Encoding", self.rng.choice(CODINGS)
                        if self.chance(0.3) else b"chunked"))
        body = self.body()
        if self.chance(0.4):
            data = self.rng.choice(CHUNKS)
        else:
            size = self.rng.choice((1, 7, 5000)) if len(body) < 999 else 5000
            data = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + size]),
                                               body[i:i + size])
                            for i in range(0, len(body), size)) + b"0\r\n\r\n"
        return self.write(method, self.path(), headers, None) + data
