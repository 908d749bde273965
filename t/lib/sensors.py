#!/usr/bin/env python3
"""sensors.py --certs DIR --log FILE --port P PCAP ...

Sensors that speak Stenographer's wire, and misbehave when told to. Sensor I
(from 1) listens on P+I with mutual TLS and answers from the I-th capture; as a
real one it picks whole files (--file-seconds of packets) by the outermost
"after" and "before" of the expression, and filters nothing else.

P is plain HTTP, for the test: POST /set/I (0: all) with a JSON object says how
sensor I behaves from now on (what it does not name is as at the start), GET
/state gives what each has seen. FILE gets a line of JSON for each request; its
"head" and "body" are the bytes that came, as Latin-1.

  listen  ok | refuse | hang (accepts, nothing else) | hang-tls (in the
          middle of the handshake) | drop (closes what it accepted)
  cert    name of the certificate: server, expired_server, other_server, ...
  client  name of the CA whose clients are taken: ca, other_ca
  query   ok
          hang          nothing at all
          hang-headers  the headers and nothing else
          stall         stops after "after" bytes
          hold          stops there, and goes on when it is told to behave
                        in another way
          reset         RST after "after" bytes
          drop          closes after "after" bytes, without the last chunk
          cut           ends cleanly after "after" bytes; inside a record when
                        that is where they end
          garbage       "after" bytes that are no capture
          garbage-late  "after" bytes of the capture, then such bytes
          none          a body without a byte
          swapped nano swapped-nano    the other formats of a capture
          linktype      a capture of raw IP packets
          long          a record that is longer than the snaplen
          endless       the capture, and its last record again and again
          disorder      each two records in the wrong order
  status  an HTTP status instead of 200, with "text" as its body
  after   bytes                               (1000)
  rate    bytes per second, 0: all there are  (0)
  delay   seconds before the answer           (0)
  times   so many queries misbehave, then "query" and "status" are as at the
          start; 0: all                       (0)
  busy    indexfile_current_reads; a list: one for each look, the last stays (0)
  stats   ok | hang | garbage | missing (no indexfile_current_reads) | drop
          | a status | hostile (thousands of names and values of any kind)
          | endless
  head    more bytes of headers in each answer           (0)
  oldest  oldest_timestamp, nanoseconds       (of the first packet)
"""
import argparse
import datetime
import http.server
import json
import os
import re
import select
import socket
import ssl
import struct
import threading
import time

DEFAULTS = {
    "listen": "ok", "cert": "server", "client": "ca", "query": "ok", "status": 200,
    "text": "could not parse query", "after": 1000, "rate": 0, "delay": 0,
    "times": 0, "head": 0, "busy": 0, "stats": "ok", "oldest": None,
}

LISTEN = ("ok", "refuse", "hang", "hang-tls", "drop")
QUERY = ("ok", "hang", "hang-headers", "stall", "hold", "reset", "drop", "cut",
         "garbage", "garbage-late", "none", "swapped", "nano", "swapped-nano",
         "linktype", "long", "endless", "disorder")

