// The first packets as a table, read from the capture by ranges.

import { useEffect, useRef, useState } from 'preact/hooks';

import * as api from '../../lib/api.js';
import { dissect } from '../../lib/dissect.js';
import { bytes, count } from '../../lib/format.js';
import { read } from '../../lib/pcap.js';
import { usePrefs } from '../../lib/prefs.js';
import * as time from '../../lib/time.js';
import { Failure } from '../../parts/small.jsx';
import { Hex } from './Hex.jsx';

const STEP = 200;               // packets more at each click
const PIECE = 128 * 1024;       // bytes of one range
const MOST = 2000;

export function Packets({ job, url }) {
    const { rows, error, more, loading, load } = usePackets(url, job.capture.bytes);
    const { zone } = usePrefs();
    const [open, setOpen] = useState(null);
    const total = job.capture.packets;

    return (
        <section class="card packets" aria-label="Packets">
            <div class="head">
                <h2>Packets</h2>
                <span class="muted">{rows.length < total
                    ? `the first ${count(rows.length)} of ${count(total)}` : `all ${count(total)}`}</span>
            </div>
            <Failure error={error} what="The capture cannot be shown:" />
            <div class="scroll" tabIndex={0} role="region" aria-label="Table of packets">
                <table>
                    <thead>
                        <tr><th class="num">№</th><th>Time <small>{zone === 'utc' ? 'UTC' : time.zoneName()}</small></th>
                            <th>Source</th><th>Destination</th><th>Protocol</th><th class="num">Length</th><th>Info</th></tr>
                    </thead>
                    <tbody>
                        {rows.map((p, i) => (
                            <Row key={i} n={i} p={p} zone={zone} open={open === i}
                                toggle={() => setOpen(open === i ? null : i)} />
                        ))}
                    </tbody>
                </table>
            </div>
            {more && rows.length < MOST && (
                <p><button type="button" class="secondary" disabled={loading} onClick={load}>Show {STEP} more</button></p>
            )}
        </section>
    );
}

function Row({ n, p, zone, open, toggle }) {
    const end = (address, port) => (port === null ? address : `${address}${address.includes(':') ? ' ' : ':'}${port}`);

    return (
        <>
            <tr class={open ? 'open' : ''} onClick={(e) => { if (!getSelection().toString() && !e.target.closest('button')) toggle(); }}>
                <td class="num"><button type="button" class="plain" aria-expanded={open} onClick={toggle}
                    aria-label={`Bytes of packet ${n + 1}`}>{n + 1}</button></td>
                <td class="mono">{time.formatPacket(p.sec, p.frac, p.digits, zone)}</td>
                <td class="mono">{end(p.src, p.sport)}</td>
                <td class="mono">{end(p.dst, p.dport)}</td>
                <td>{p.proto}</td>
                <td class="num">{p.len}</td>
                <td class="info">{p.info}</td>
            </tr>
            {open && (
                <tr class="detail"><td colSpan={7}><div>
                    <p class="muted">
                        {time.format(p.sec * 1000, 'utc')} UTC · {time.format(p.sec * 1000, 'local')} {time.zoneName()}
                        {p.data.length < p.len && ` · ${bytes(p.data.length)} of ${bytes(p.len)} captured`}
                    </p>
                    <dl class="layers">
                        {p.layers.map(([name, words], i) => (<><dt key={`t${i}`}>{name}</dt><dd key={`d${i}`}>{words}</dd></>))}
                    </dl>
                    <Hex data={p.data} />
                </div></td></tr>
            )}
        </>
    );
}

/*
 * Reads one piece after the other, until STEP more packets are there.  What is
 * left of a piece stands before the next one.
 */
function usePackets(url, size) {
    const [state, set] = useState({ rows: [], error: null, more: true, loading: true });
    const reader = useRef(null);
    const control = useRef(null);

    async function load() {
        const { signal } = control.current;
        const r = reader.current;
        const want = r.shown + STEP;

        set((s) => ({ ...s, loading: true }));

        try {
            while (r.rows.length < want && !r.end) {
                const piece = await api.range(url, r.at, r.at + r.step, { signal, etag: r.etag });
                if (r.at > 0 && piece.whole) throw new Error('there is a newer capture; reload the page');
                r.etag = piece.etag;
                r.at += piece.bytes.length;
                r.end = r.at >= piece.total || piece.bytes.length === 0;
                take(r, piece.bytes);
            }
        } catch (e) {
            if (e.name === 'AbortError') return;
            set({ rows: r.rows.slice(0, want), error: e, more: false, loading: false });
            return;
        }

        if (signal.aborted) return;
        r.shown = Math.min(want, r.rows.length);
        set({
            rows: r.rows.slice(0, r.shown), error: r.bad ? new Error(r.bad) : null,
            more: r.shown < r.rows.length || !r.end, loading: false,
        });
    }

    useEffect(() => {
        control.current = new AbortController();
        reader.current = { rows: [], shown: 0, at: 0, step: PIECE, rest: new Uint8Array(0), head: null, etag: null, end: false, bad: '' };
        load();
        return () => control.current.abort();
    }, [url, size]);

    return { ...state, load };
}

function take(r, piece) {
    const bytes = new Uint8Array(r.rest.length + piece.length);
    bytes.set(r.rest);
    bytes.set(piece, r.rest.length);

    // every piece is read behind the capture's own header
    let joined = bytes;
    if (r.head) {
        joined = new Uint8Array(24 + bytes.length);
        joined.set(r.head);
        joined.set(bytes, 24);
    } else if (bytes.length >= 24) {
        r.head = bytes.slice(0, 24);
    }

    const found = read(joined);
    if (!found) {
        r.rest = bytes;
        return;
    }

    for (const p of found.packets) {
        if (r.rows.length >= MOST) { r.end = true; break; }
        r.rows.push({ ...p, digits: found.digits, ...dissect(p.data, found.link) });
    }
    r.rest = joined.slice(found.used);
    if (found.bad) { r.bad = found.bad; r.end = true; r.rest = new Uint8Array(0); }
    // a record larger than a piece
    if (found.packets.length === 0) r.step = Math.min(r.step * 4, 16 * 1024 * 1024);
}
