#!/usr/bin/env python3
"""enemy.py --port P --corpus DIR --pcap FILE [--seed N] [--runs N]
           [--threads N]

Sends random requests to an nginx with the API at /api and the results at
/results: bad methods, paths, headers, bodies, chunks, cut and pipelined ones,
the fuzzers' corpora and what becomes of them, and good questions in between.
No answer may have the status 500, and none may stay away. Prints how often
each status came."""
import argparse
import collections
import os
import random
import re
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from oracle import enemy, forms, packets        # noqa: E402

STATUS = re.compile(rb"(?:^|\n)HTTP/1\.1 (\d\d\d) ")
ID = re.compile(rb'"id":"([0-9a-f]{32})"')

# bad gateway, gateway timeout and those that nginx knows are no accidents
ACCIDENTS = ("500", "502", "504")


class Client:
    def __init__(self, port, timeout):
        self.port = port
        self.timeout = timeout

    def send(self, data, how):
        """What came until the other side closed."""
        got = b""
        with socket.create_connection(("127.0.0.1", self.port),
                                      self.timeout) as s:
            try:
                s.sendall(data)
                if how == "cut":
                    return got
                s.shutdown(socket.SHUT_WR)
                while True:
                    more = s.recv(65536)
                    if not more:
                        return got
                    got += more
            except (ConnectionResetError, BrokenPipeError):
                return got


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("--port", type=int, required=True)
    ap.add_argument("--corpus", required=True)
    ap.add_argument("--pcap", required=True)
    ap.add_argument("--seed", type=int, default=time.time_ns() // 1000)
    ap.add_argument("--runs", type=int, default=1000)
    ap.add_argument("--threads", type=int, default=4)
    a = ap.parse_args()

    corpus = enemy.corpus_of(a.corpus)
    found = packets.load("", a.pcap)
    first = found[0].ns // 10 ** 9
    span = found[-1].ns // 10 ** 9 - first
    client = Client(a.port, 60)
    count = collections.Counter()
    ids = ["0" * 32]
    failures = []
    lock = threading.Lock()

    def one(i):
        rng = random.Random("%d/%d" % (a.seed, i))
        maker = forms.Maker(rng, first, span, time.time_ns() // 1000)
        sender = enemy.Enemy(rng, maker, corpus)
        with lock:
            sender.ids = ids[-20:]
        data, how = sender.request()
        try:
            got = client.send(data, how)
        except OSError as e:
            got = b""
            with lock:
                failures.append((i, "%s: %s" % (type(e).__name__, e), data))
        status = [s.decode() for s in STATUS.findall(got)]
        with lock:
            count.update(status or ["no answer"])
            ids.extend(x.decode() for x in ID.findall(got[:100000]))
            failures.extend((i, s, data) for s in status if s in ACCIDENTS)

    def several(k):
        for i in range(k, a.runs, a.threads):
            one(i)

    threads = [threading.Thread(target=several, args=(k,))
               for k in range(a.threads)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()

    for i, why, data in failures[:20]:
        print("FAILED: seed %d, request %d: %s\n%r\n" % (a.seed, i, why,
                                                          data[:3000]))
    print("seed %d: %s" % (a.seed, ", ".join(
        "%d of %s" % (n, s) for s, n in sorted(count.items()))))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
