#!/usr/bin/env python3
"""oracle.py --api URL --results URL --certs DIR [--runs N] [--ask N]
          [--seed N] [--only I] NAME=PORT=PCAP ...

Puts random questions to Docket (URL: of its API) in all their forms and
compares what it makes of them with a reference that has nothing of Docket's
code (t/lib/oracle): refused or not, canonical text, id, range, what a sensor
is sent. What a sensor is sent, and the canonical text, are then put to a real
Stenographer, which must select the packets that the reference selects. Since a
Stenographer ends a query silently at a word that it does not know, each text
is put to it once more with "and NOTHING" and with "or SOMETHING" behind it:
nothing of the first may come, and all of the second. Mutated expressions are
put to Docket and to the reference; --ask of the questions are run as jobs, and
their captures are compared packet for packet.

Question I of seed N is the same in each run (but for its times, which follow
the traffic): a failure names both. Exit status 1: there was one."""
import argparse
import collections
import http.client
import json
import os
import random
import sys
import time
import traceback
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from oracle import forms, packets                           # noqa: E402
from oracle.clients import (NOTHING, SOME_PORT, SOMETHING,  # noqa: E402
                            Client, Mismatch, Sensor, expect)
from oracle.question import SECOND, Question, Refused       # noqa: E402

PADDING = 120 * SECOND          # docket_time_padding


