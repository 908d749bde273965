// All jobs, newest first; the filters stand in the address.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import * as api from '../lib/api.js';
import { count } from '../lib/format.js';
import { usePoll, useSettled, useTitle } from '../lib/hooks.js';
import { search } from '../lib/jobs.js';
import { go } from '../lib/route.js';
import { Failure } from '../parts/small.jsx';
import { Filters } from './jobs/Filters.jsx';
import { Table } from './jobs/Table.jsx';

const PERIOD = 3000;

export function Jobs({ route }) {
    const filters = useMemo(() => ({
        text: route.args.get('text') ?? '', state: route.args.get('state') ?? '',
        after: route.args.get('after') ?? '', before: route.args.get('before') ?? '',
    }), [String(route.args)]);
    const settled = useSettled(filters, 250);
    // the arguments of each page before this one, and of this one
    const [pages, setPages] = useState(['']);
    const page = pages[pages.length - 1];
    const server = useServer();
    const first = pages.length === 1;

    useTitle('Jobs');
    useEffect(() => setPages(['']), [settled]);

    const { data: found, error, loading, again } = usePoll(
        (signal) => search(settled, page, signal),
        // a look through thousands of jobs is not for every moment
        (found) => (first && (found?.parts ?? 1) === 1 ? PERIOD : 10 * PERIOD),
        [settled, page],
    );

    // what was found for other filters is no answer to these
    const looking = loading || settled !== filters;
    const data = looking && !found?.entries.length ? null : found;

    const filtered = Object.values(filters).some(Boolean);

    function filter(change) {
        const args = new URLSearchParams();
        for (const [k, v] of Object.entries({ ...filters, ...change })) if (v) args.set(k, v);
        const text = args.toString();
        go(`jobs${text ? `?${text}` : ''}`, { replace: true });
    }

    return (
        <div class="jobs">
            <div class="head">
                <h1>Jobs</h1>
                <span class="row">
                    {server && <span class="muted">{count(server.jobs)} in all
                        · {count(server.running)} running · {count(server.queue)} queued</span>}
                    {data && first && data.parts === 1 && <Live error={error} />}
                </span>
            </div>
            <Filters filters={filters} onChange={filter} />
            <Failure error={error} />
            {data && (
                <div class={looking ? 'stale' : ''}>
                    <Table entries={data.entries} expires={server?.expire_time ?? null} onChanged={again}
                        empty={<Empty filtered={filtered} clear={() => go('jobs', { replace: true })} />} />
                </div>
            )}
            {!data && looking && <p class="muted">Looking …</p>}
            {data && (!first || data.next) && (
                <nav class="pager" aria-label="Pages">
                    <button type="button" class="secondary" disabled={first}
                        onClick={() => setPages(pages.slice(0, -1))}>Newer</button>
                    <span class="muted">page {pages.length}</span>
                    <button type="button" class="secondary" disabled={!data.next}
                        onClick={() => setPages([...pages, data.next])}>Older</button>
                </nav>
            )}
        </div>
    );
}

const Live = ({ error }) => (
    <span class={`pulse ${error ? 'lost' : 'live'}`}>{error ? 'no connection' : 'live'}</span>
);

function Empty({ filtered, clear }) {
    return (
        <div class="card empty">
            {filtered
                ? <p>No job is like this. <button type="button" class="secondary small" onClick={clear}>Show all</button></p>
                : <p>Nothing was asked yet. <a href="#/ask">Ask for packets</a>: each question becomes a job, which stands here.</p>}
        </div>
    );
}

// How many there are, and how long they are kept: /stats asks the sensors too,
// so it is not asked often.
function useServer() {
    return usePoll((signal) => api.get('stats', { signal }), () => 15000, []).data?.docket ?? null;
}
