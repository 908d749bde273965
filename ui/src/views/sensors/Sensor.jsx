import { count, relative } from '../../lib/format.js';
import { Badge, Notice, Time, Words } from '../../parts/small.jsx';

// what is shown above, and is no counter of Stenographer's
const OWN = new Set([
    'name', 'host', 'port', 'max_queries', 'health', 'checked', 'changed', 'active', 'waiting', 'error',
    'oldest_timestamp', 'certificate', 'fresh',
]);

const SINCE = { up: 'Up since', busy: 'Busy since', down: 'Down since' };

export function Sensor({ sensor: s, now }) {
    const counters = Object.entries(s).filter(([k]) => !OWN.has(k));
    const days = s.certificate?.days_left;

    return (
        <li class="card sensor">
            <div class="head">
                <h2>{s.name}</h2>
                <Badge state={s.health ?? 'unknown'} />
            </div>
            {s.error && <Notice tone={s.health === 'down' ? 'bad' : 'warn'}><Words text={s.error} /></Notice>}
            <dl class="facts">
                {s.host && (<><dt>Address</dt><dd class="mono">{s.host.includes(':') ? `[${s.host}]` : s.host}:{s.port}</dd></>)}
                <dt>Questions</dt>
                <dd>{count(s.active)} of {count(s.max_queries)} at a time, {count(s.waiting)} waiting</dd>
                <dt>Oldest packet</dt><dd><Time at={s.oldest_timestamp} named /></dd>
                <dt>Certificate</dt>
                <dd>{days === null || days === undefined ? '–'
                    : <Badge tone={days < 7 ? 'bad' : days < 30 ? 'warn' : 'good'} words={days < 0 ? 'expired' : `${count(days)} days left`} />}</dd>
                <dt>Last looked at</dt>
                <dd>{s.checked ? relative(Math.min(0, Date.parse(s.checked) - now)) : 'never'}</dd>
                {s.changed && (<><dt>{SINCE[s.health] ?? 'Since'}</dt><dd><Time at={s.changed} named /></dd></>)}
            </dl>
            {counters.length > 0 && (
                <details>
                    <summary>Counters</summary>
                    <dl class="facts counters">
                        {counters.map(([k, v]) => (<><dt key={`t${k}`}>{k}</dt><dd key={`d${k}`}>{typeof v === 'number' ? count(v) : String(v)}</dd></>))}
                    </dl>
                </details>
            )}
        </li>
    );
}
