// How far back each sensor reaches, on one axis of time.

import { duration, percent } from '../../lib/format.js';
import { usePrefs } from '../../lib/prefs.js';
import * as time from '../../lib/time.js';
import { Time, Zone } from '../../parts/small.jsx';

export function Reach({ sensors, now }) {
    const { zone } = usePrefs();
    const oldest = sensors.map((s) => Date.parse(s.oldest_timestamp)).filter((t) => t > 0 && t < now);

    if (!oldest.length) return null;

    const from = Math.min(...oldest);
    const ticks = axis(from, now);

    return (
        <section class="card reach" aria-label="How far back each sensor reaches">
            <div class="head">
                <h2>Packets kept</h2>
                <span class="hint">how far back each sensor reaches, <Zone /></span>
            </div>
            <div class="axis" aria-hidden="true">
                {ticks.map((t) => (
                    <span key={t} style={{ left: `${percent(t - from, now - from)}%` }}>
                        {label(t, now - from, zone)}
                    </span>
                ))}
                <span class="now">now</span>
            </div>
            <ul>
                {sensors.map((s) => {
                    const t = Date.parse(s.oldest_timestamp);
                    const known = t > 0 && t < now;
                    return (
                        <li key={s.name}>
                            <span class="name">{s.name}</span>
                            <div class="track">
                                {ticks.map((k) => <i key={k} style={{ left: `${percent(k - from, now - from)}%` }} />)}
                                {known && <div class={s.health} style={{ left: `${percent(t - from, now - from)}%` }} />}
                            </div>
                            <span class="since muted">{known
                                ? <>{duration(now - t)}<span class="sr"> back, since <Time at={t} /></span></>
                                : 'unknown'}</span>
                        </li>
                    );
                })}
            </ul>
        </section>
    );
}

const STEPS = [1, 5, 15, 60, 180, 360, 720, 1440, 2880, 10080, 20160, 43200, 129600, 525600].map((m) => m * 60000);

function axis(from, to) {
    const step = STEPS.find((s) => (to - from) / s <= 6) ?? STEPS[STEPS.length - 1];
    const out = [];
    // none where "now" stands
    for (let t = Math.ceil(from / step) * step; t < to - (to - from) / 16; t += step) out.push(t);
    return out;
}

const label = (t, span, zone) => (span < 2 * 86400000 ? time.format(t, zone).slice(11, 16) : time.format(t, zone).slice(5, 10));
