// What the server makes of the form.

import * as api from '../../lib/api.js';
import { bytes, duration, percent, plural, sentence } from '../../lib/format.js';
import * as question from '../../lib/question.js';
import * as time from '../../lib/time.js';
import { isPlaced } from './places.js';
import { Badge, Canonical, Copy, Failure, Meter, Notice, Time } from '../../parts/small.jsx';

export function Preview({ form, zone, explained, placed }) {
    const { data, error, empty, busy } = explained;

    return (
        <section class={`card preview ${busy ? 'stale' : ''}`} aria-label="What will be asked" aria-live="polite">
            <div class="head"><h2>What will be asked</h2></div>
            {empty && <p class="muted">Paste an event, or give an address or a port: what the sensors will be asked stands here.</p>}
            {error && <Mistake error={error} placed={placed} />}
            {data && <Explained data={data} form={form} zone={zone} />}
        </section>
    );
}

function Mistake({ error, placed }) {
    // the message stands beside the field
    if (isPlaced(placed)) {
        return <p class="muted">Something in the question is wrong: see what is marked red.</p>;
    }
    return error.status === 400 ? <Notice tone="warn">{sentence(error.message)}</Notice> : <Failure error={error} />;
}

function Explained({ data, form, zone }) {
    const [from, to] = [Date.parse(data.after), Date.parse(data.before)];
    const slices = Object.values(data.requests).map((r) => r.slices);
    const path = question.toPath(form, zone, Date.now());

    return (
        <>
            <Canonical text={data.query} />
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
            <p class="row copies">
                <Copy text={data.query}>Copy text</Copy>
                <Copy text={new URL(`#/ask/${path}`, document.baseURI).href}>Copy link</Copy>
                <Copy text={`curl -sJ '${api.url(`pcap/${path}`).replace(/'/g, '%27')}' | tcpdump -nr -`}>Copy as curl</Copy>
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
                {data.too_heavy && <span class="mistake">too heavy: ask for less, or tick “Ask even if it is too heavy”</span>}
            </dd>
        </>
    );
}
