// Lists of jobs, and what is known of each one of them.

import * as api from './api.js';
import { isFinal } from './events.js';
import * as time from './time.js';

export const PAGE = 50;
// The server reads so many jobs for one answer at most, so one that looks for
// something rare comes in parts.
const PARTS = 40;

/*
 * A page: {entries, next, parts}.  "page" are the arguments of the page that the
 * one before it named ('': the first); "parts": so many answers it took.
 */
export async function search(filters, page, signal) {
    const found = [];
    let args = page || first(filters);

    for (let parts = 1; parts <= PARTS; parts++) {
        const { entries, next } = await part(filters, args, signal);
        found.push(...entries);
        if (!next || found.length >= PAGE) return { entries: found, next, parts };
        args = next;
    }

    return { entries: found, next: args, parts: PARTS };
}

function first({ text, state }) {
    // nginx takes a "+" as it is
    return [`limit=${PAGE}`, text && `text=${encodeURIComponent(text)}`, state && `state=${state}`]
        .filter(Boolean).join('&');
}

function part(filters, args, signal) {
    const times = {};

    for (const name of ['after', 'before']) {
        const t = time.parse(filters[name] ?? '', 'utc', Date.now());
        if (t.kind === 'at' || t.kind === 'ago') times[name] = t.text;
    }

    return Object.keys(times).length === 0
        ? api.list(`jobs?${args}`, { signal })
        : api.list(`find?${args}`, { method: 'POST', json: times, signal });
}

// Whole records by id; those of finished jobs are asked for once per run.
const known = new Map();

export async function records(entries, signal) {
    const missing = entries.filter((e) => known.get(e.id)?.requested !== e.time || !isFinal(known.get(e.id)))
        .map((e) => e.id);

    if (missing.length) {
        let all = {};
        try {
            all = await api.get(`status/${missing.join(',')}`, { signal });
        } catch (e) {
            // all of them may have been removed meanwhile
            if (e.status !== 404) throw e;
        }
        if (known.size > 2000) known.clear();
        for (const [id, job] of Object.entries(all)) known.set(id, job);
    }

    return new Map(entries.map((e) => [e.id, known.get(e.id)]));
}
