import { useEffect, useState } from 'preact/hooks';

import * as api from '../../lib/api.js';
import { isFinal } from '../../lib/events.js';
import { bytes, duration, plural } from '../../lib/format.js';
import { useNow } from '../../lib/hooks.js';
import { records } from '../../lib/jobs.js';
import { canonical, fileName } from '../../lib/question.js';
import { Badge, Failure, Range, Sure, Time, Zone } from '../../parts/small.jsx';

export function Table({ entries, expires, onChanged, empty }) {
    const jobs = useRecords(entries);
    const [failure, setFailure] = useState(null);
    const [gone, setGone] = useState(() => new Set());

    async function act(id, request) {
        setFailure(null);
        try {
            await request();
            setGone((g) => new Set(g).add(id));
        } catch (e) {
            setFailure(e);
        }
        onChanged();
    }

    const rows = entries.filter((e) => !gone.has(e.id));

    if (!rows.length) return empty;

    return (
        <>
            <Failure error={failure} />
            <table class="list card">
                <thead>
                    <tr><th>State</th><th>Question</th><th>Asked <Zone /></th><th>By</th><th class="num">Capture</th>
                        <th>Expires</th><th><span class="sr">Actions</span></th></tr>
                </thead>
                <tbody>
                    {rows.map((e) => <Row key={e.id} entry={e} job={jobs.get(e.id)} expires={expires} act={act} />)}
                </tbody>
            </table>
        </>
    );
}

function useRecords(entries) {
    const [jobs, set] = useState(new Map());

    useEffect(() => {
        const control = new AbortController();
        records(entries, control.signal)
            .then((m) => { if (!control.signal.aborted) set(m); })
            .catch(() => {});
        return () => control.abort();
    }, [entries]);

    return jobs;
}

function Row({ entry, job, expires, act }) {
    const q = canonical(entry.query);
    const final = isFinal(entry);
    const capture = job?.capture;

    return (
        <tr>
            <td><Badge state={entry.state} />{final && job && <Flags job={job} />}</td>
            <td class="q">
                <a href={`#/status/${entry.id}`}><span class="terms">{q.terms || entry.query}</span></a>
                {q.after && <small class="muted"><Range after={q.after} before={q.before} />
                    {q.filter && ` · filter ${q.filter}`}{q.sensors && ` · ${q.sensors.join(', ')}`}</small>}
            </td>
            <td data-label="Asked"><Time at={entry.time} /></td>
            <td data-label="By" class="by">{job && <Askers job={job} />}</td>
            <td data-label="Capture" class="num">
                {capture && (
                    <>
                        <a href={new URL(entry.url, api.base()).href} download={fileName({ ...q, id: entry.id })}>{bytes(capture.bytes)}</a>
                        <small class="muted">{plural(capture.packets, 'packet')}</small>
                    </>
                )}
            </td>
            <td data-label="Expires">{final && job && expires !== null && <Expiry job={job} expires={expires} />}</td>
            <td class="act">
                {final
                    ? <Sure aria-label="Delete" title="Delete the job and its capture"
                        onSure={() => act(entry.id, () => api.remove(entry.id))}>Delete</Sure>
                    : <Sure aria-label="Cancel" sure="Sure?" disabled={job?.progress?.cancelling}
                        onSure={() => act(null, () => api.post(`cancel/${entry.id}`))}>Cancel</Sure>}
            </td>
        </tr>
    );
}

function Flags({ job }) {
    return (
        <>
            {job.partial && job.state === 'Completed' && <Badge tone="warn" words="Partial" />}
            {job.truncated && <Badge tone="warn" words="Truncated" />}
            {job.empty && job.state === 'Completed' && <Badge tone="idle" words="Empty" />}
        </>
    );
}

function Askers({ job }) {
    const names = [...new Set(job.askers.map((a) => a.user || a.address))];
    return <span title={names.join(', ')}>{names[0] ?? '–'}{names.length > 1 && ` +${names.length - 1}`}</span>;
}

// After the last one who asked, as cleaning counts.
function Expiry({ job, expires }) {
    const now = useNow(30000);
    const last = Math.max(Date.parse(job.finished ?? job.requested), ...job.askers.map((a) => Date.parse(a.last)));
    const left = last + expires * 1000 - now;
    return <span class="expiry" title={left > 0 ? undefined : 'at the next cleaning'}>{left > 0 ? `in ${duration(Math.ceil(left / 60000) * 60000)}` : 'soon'}</span>;
}
