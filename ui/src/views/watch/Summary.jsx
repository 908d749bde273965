// What is in the capture: over time, by protocol, who with whom.

import { useEffect, useState } from 'preact/hooks';

import * as api from '../../lib/api.js';
import { bytes, count, percent } from '../../lib/format.js';
import { narrowed, toPath } from '../../lib/question.js';
import { go } from '../../lib/route.js';
import { Chart } from '../../parts/Chart.jsx';
import { Failure, Meter } from '../../parts/small.jsx';

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
                <h2>{count(data.packets)} packets, {bytes(data.bytes)}</h2>
                {data.wire_bytes > data.bytes && <span class="muted">{bytes(data.wire_bytes)} on the wire</span>}
            </div>
            {data.buckets && (
                <>
                    <Chart start={Date.parse(data.buckets.start)} seconds={data.buckets.seconds}
                        values={data.buckets.packets} label={`Packets over time, highest ${count(Math.max(...data.buckets.packets))} in ${data.buckets.seconds} s`}
                        onRange={(after, before) => go(ask(job, { after: Math.floor(after / 1000) * 1000, before: Math.ceil(before / 1000) * 1000 }))} />
                    <p class="hint">Packets per {data.buckets.seconds} s. Draw over a part to ask for it alone.</p>
                </>
            )}
            <div class="tallies">
                <Conversations job={job} data={data} />
                <div class="side">
                    <Tally title="Protocols" rows={Object.entries(data.protocols)} all={data.packets}
                        link={(name) => protocolLink(job, name)} />
                    <Tally title="Sensors" rows={Object.entries(data.sensors)} all={data.packets} />
                    <Ports job={job} data={data} />
                </div>
            </div>
            {data.estimated && (
                <p class="hint">Many addresses or ports: counts marked ≤ may be too high, never too low.</p>
            )}
        </section>
    );
}

function protocolLink(job, name) {
    if (/^(tcp|udp|icmp)$/.test(name)) return ask(job, { proto: name });
    const m = /^ip-(\d+)$/.exec(name);
    return m ? ask(job, { proto: m[1] }) : null;
}

function Tally({ title, rows, all, link }) {
    const sorted = [...rows].sort((a, b) => b[1].packets - a[1].packets);

    return (
        <div class="tally">
            <h3>{title}</h3>
            <table>
                <thead class="sr"><tr><th>{title}</th><th>Share</th><th>Packets</th><th>Bytes</th></tr></thead>
                <tbody>
                    {sorted.map(([name, n]) => (
                        <tr key={name}>
                            <th scope="row">{link?.(name) ? <a href={`#/${link(name)}`}>{name}</a> : name}</th>
                            <td class="share"><Meter value={percent(n.packets, all)} label={`${name}, share of packets`} /></td>
                            <td class="num">{count(n.packets)}</td>
                            <td class="num muted">{bytes(n.bytes)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}

function Conversations({ job, data }) {
    return (
        <div class="tally">
            <h3>Conversations</h3>
            <table>
                <thead class="sr"><tr><th>Between</th><th>Share</th><th>Packets</th><th>Bytes</th></tr></thead>
                <tbody>
                    {data.conversations.slice(0, 12).map((c) => (
                        <tr key={`${c.a} ${c.b}`}>
                            <th scope="row">
                                <a href={`#/${ask(job, { hosts: [c.a, c.b] })}`} title="Ask for these two alone">
                                    {c.a} <span aria-label="and">↔</span> {c.b}
                                </a>
                            </th>
                            <td class="share"><Meter value={percent(c.packets, data.packets)} label={`${c.a} and ${c.b}, share of packets`} /></td>
                            <td class="num">{c.error > 0 && '≤ '}{count(c.packets)}</td>
                            <td class="num muted">{bytes(c.bytes)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}

function Ports({ job, data }) {
    return (
        <div class="tally">
            <h3>Ports</h3>
            <table>
                <thead class="sr"><tr><th>Port</th><th>Share</th><th>Packets</th><th>Bytes</th></tr></thead>
                <tbody>
                    {data.ports.slice(0, 10).map((p) => (
                        <tr key={`${p.proto} ${p.port}`}>
                            <th scope="row"><a href={`#/${ask(job, { port: p.port })}`}>{p.proto} {p.port}</a></th>
                            <td class="share"><Meter value={percent(p.packets, data.packets)} label={`${p.proto} ${p.port}, share of packets`} /></td>
                            <td class="num">{p.error > 0 && '≤ '}{count(p.packets)}</td>
                            <td class="num muted">{bytes(p.bytes)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}
