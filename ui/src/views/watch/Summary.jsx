// What is in the capture: over time, by protocol, who with whom.

import { useEffect, useState } from 'preact/hooks';

import * as api from '../../lib/api.js';
import { bytes, count, percent, plural } from '../../lib/format.js';
import { narrowed, toPath } from '../../lib/question.js';
import { go } from '../../lib/route.js';
import { Chart } from '../../parts/Chart.jsx';
import { Failure, Meter, Time } from '../../parts/small.jsx';

const ask = (job, more) => `ask/${toPath(narrowed(job, more), 'utc', 0)}`;

export function Summary({ job }) {
    const [data, setData] = useState(null);
    const [error, setError] = useState(null);

    useEffect(() => {
        const control = new AbortController();
        api.get(`summary/${job.id}`, { signal: control.signal }).then(setData)
            .catch((e) => { if (e.name !== 'AbortError') setError(e); });
        return () => control.abort();
    }, [job.id]);

    if (error) return error.status === 404 ? null : <Failure error={error} what="No summary:" />;
    if (!data || data.packets === 0) return null;

    return (
        <section class="card summary" aria-label="Summary of the capture">
            <div class="head">
                <h2>{plural(data.packets, 'packet')}, {bytes(data.bytes)}</h2>
                {data.wire_bytes > data.bytes && <span class="muted">{bytes(data.wire_bytes)} on the wire</span>}
            </div>
            {data.buckets?.packets.length === 1 && (
                <p class="hint">All within {plural(data.buckets.seconds, 'second')}, from <Time at={data.buckets.start} named />.</p>
            )}
            {data.buckets?.packets.length > 1 && (
                <>
                    <Chart start={Date.parse(data.buckets.start)} seconds={data.buckets.seconds}
                        values={data.buckets.packets} label={`Packets over time, highest ${count(Math.max(...data.buckets.packets))} in ${data.buckets.seconds} s`}
                        onRange={(after, before) => go(ask(job, { after: Math.floor(after / 1000) * 1000, before: Math.ceil(before / 1000) * 1000 }))} />
                    <p class="hint">Packets per {data.buckets.seconds} s. Drag over a part to ask for it alone.</p>
                </>
            )}
            <div class="tallies">
                <Tally title="Conversations" all={data.packets} rows={data.conversations.slice(0, 12).map((c) => ({
                    ...c, name: `${c.a} ↔ ${c.b}`, link: ask(job, { hosts: [c.a, c.b] }),
                }))} />
                <div class="side">
                    <Tally title="Protocols" all={data.packets} rows={byPackets(data.protocols).map((p) => ({
                        ...p, link: protocolLink(job, p.name),
                    }))} />
                    <Tally title="Ports" all={data.packets} rows={data.ports.slice(0, 10).map((p) => ({
                        ...p, name: `${p.proto} ${p.port}`, link: ask(job, { port: p.port }),
                    }))} />
                    <Tally title="Sensors" all={data.packets} rows={byPackets(data.sensors)} />
                </div>
            </div>
            {data.estimated && (
                <p class="hint">Many addresses or ports: counts marked ≤ may be too high, never too low.</p>
            )}
        </section>
    );
}

const byPackets = (o) => Object.entries(o).map(([name, n]) => ({ ...n, name })).sort((a, b) => b.packets - a.packets);

function protocolLink(job, name) {
    if (/^(tcp|udp|icmp)$/.test(name)) return ask(job, { proto: name });
    const m = /^ip-(\d+)$/.exec(name);
    return m ? ask(job, { proto: m[1] }) : null;
}

// Rows of {name, link, packets, bytes, error}; a link narrows the question.
function Tally({ title, rows, all }) {
    if (!rows.length) return null;

    return (
        <div class="tally">
            <h3>{title}</h3>
            <table>
                <thead class="sr"><tr><th>{title}</th><th>Share</th><th>Packets</th><th>Bytes</th></tr></thead>
                <tbody>
                    {rows.map(({ name, link, packets, bytes: size, error }) => (
                        <tr key={name}>
                            <th scope="row">{link ? <a href={`#/${link}`} title="Ask for this alone">{name}</a> : name}</th>
                            <td class="share"><Meter value={percent(packets, all)} label={`${name}, share of packets`} /></td>
                            <td class="num">{error > 0 && '≤ '}{count(packets)}</td>
                            <td class="num muted">{bytes(size)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}