CHUNK = 65536
GARBAGE = b"this is no capture at all; " * 40
TIME = re.compile(r"\b(after|before) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


class Capture:
    """The packets of a classic capture, little-endian, microseconds."""

    def __init__(self, path, file_seconds):
        with open(path, "rb") as f:
            self.data = f.read()
        self.files = []                 # (first second, offset, end)
        pos = 24
        while pos < len(self.data):
            sec, _, caplen, _ = struct.unpack_from("<IIII", self.data, pos)
            if not self.files or sec >= self.files[-1][0] + file_seconds:
                if self.files:
                    self.files[-1][2] = pos
                self.files.append([sec, pos, pos])
            pos += 16 + caplen
        if self.files:
            self.files[-1][2] = pos
        self.view = memoryview(self.data)

    def oldest(self):
        return self.files[0][0] * 1000000000 if self.files else 0

    def parts(self, after, before):
        """The records of the files that such a question selects."""
        for first, start, end in self.files:
            if after - 60 <= first <= before + 60:
                for pos in range(start, end, CHUNK):
                    yield self.view[pos:min(pos + CHUNK, end)]

    def records(self, after, before):
        for first, pos, end in self.files:
            if after - 60 <= first <= before + 60:
                while pos < end:
                    sec, us, caplen, wire = struct.unpack_from("<IIII",
                                                               self.data, pos)
                    yield sec, us, wire, self.view[pos + 16:pos + 16 + caplen]
                    pos += 16 + caplen


def file_header(end="<", nano=False, linktype=1):
    return struct.pack(end + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4,
                       2, 4, 0, 0, 65536, linktype)


def body_of(how, cap, after, before):
    """The pieces of the capture as the behaviour makes it."""
    kind = how["query"]
    end = ">" if kind.startswith("swapped") else "<"
    nano = kind.endswith("nano")
    rec = struct.Struct(end + "IIII")

    if kind == "none":
        return
    if kind == "garbage":
        yield (GARBAGE * (how["after"] // len(GARBAGE) + 1))[:how["after"]]
        return

    yield file_header(end, nano, 101 if kind == "linktype" else 1)

    if kind in ("swapped", "nano", "swapped-nano", "linktype"):
        skip = 14 if kind == "linktype" else 0
        for sec, frac, wire, p in cap.records(after, before):
            p = p[skip:]
            yield rec.pack(sec, frac * 1000 if nano else frac, len(p),
                           wire - skip) + p
    elif kind == "disorder":
        held = None
        for sec, us, wire, p in cap.records(after, before):
            r = rec.pack(sec, us, len(p), wire) + p
            if held is None:
                held = r
            else:
                yield r + held
                held = None
        if held is not None:
            yield held
    elif kind == "long":
        first = next(cap.records(after, before), (int(after), 0, 0, b""))
        yield rec.pack(first[0], first[1], 10000000, 10000000) + bytes(10000000)
    elif kind == "endless":
        last = b""
        for sec, us, wire, p in cap.records(after, before):
            last = rec.pack(sec, us, len(p), wire) + p
            yield last
        while last:
            yield last * 100
    else:
        yield from cap.parts(after, before)


class Head(dict):
    """Headers by their names; bytes: as they came, with the request line."""

    def __init__(self, headers, bytes):
        super().__init__(headers)
        self.bytes = bytes


class Gone(Exception):
    """The connection is to end now."""


class Sensor:
    def __init__(self, name, port, capture, certs, log):
        self.name = name
        self.port = port
        self.capture = capture
        self.certs = certs
        self.log = log
        self.lock = threading.Lock()
        self.how = dict(DEFAULTS)
        self.looks = 0
        self.listener = None
        self.asking = set()
        self.contexts = {}
        self.seen = {"queries": 0, "stats": 0, "active": 0, "max_active": 0,
                     "connections": 0, "open": 0, "finished": 0,
                     "first_sent": 0, "left": 0}
        self.apply()

    # What the test says

    def set(self, behaviour):
        how = dict(DEFAULTS)
        for name, value in behaviour.items():
            if name not in how:
                raise ValueError("unknown name " + name)
            how[name] = value
        if how["query"] not in QUERY or how["listen"] not in LISTEN:
            raise ValueError("unknown behaviour")
        with self.lock:
            self.how = how
            self.seen["left"] = how["times"]
            self.looks = 0
        self.apply()

    def apply(self):
        """Listens, or listens no longer."""
        if self.how["listen"] == "refuse":
            if self.listener is not None:
                # close() alone leaves it to the thread that accepts
                self.listener.shutdown(socket.SHUT_RDWR)
                self.listener.close()
                self.listener = None
        elif self.listener is None:
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", self.port))
            s.listen(128)
            self.listener = s
            threading.Thread(target=self.accept, args=(s,), daemon=True).start()

    def context(self):
        name, client = key = self.how["cert"], self.how["client"]
        if key not in self.contexts:
            c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            c.load_cert_chain("%s/%s_cert.pem" % (self.certs, name),
                              "%s/%s_key.pem" % (self.certs, name))
            c.load_verify_locations("%s/%s_cert.pem" % (self.certs, client))
            c.verify_mode = ssl.CERT_REQUIRED
            c.set_alpn_protocols(["http/1.1"])
            self.contexts[key] = c
        return self.contexts[key]

    # Connections

    def accept(self, listener):
        while True:
            try:
                c, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.seen["connections"] += 1
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        with self.lock:
            self.seen["open"] += 1
        try:
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listen = self.how["listen"]
            if listen == "drop":
                return
            if listen == "hang-tls":
                self.half_handshake(c)
            if listen in ("hang", "hang-tls"):
                self.wait_for_end(c)
                return
            c = self.context().wrap_socket(c, server_side=True)
            with c.makefile("rb") as f:
                while self.request(c, f):
                    pass
        except (OSError, ValueError, Gone):
            pass
        finally:
            with self.lock:
                self.seen["open"] -= 1
            c.close()

    def half_handshake(self, c):
        """Answers the client's hello with a part of what is due."""
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context().wrap_bio(came, goes, server_side=True)
        while not goes.pending:
            data = c.recv(CHUNK)
            if not data:
                raise Gone
            came.write(data)
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
        c.sendall(goes.read(goes.pending // 2))

    def wait_for_end(self, c):
        """Until the other side closes; what it sends is of no interest."""
        while c.recv(CHUNK):
            pass
        raise Gone

    def wait_for_word(self, c, how):
        """Until it is to behave in another way."""
        while self.how is how:
            if not self.waited_for(c):
                raise Gone
            time.sleep(0.02)

    def request(self, c, f):
        head = f.readline(8192)
        line = head.split()
        if not head:
            return False
        headers = {}
        while True:
            h = f.readline(8192)
            head += h
            h = h.strip()
            if not h:
                break
            name, _, value = h.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        headers = Head(headers, bytes=head)
        if len(line) != 3:
            self.note("", headers, b"", 0)
            return False
        if headers.get("expect", "").lower() == "100-continue":
            c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = f.read(int(headers.get("content-length", 0)))
        path = line[1].decode("latin-1")

        if path == "/query":
            return self.query(c, line[0], headers, body)
        if path == "/debug/stats":
            return self.stats(c, headers)
        self.note(path, headers, body, 0)
        self.answer(c, 404, b"404 page not found\n")
        return True

    def note(self, path, headers, body, active):
        self.log({"time": time.time(), "sensor": self.name, "path": path,
                  "headers": headers,
                  "head": headers.bytes.decode("latin-1"), "body": body.decode("latin-1"),
                  "active": active})

    def answer(self, c, status, body):
        reason = http.server.BaseHTTPRequestHandler.responses.get(
            status, ("Status",))[0]
        c.sendall(b"HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\n"
                  % (status, reason.encode()) + self.more_headers() +
                  b"Content-Length: %d\r\n\r\n"
                  % len(body) + body)

    def more_headers(self):
        return b"".join(b"X-%d: %s\r\n" % (i, b"x" * 1000)
                        for i in range(self.how["head"] // 1000))

    def stats(self, c, headers):
        with self.lock:
            how = self.how
            self.seen["stats"] += 1
            looks = self.looks
            self.looks += 1
            active = self.seen["active"]
        self.note("/debug/stats", headers, b"", active)
        kind = how["stats"]
        if kind == "hang":
            self.wait_for_end(c)
        if kind == "drop":
            raise Gone
        if isinstance(kind, int) or str(kind).isdigit():
            self.answer(c, int(kind), b"not now\n")
            return True
        if kind == "garbage":
            self.answer(c, 200, GARBAGE)
            return True
        if kind == "endless":
            c.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                c.sendall(b"name\t1\n" * 1000)
        if kind == "hostile":
            self.answer(c, 200, b"indexfile_current_reads\t0\n"
                        b"bad\xff\x00\"name\\\t\xfe\x01\"\r\n"
                        b"<script>\t</script>\n"
                        b"\tnone\nbare\n\n"
                        b"oldest_timestamp\t" + b"9" * 40 + b"\n"
                        b"packets_read\t-99999999999999999999\n"
                        + b"".join(b"n%d\t%d\n" % (i, i) for i in range(3000)))
            return True
        busy = how["busy"]
        if isinstance(busy, list):
            busy = busy[min(looks, len(busy) - 1)]
        oldest = how["oldest"]
        lines = [("aged_files", 0),
                 ("current_files", len(self.capture.files)),
                 ("indexfile_current_reads", busy),
                 ("oldest_timestamp",
                  self.capture.oldest() if oldest is None else oldest),
                 ("packets_read", 0)]
        self.answer(c, 200, "".join(
            "%s\t%s\n" % v for v in lines
            if kind != "missing" or v[0] != "indexfile_current_reads").encode())
        return True

    def query(self, c, method, headers, body):
        with self.lock:
            how = self.how
            if how["times"] > 0:
                if self.seen["left"] == 0:
                    how = dict(how, query="ok", status=200, delay=0, rate=0)
                else:
                    self.seen["left"] -= 1
            self.seen["queries"] += 1
            self.seen["active"] += 1
            self.asking.add(c)
            active = sum(map(self.waited_for, self.asking))
            self.seen["max_active"] = max(active, self.seen["max_active"])
        try:
            self.note("/query", headers, body, active)
            if how["delay"]:
                time.sleep(how["delay"])
            if how["query"] == "hang":
                self.wait_for_end(c)
            if method != b"POST" or not body:
                self.answer(c, 400, b"could not parse query\n")
            elif how["status"] != 200:
                self.answer(c, how["status"], how["text"].encode() + b"\n")
            else:
                self.send_capture(c, how, body.decode("latin-1"))
            with self.lock:
                self.seen["finished"] += 1
        finally:
            with self.lock:
                self.asking.discard(c)
                self.seen["active"] -= 1
        return True

    @staticmethod
    def waited_for(c):
        """Not so once the other side has gone, whether or not its question's
        thread has seen that yet."""
        if c.fileno() == -1:
            return False
        p = select.poll()
        p.register(c.fileno(), select.POLLRDHUP)
        return not p.poll(0)

    def send_capture(self, c, how, text):
        after, before = 0, 1 << 40
        for word, t in TIME.findall(text):
            t = datetime.datetime.fromisoformat(t[:-1] + "+00:00").timestamp()
            if word == "after":
                after = max(after, t)
            else:
                before = min(before, t)

        kind = how["query"]
        left = how["after"] if kind in ("stall", "hold", "reset", "drop",
                                        "cut", "garbage-late") else 1 << 62

        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream"
                  b"\r\n" + self.more_headers() +
                  b"Transfer-Encoding: chunked\r\n\r\n")
        if kind == "hang-headers":
            self.wait_for_end(c)

        pace = Pace(c, how["rate"], self.seen)
        for piece in body_of(how, self.capture, after, before):
            if kind == "hold" and len(piece) >= left:
                pace.flush()
                self.wait_for_word(c, how)
                left = 1 << 62
            piece = piece[:left]
            pace.send(piece)
            left -= len(piece)
            if left == 0:
                break
        pace.flush()

        if kind == "stall":
            self.wait_for_end(c)
        if kind == "reset":
            # what is on its way is lost with a reset
            time.sleep(0.2)
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
            raise Gone
        if kind == "drop":
            raise Gone
        if kind == "garbage-late":
            pace.send(GARBAGE * 100)
            pace.flush()
        with self.lock:
            self.asking.discard(c)
        c.sendall(b"0\r\n\r\n")


class Pace:
    """Chunks on their way, at so many bytes a second."""

    def __init__(self, c, rate, seen):
        self.c = c
        self.rate = rate
        self.seen = seen
        self.buf = bytearray()
        self.sent = 0
        self.began = time.monotonic()

    def send(self, piece):
        self.buf += piece
        size = CHUNK if not self.rate else min(CHUNK, max(1, self.rate // 20))
        while len(self.buf) >= size:
            self.chunk(self.buf[:size])
            del self.buf[:size]

    def flush(self):
        if self.buf:
            self.chunk(self.buf)
            self.buf = bytearray()

    def chunk(self, data):
        if self.rate:
            wait = self.began + self.sent / self.rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
        if self.sent == 0:
            self.seen["first_sent"] = time.time()
        self.c.sendall(b"%x\r\n" % len(data) + data + b"\r\n")
        self.sent += len(data)


class Control(http.server.BaseHTTPRequestHandler):
    sensors = []

    def do_GET(self):
        state = {}
        for s in self.sensors:
            with s.lock:
                state[s.name] = dict(s.seen, how=s.how)
        self.reply(200, state)

    def do_POST(self):
        try:
            i = int(self.path.rsplit("/", 1)[1])
            size = int(self.headers.get("Content-Length", 0))
            behaviour = json.loads(self.rfile.read(size) or b"{}")
            for s in self.sensors if i == 0 else [self.sensors[i - 1]]:
                s.set(behaviour)
        except (ValueError, IndexError, OSError) as e:
            self.reply(400, {"error": str(e)})
        else:
            self.reply(200, {})

    def reply(self, status, data):
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("--certs", required=True)
    ap.add_argument("--log", required=True)
    ap.add_argument("--port", type=int, required=True)
    ap.add_argument("--file-seconds", type=int, default=60)
    ap.add_argument("pcaps", nargs="+")
    a = ap.parse_args()

    out = open(a.log, "w", buffering=1)
    lock = threading.Lock()

    def log(entry):
        with lock:
            out.write(json.dumps(entry) + "\n")

    captures = {p: Capture(p, a.file_seconds) for p in set(a.pcaps)}
    Control.sensors = [Sensor("s%d" % i, a.port + i, captures[p], a.certs, log)
                       for i, p in enumerate(a.pcaps, 1)]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", a.port), Control)

    # ends with the test that started it
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
