// A bar for each sensor.

import { isFinal } from '../../lib/events.js';
import { bytes, count, duration, percent, plural } from '../../lib/format.js';
import { Badge, Meter, Words } from '../../parts/small.jsx';

const HEADER = 24;              // of a capture: all there is in an empty one
const DONE = new Set(['Request Complete', 'Empty', 'Partial', 'Failed', 'Cancelled']);
const TONES = { Failed: 'bad', Partial: 'warn', Cancelled: 'idle', Empty: 'idle', 'Request Complete': 'good' };

export function Progress({ job }) {
    const rows = Object.entries(job.requests);
    const live = !isFinal(job);
    const p = job.progress;

    if (!rows.length) return null;

    return (
        <section class="card" aria-label="Sensors of this job">
            <div class="head">
                <h2>Sensors</h2>
                {live && p && (
                    <span class="muted">
                        {count(p.slices_done)} of {count(p.slices)} slices · {bytes(p.received)} received
                        · {plural(p.packets, 'packet')} merged
                    </span>
                )}
            </div>
            <ul class="bars">
                {rows.map(([name, r]) => <Row key={name} name={name} r={r} />)}
            </ul>
        </section>
    );
}

function Row({ name, r }) {
    const done = DONE.has(r.state);
    // bytes come before the first slice is done: that much is known to move
    const value = r.state === 'Waiting' ? 0 : done && r.state !== 'Failed' ? 100
        : r.slices > 1 || done ? percent(r.slices_done, r.slices) : null;

    return (
        <li class="bar">
            <span class="name">{name}</span>
            <Badge state={r.state} />
            <Meter value={value} tone={TONES[r.state] ?? 'busy'} label={`${name}: ${r.state}`} />
            <span class="num">{bytes(r.state === 'Empty' && r.received <= HEADER * r.slices ? 0 : r.received)}</span>
            <span class="num">{plural(r.packets, 'packet')}</span>
            <span class="num muted">{[
                r.slices > 1 && `${r.slices_done} of ${r.slices} slices`,
                r.attempts > 1 && `attempt ${r.attempts}`,
                r.started && r.finished && duration(Date.parse(r.finished) - Date.parse(r.started)),
            ].filter(Boolean).join(' · ')}</span>
            {r.error && <p class="words mistake"><Words text={r.error} /></p>}
            {r.warning && <p class="words warning"><Words text={r.warning} /></p>}
            {r.disordered > 0 && <p class="words warning">{plural(r.disordered, 'packet')} came out of order</p>}
        </li>
    );
}
