import { count, plural } from '../../lib/format.js';
import { Canonical, Time, Words } from '../../parts/small.jsx';

export function History({ job }) {
    return (
        <details class="card history">
            <summary>
                History <span class="muted">run {job.run}{job.asked > 0 && `, asked ${plural(job.asked, 'time')}`}</span>
            </summary>
            <Canonical text={job.query} />
            <ol class="events">
                {job.events.map((e, i) => (
                    <li key={i}><Time at={e.datetime} /> <b>{e.name}</b> <span><Words text={e.msg} /></span></li>
                ))}
            </ol>
            <h3>Asked by</h3>
            <ul class="events">
                {job.askers.map((a, i) => (
                    <li key={i}>
                        <Time at={a.last} /> <b>{a.user || a.address}</b>{' '}
                        <span>{a.user && a.address} {a.subject} {a.count > 1 && `${count(a.count)} times`}</span>
                    </li>
                ))}
            </ul>
        </details>
    );
}
