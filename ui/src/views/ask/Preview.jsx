// What the server makes of the form.

import * as api from '../../lib/api.js';
import { bytes, duration, percent, plural } from '../../lib/format.js';
import * as question from '../../lib/question.js';
import * as time from '../../lib/time.js';
import { Badge, Copy, Meter, Notice, Time } from '../../parts/small.jsx';

export function Preview({ form, zone, explained, placed }) {
    const { data, error, empty, busy } = explained;

    return (
        <section class={`card preview ${busy ? 'stale' : ''}`} aria-label="What will be asked" aria-live="polite">
            <div class="head"><h2>What will be asked</h2></div>
            {empty && <p class="muted">Give an address, a port, or paste an event above.</p>}
            {error && <Mistake error={error} placed={placed} />}
            {data && <Explained data={data} form={form} zone={zone} />}
        </section>
    );
}

function Mistake({ error, placed }) {
    if (Object.keys(placed).some((k) => k !== '')) {
        return <p class="mistake">{error.message}</p>;
    }
    return <Notice tone={error.status === 400 ? 'warn' : 'bad'}>{error.message}</Notice>;
}

function Explained({ data, form, zone }) {
    const [from, to] = [Date.parse(data.after), Date.parse(data.before)];
    const slices = Object.values(data.requests).map((r) => r.slices);
    const path = question.toPath(form, zone, Date.now());

    return (
        <>
            <p class="canonical"><code>{data.query}</code></p>
            <dl class="facts">
                <dt>Range</dt>
                <dd>
                    <span class="zone-line">{time.formatRange(from, to, 'utc')} <b>UTC</b></span>
                    <span class="zone-line">{time.formatRange(from, to, 'local')} <b>{time.zoneName()}</b></span>
                    <span class="zone-line muted">{duration(to - from)}</span>
                </dd>
                <dt>Sensors</dt>
                <dd>{data.sensors.join(', ') || '–'}
                    {slices.length > 0 && <span class="muted"> in {plural(Math.max(...slices), 'slice')} each</span>}
                </dd>
                {data.threshold !== null && <Weight data={data} />}
                <dt>Answer</dt>
                <dd>{data.known ? <><Badge state={data.known} /> known already</> : 'will be fetched'}</dd>
                {data.id_valid_until && (
                    <>
                        <dt>The same until</dt>
                        <dd><Time at={data.id_valid_until} /></dd>
                    </>
                )}
            </dl>
            {!data.exact && (
                <Notice tone="warn" title="Not exact:">
                    a time below an “or” selects whole files of a sensor, so the answer holds packets outside of it.
                </Notice>
            )}
            <p class="row">
                <Copy text={data.query}>Copy text</Copy>
                <Copy text={new URL(`#/ask/${path}`, document.baseURI).href}>Copy link</Copy>
                <Copy text={`curl -sJ '${api.url(`pcap/${path}`).replace(/'/g, '%27')}' | tcpdump -nr -`}>Copy curl</Copy>
            </p>
        </>
    );
}

function Weight({ data }) {
    return (
        <>
            <dt>Expected</dt>
            <dd>
                {bytes(data.weight)} of at most {bytes(data.threshold)}
                <Meter label="Expected size against the limit" value={percent(data.weight, data.threshold)}
                    tone={data.weight > data.threshold ? 'bad' : 'good'} />
                {data.too_heavy && <span class="mistake">too heavy: ask for less, or tick “However heavy it is”</span>}
            </dd>
        </>
    );
}
