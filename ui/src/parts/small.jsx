// Small things that every view uses.

import { useEffect, useRef, useState } from 'preact/hooks';

import { sentence } from '../lib/format.js';
import { usePrefs } from '../lib/prefs.js';
import * as time from '../lib/time.js';

const TONES = {
    Completed: 'good', 'Request Complete': 'good', Empty: 'idle', Partial: 'warn', Failed: 'bad',
    Cancelled: 'idle', Created: 'idle', Waiting: 'idle', Requesting: 'busy', Merging: 'busy',
    up: 'good', busy: 'warn', down: 'bad', unknown: 'idle',
};
const WORDS = {
    Created: 'Queued', 'Request Complete': 'Complete', up: 'Up', busy: 'Busy', down: 'Down', unknown: 'Unknown',
};

export const Badge = ({ state, tone, words }) => (
    <span class={`badge ${tone ?? TONES[state] ?? 'idle'}`}>{words ?? WORDS[state] ?? state}</span>
);

// A moment, in the zone that was chosen; the other one on hover.
export function Time({ at, named = false }) {
    const { zone } = usePrefs();
    const ms = typeof at === 'string' ? Date.parse(at) : at;
    if (!at || Number.isNaN(ms)) return <span>–</span>;
    const other = zone === 'utc' ? 'local' : 'utc';
    return (
        <time dateTime={time.iso(ms)} title={`${time.format(ms, other)} ${zoneOf(other)}`}>
            {time.format(ms, zone)}{named && <> <Zone /></>}
        </time>
    );
}

const zoneOf = (zone) => (zone === 'utc' ? 'UTC' : time.zoneName());

// The name of the zone that was chosen.
export const Zone = () => <small class="zone">{zoneOf(usePrefs().zone)}</small>;

const MOMENT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

// What the server says, with its times as all others.
export const Words = ({ text }) => (text ?? '').split(MOMENT)
    .map((part, i) => (i % 2 ? <Time key={i} at={part} named /> : part));

// A question's text, which breaks between its words and not inside of a time.
export const Canonical = ({ text }) => (
    <p class="canonical"><code>{text.split(MOMENT).map((part, i) => (i % 2 ? <span key={i}>{part}</span> : part))}</code></p>
);

export function Range({ after, before }) {
    const { zone } = usePrefs();
    const [a, b] = [Date.parse(after), Date.parse(before)];
    const other = zone === 'utc' ? 'local' : 'utc';
    return (
        <time title={`${time.formatRange(a, b, other)} ${zoneOf(other)}`}>
            {time.formatRange(a, b, zone)} <Zone />
        </time>
    );
}

export const Notice = ({ tone = 'info', title, children }) => (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
        {title && <strong>{title}</strong>} {children}
    </div>
);

export function Failure({ error, what }) {
    if (!error) return null;
    return (
        <Notice tone="bad" title={what}>
            <Words text={what ? error.message : sentence(error.message)} />
            {error.retryAfter > 0 && ` Try again in ${error.retryAfter} s.`}
            {error.status === 401 && <button type="button" class="secondary small" onClick={() => location.reload()}>Reload</button>}
        </Notice>
    );
}

export function Copy({ text, children = 'Copy', title }) {
    const [done, set] = useState(false);

    async function copy() {
        try {
            await navigator.clipboard.writeText(text);
        } catch {
            // no clipboard without TLS: what is marked can be copied by hand
            fallback(text);
        }
        set(true);
        setTimeout(() => set(false), 1500);
    }

    return (
        <button type="button" class="quiet" onClick={copy} title={title}>
            {done ? 'Copied' : children}<span class="sr" role="status">{done ? 'copied' : ''}</span>
        </button>
    );
}

function fallback(text) {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'sr';
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
}

// A button that asks once more before it does what cannot be undone.
export function Sure({ children, sure = 'Sure?', onSure, ...rest }) {
    const [asked, set] = useState(false);
    const timer = useRef(0);

    useEffect(() => () => clearTimeout(timer.current), []);

    function click() {
        clearTimeout(timer.current);
        if (asked) {
            set(false);
            onSure();
        } else {
            set(true);
            timer.current = setTimeout(() => set(false), 4000);
        }
    }

    return (
        <button type="button" {...rest} class={`${rest.class ?? 'quiet'} ${asked ? 'danger' : ''}`} onClick={click}>
            {asked ? sure : children}
        </button>
    );
}

export function Meter({ value, tone = 'busy', label }) {
    return (
        <div class={`meter ${tone} ${value === null ? 'unknown' : ''}`} role="progressbar" aria-label={label}
            aria-valuemin={0} aria-valuemax={100} aria-valuenow={value === null ? undefined : Math.round(value)}>
            <div style={{ width: `${value ?? 100}%` }} />
        </div>
    );
}
