"""Connections to Docket and to real Stenographers."""
import collections
import http.client
import ssl

from oracle import packets

# A Stenographer ends a query silently at a word that it does not know: behind
# one that was taken whole, the first leaves nothing and the second adds this
# port.
NOTHING = " and host 203.0.113.254"
SOMETHING = " or port 53"
SOME_PORT = 53


class Mismatch(Exception):
    pass


def expect(true, *what):
    if not true:
        raise Mismatch("\n".join(map(str, what)))


class Client:
    """Requests over one connection, which is opened anew when it is lost."""

    def __init__(self, connect):
        self.connect = connect
        self.c = None

    def request(self, method, path, headers, body):
        if isinstance(body, str):
            body = body.encode()
        for attempt in 0, 1:
            try:
                if self.c is None:
                    self.c = self.connect()
                self.c.request(method, path, body, headers)
                r = self.c.getresponse()
                return r.status, r.read()
            except (OSError, http.client.HTTPException):
                self.c = None
                if attempt:
                    raise


class Sensor:
    def __init__(self, spec, certs):
        self.name, port, pcap = spec.split("=", 2)
        self.packets = packets.load(self.name, pcap)
        context = ssl.create_default_context(cafile=certs + "/ca_cert.pem")
        context.check_hostname = False
        context.load_cert_chain(certs + "/client_cert.pem",
                                certs + "/client_key.pem")
        self.client = Client(lambda: http.client.HTTPSConnection(
            "127.0.0.1", int(port), context=context, timeout=60))

    def selects(self, text):
        """Keys of the packets that it answers with."""
        status, body = self.client.request("POST", "/query", {}, text)
        expect(status == 200, "Stenographer says %d to: %s" % (status, text))
        return list(packets.records(body))

    def same(self, text, expected):
        got = collections.Counter(self.selects(text))
        want = collections.Counter(p.key() for p in expected)
        more, less = got - want, want - got
        expect(not more and not less,
               "Stenographer selects %d packets, the reference %d: %d too "
               "many, %d missing" % (sum(got.values()), sum(want.values()),
                                     sum(more.values()), sum(less.values())),
               "put to %s: %s" % (self.name, text),
               *["%s: ns %d: %s" % (word, k[0], k[2].hex()[:150])
                 for word, c in (("too many", more), ("missing", less))
                 for k in list(c)[:2]])
