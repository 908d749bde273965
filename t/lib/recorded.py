#!/usr/bin/env python3
"""recorded.py --log FILE --access FILE --certs DIR NAME=PORT=PCAP

What reached the sensors of a run. FILE: the log of t/lib/sensors.py; --access:
a line for each request, the canonical text that it had or "". NAME is a
real Stenographer over the same captures. Every query must be one that an
accepted question means, with the headers that the helper writes and no other,
and the Stenographer must take it whole."""
import argparse
import collections
import datetime
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from oracle.clients import (NOTHING, SOMETHING, Mismatch,   # noqa: E402
                            Sensor, expect)

PADDING = datetime.timedelta(seconds=120)       # docket_time_padding
CANONICAL = re.compile(r"(?:(.*) and )?after (\S+) and before (\S+?)"
                       r"(?:; .*)?$")
QUERY = re.compile(r"after \S+Z and before \S+Z(?: and \(([a-z0-9.:/() TZ-]+)\))?$")
HEAD = re.compile(r"""POST[ ]/query[ ]HTTP/1\.1\r\n
    (?:(?:Host:[ ]127\.0\.0\.1:\d+
        |User-Agent:[ ]docket/[\w.]+
        |Accept:[ ]\*/\*
        |Content-Length:[ ]\d+
        |Content-Type:[ ][a-z]+/[a-z0-9-]+)\r\n)+\r\n$""", re.X)
STATS = re.compile(r"""GET[ ]/debug/stats[ ]HTTP/1\.1\r\n
    (?:(?:Host:[ ]127\.0\.0\.1:\d+|User-Agent:[ ]docket/[\w.]+
        |Accept:[ ]\*/\*)\r\n)+\r\n$""", re.X)


def moved(text, by):
    t = datetime.datetime.fromisoformat(text[:-1]) + by
    return t.isoformat(timespec="seconds") + "Z"


def enclosed(text):
    """One pair of parentheses is around all of it."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return i == len(text) - 1 and i > 0


def means(canonical):
    """What a sensor is asked for a question of this text."""
    rest, after, before = CANONICAL.match(canonical).groups()
    text = "after %s and before %s" % (moved(after, -PADDING),
                                       moved(before, PADDING))
    if not rest:
        return text
    return text + " and " + (rest if enclosed(rest) else "(" + rest + ")")


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("--log", required=True)
    ap.add_argument("--access", required=True)
    ap.add_argument("--certs", required=True)
    ap.add_argument("sensor")
    a = ap.parse_args()

    steno = Sensor(a.sensor, a.certs)
    with open(a.access) as f:
        accepted = {means(t) for t in map(json.loads, f) if t}
    queries = collections.Counter()
    failures = []

    with open(a.log) as f:
        for r in map(json.loads, f):
            head = {"/query": HEAD, "/debug/stats": STATS}.get(r["path"])
            if head is None or not head.match(r["head"]):
                failures.append("no request of the helper: %r" % r)
            elif r["path"] == "/query":
                queries[r["body"]] += 1

    for text in queries:
        try:
            expect(QUERY.match(text), "no expression: %r" % text)
            expect(text in accepted, "nobody asked: %r" % text)
            found = set(steno.selects(text))
            expect(not steno.selects(text + NOTHING), "not read to its end: "
                   + text)
            expect(found <= set(steno.selects(text + SOMETHING)),
                   "not read as one expression: " + text)
        except Mismatch as e:
            failures.append(str(e))

    for why in failures[:20]:
        print("FAILED: " + why)
    print("%d queries, %d different, of %d questions"
          % (sum(queries.values()), len(queries), len(accepted)))
    return 1 if failures or not queries else 0


if __name__ == "__main__":
    sys.exit(main())