class Oracle:
    def __init__(self, a):
        self.a = a
        self.sensors = {s.name: s for s in (Sensor(x, a.certs)
                                            for x in a.sensors)}
        everything = [p for s in self.sensors.values() for p in s.packets]
        self.packets = everything
        self.first = min(p.ns for p in everything) // 10 ** 9
        self.span = max(p.ns for p in everything) // 10 ** 9 - self.first
        url = urllib.parse.urlsplit(a.api)
        self.prefix = url.path
        self.docket = Client(lambda: http.client.HTTPConnection(
            url.netloc, timeout=60))
        self.count = collections.Counter()

    def ask(self, method, path, headers, body):
        """Status, JSON."""
        status, body = self.docket.request(method, self.prefix + path, headers,
                                           body)
        return status, json.loads(body)

    # What a question means -------------------------------------------------

    def explained(self, q, request):
        """Docket's explanation is the reference's; the Meaning, or None if
        both refuse. q: a Question or what refused it."""
        began = time.time_ns() // 1000
        status, said = self.ask(*request)
        ended = time.time_ns() // 1000
        shown = "asked: %r" % (request,), "said: %d %s" % (
            status, json.dumps(said, ensure_ascii=False)[:2000])
        expect(status in (200, 400), "status", *shown)

        # a window may have begun in between
        why = None
        meanings = []
        for now in began, ended:
            try:
                if isinstance(q, Refused):
                    raise q
                meanings.append(q.meaning(now))
            except Refused as e:
                why = e
        if status == 400:
            expect(why is not None, "refused, but there is nothing wrong: "
                   + meanings[-1].text if meanings else "", *shown)
            expect(said.get("detail") and said.get("status") == 400,
                   "no problem document", *shown)
            self.count["refused"] += 1
            return None
        expect(meanings, "taken, although: %s" % why, *shown)
        m = next((m for m in meanings if m.id == said["id"]), meanings[-1])
        for name, want in (("query", m.text), ("id", m.id),
                           ("exact", m.exact),
                           ("after", m.range.split()[1]),
                           ("before", m.range.split()[-1]),
                           ("sensors", sorted(set(q.sensors)
                                              or self.sensors))):
            expect(said[name] == want, "%s is\n  %s\nand not\n  %s"
                   % (name, said[name], want), *shown)
        for name, r in said["requests"].items():
            expect(r["texts"] == [m.sent(PADDING)], "%s is sent\n  %s\nand "
                   "not\n  %s" % (name, r["texts"], m.sent(PADDING)), *shown)
        self.count["accepted"] += 1
        return m

    # What it selects ---------------------------------------------------------

    def selected(self, m, sensor):
        text = m.sent(PADDING)
        found = m.found(sensor.packets, PADDING)
        sensor.same(text, found)
        sensor.same(text + NOTHING, [])
        sensor.same(text + SOMETHING, [
            p for p in sensor.packets if SOME_PORT in p.ports or p in found])
        sensor.same(m.expression, m.found(sensor.packets))
        sensor.same(m.expression + NOTHING, [])
        self.count["some packets" if found else "no packets"] += 1

    def question(self, i):
        rng = random.Random("%d/%d" % (self.a.seed, i))
        maker = forms.Maker(rng, self.first, self.span,
                            time.time_ns() // 1000)
        writer = forms.Writer(rng)
        form = rng.choice(("raw", "uri", "form", "json"))
        q = maker.question(flat=form == "uri")
        sensor = self.sensors[rng.choice(sorted(q.sensors or self.sensors))]
        m = self.explained(q, getattr(writer, "form_" + form)(q))

        if m is not None:
            self.count[form] += 1
            self.selected(m, sensor)
            self.same_id(m, rng, writer)

        text = forms.mutated(writer.raw(q.root), rng)
        try:
            other = Question(forms.Reader(text, forms.times_of(q.root)).tree())
        except Refused as e:
            other = e
        m = self.explained(other, ("POST", "/explain",
                                   {"Content-Type": "text/plain"}, text))
        if m is not None:
            self.selected(m, sensor)

    def same_id(self, m, rng, writer):
        """The operands in another order, and the canonical text itself."""
        q = m.q
        again = Question(forms.shuffled(q.root, rng), q.sensors[::-1],
                         q.limit_packets, q.limit_bytes, q.filter)
        form = rng.choice(("raw", "form", "json"))
        self.explained(again, getattr(writer, "form_" + form)(again))
        args = writer.arguments(writer.options(q))
        status, said = self.ask("POST", "/explain?" + args,
                                {"Content-Type": "text/plain"}, m.expression)
        expect(status == 200 and (said["id"], said["query"], said["exact"])
               == (m.id, m.text, m.exact),
               "the canonical text is read as another one: %s" % m.text, said)

    # Jobs --------------------------------------------------------------------

    def jobs(self, numbers):
        """Asks the questions of these numbers, and then looks at each."""
        asked = []
        for i in numbers:
            rng = random.Random("%d/job %d" % (self.a.seed, i))
            maker = forms.Maker(rng, self.first, self.span,
                                time.time_ns() // 1000)
            writer = forms.Writer(rng)
            form, where = rng.choice((("raw", "raw"), ("uri", "uri"),
                                      ("form", ""), ("json", "")))
            q = maker.question(flat=form == "uri")
            request = getattr(writer, "form_" + form)(q, where)
            began = time.time_ns() // 1000
            status, said = self.ask(*request)
            ended = time.time_ns() // 1000
            try:
                meanings = [q.meaning(now) for now in (began, ended)]
            except Refused as e:
                expect(status == 400, "job %d taken, although: %s" % (i, e),
                       request, said)
                continue
            m = next((m for m in meanings if m.id == said.get("id")), None)
            expect(status in (200, 202) and m is not None, "job %d: %d %s"
                   % (i, status, said), request)
            asked.append((i, m, request))
        for i, m, request in asked:
            self.job(i, m, request)

    def job(self, i, m, request):
        shown = "job %d: %s" % (i, m.text), "asked: %r" % (request,)
        end = time.monotonic() + 120
        state = ""
        while state not in ("Completed", "Failed", "Cancelled"):
            expect(time.monotonic() < end, "does not end", *shown)
            status, said = self.ask("GET", "/status/%s?wait=30s" % m.id, {},
                                    None)
            expect(status == 200, "status %d" % status, *shown)
            state = said[m.id]["state"]
        said = said[m.id]
        expect(state == "Completed" and not said["partial"], said, *shown)
        status, body = self.docket.request(
            "GET", "%s/%s/merged.pcap" % (self.a.results, m.id), {}, None)
        expect(status == 200, "capture: %d" % status, *shown)
        got = list(packets.records(body))
        want = [p.key() for p in m.result([p for p in self.packets
                                           if m.holds(p)])]
        expect(got == want, "the capture has %d packets, the reference %d; "
               "the first difference is at %s" % (
                   len(got), len(want),
                   next((n for n, pair in enumerate(zip(got, want))
                         if pair[0] != pair[1]), "the end")), said, *shown)
        self.count["jobs"] += 1
        self.count["jobs with packets"] += bool(got)


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("--api", required=True)
    ap.add_argument("--results", default="/results")
    ap.add_argument("--certs", required=True)
    ap.add_argument("--runs", type=int, default=300)
    ap.add_argument("--ask", type=int, default=30)
    ap.add_argument("--seed", type=int, default=time.time_ns() // 1000)
    ap.add_argument("--only", type=int)
    ap.add_argument("sensors", nargs="+")
    a = ap.parse_args()

    oracle = Oracle(a)
    failures = 0

    def run(what, do, *args):
        nonlocal failures
        try:
            do(*args)
        except Exception as e:
            failures += 1
            if not isinstance(e, Mismatch):
                e = traceback.format_exc()
            print("FAILED: seed %d, %s\n%s\n" % (a.seed, what, e))

    for i in range(a.runs) if a.only is None else (a.only,):
        run("question %d" % i, oracle.question, i)
        if failures == 10:
            break
    for i in range(0, a.ask, 20):
        run("jobs from %d" % i, oracle.jobs, range(i, min(i + 20, a.ask)))

    print("seed %d: %s" % (a.seed, ", ".join(
        "%d %s" % (n, what) for what, n in sorted(oracle.count.items()))))
    print("%d failures" % failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
