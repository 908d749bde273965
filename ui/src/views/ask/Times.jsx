// From when to when: counted back from now, around a moment, or as moments in
// either zone.

import { useRef, useState } from 'preact/hooks';

import { duration } from '../../lib/format.js';
import { useNow } from '../../lib/hooks.js';
import * as time from '../../lib/time.js';

const LAST = ['5m', '15m', '1h', '4h', '24h', '7d'];
const MARGINS = [['1m', '1 min'], ['5m', '5 min'], ['15m', '15 min'], ['1h', '1 h']];

export function Times({ form, set, errors, zone }) {
    const now = useNow(5000);
    const parsed = time.parseRange(form, zone, now);

    return (
        <fieldset class="times">
            <legend>Time</legend>
            <div class="grid">
                <div class="field">
                    <span class="label" id="last-label">The last</span>
                    <div class="segments even" role="group" aria-labelledby="last-label">
                        {LAST.map((d) => (
                            <button key={d} type="button" aria-pressed={form.after === d && form.before === ''}
                                onClick={() => set({ after: d, before: '' })}>{d}</button>
                        ))}
                    </div>
                </div>
                <Around form={form} set={set} zone={zone} now={now} />
                <Moment name="after" label="After" form={form} set={set} error={errors.after} zone={zone} now={now}
                    parsed={parsed.after} none="a day ago, if the server says nothing else" />
                <Moment name="before" label="Before" form={form} set={set} error={errors.before} zone={zone} now={now}
                    parsed={parsed.before} none="now" />
            </div>
        </fieldset>
    );
}

// What is known of most events: about when.  It fills in the two others.
function Around({ form, set, zone, now }) {
    const [typed, setTyped] = useState({ text: '', margin: '5m' });
    const own = typed.after === form.after && typed.before === form.before;
    const { text, margin } = own ? typed : { ...typed, text: '' };
    const parsed = time.parse(text, zone, now);
    const mistake = text !== '' && parsed.kind === 'error' ? parsed.message : null;

    function change(to) {
        const next = { text, margin, after: form.after, before: form.before, ...to };
        const ms = time.momentOf(time.parse(next.text, zone, now), now);
        if (ms !== null) {
            const m = time.parseDuration(next.margin);
            next.after = time.format(ms - m, zone);
            next.before = time.format(ms + m, zone);
            set({ after: next.after, before: next.before });
        }
        setTyped(next);
    }

    return (
        <div class="field">
            <label for="around">Around</label>
            <div class="joined">
                <input id="around" type="text" value={text} placeholder="14:03" autocomplete="off" spellcheck={false}
                    aria-invalid={mistake ? 'true' : undefined} aria-describedby={mistake ? 'around-hint' : undefined}
                    onInput={(e) => change({ text: e.currentTarget.value })} />
                <select aria-label="Before and after it" value={margin} onChange={(e) => change({ margin: e.currentTarget.value })}>
                    {MARGINS.map(([value, words]) => <option key={value} value={value}>± {words}</option>)}
                </select>
            </div>
            {mistake && <p id="around-hint" class="mistake">{mistake}</p>}
        </div>
    );
}

function Moment({ name, label, form, set, error, zone, now, parsed, none }) {
    const picker = useRef();
    const value = form[name];
    const ms = time.momentOf(parsed, now);
    const mistake = parsed.kind === 'error' ? parsed.message : error?.message;

    function pick() {
        try {
            picker.current.showPicker();
        } catch {
            picker.current.focus();
        }
    }

    return (
        <div class="field">
            <label for={name}>{label}</label>
            <div class="joined">
                <input id={name} type="text" value={value} placeholder={name === 'after' ? '15m' : 'now'}
                    autocomplete="off" spellcheck={false} aria-invalid={mistake ? 'true' : undefined}
                    aria-describedby={`${name}-hint`} onInput={(e) => set({ [name]: e.currentTarget.value })} />
                <button type="button" onClick={pick} aria-label={`Choose "${label.toLowerCase()}" from a calendar`}>
                    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
                        <path d="M2 3.5h12v10H2zM2 6.5h12M5 2v3M11 2v3" fill="none" stroke="currentColor" stroke-width="1.3" />
                    </svg>
                </button>
                <input ref={picker} class="picker" type="datetime-local" step="1" tabIndex={-1} aria-hidden="true"
                    value={ms === null ? '' : time.toPicker(ms, zone)}
                    onChange={(e) => { if (e.currentTarget.value) set({ [name]: time.fromPicker(e.currentTarget.value) }); }} />
            </div>
            <p id={`${name}-hint`} class={mistake ? 'mistake' : 'hint'}>
                {mistake ?? (ms === null ? none : <Meant ms={ms} now={now} zone={zone} typed={value.trim()} />)}
            </p>
        </div>
    );
}

// The moment in both zones; what was typed in full is not said again.
function Meant({ ms, now, zone, typed }) {
    const zones = [['utc', 'UTC'], ['local', time.zoneName()]]
        .filter(([z]) => z !== zone || time.format(ms, z) !== typed);

    return (
        <>
            {zones.map(([z, name]) => <span key={z} class="zone-line">{time.format(ms, z)} <b>{name}</b></span>)}
            <span class="zone-line">{ms <= now ? `${duration(now - ms)} ago` : 'in the future'}</span>
        </>
    );
}
