// From when to when: counted back from now, or as moments in either zone.

import { useRef } from 'preact/hooks';

import { duration } from '../../lib/format.js';
import { useNow } from '../../lib/hooks.js';
import * as time from '../../lib/time.js';

const LAST = ['5m', '15m', '1h', '4h', '24h', '7d'];

export function Times({ form, set, errors, zone }) {
    const now = useNow(5000);

    return (
        <fieldset class="times">
            <legend>Time</legend>
            <div class="segments" role="group" aria-label="The last">
                <span class="lead">Last</span>
                {LAST.map((d) => (
                    <button key={d} type="button" aria-pressed={form.after === d && form.before === ''}
                        onClick={() => set({ after: d, before: '' })}>{d}</button>
                ))}
            </div>
            <div class="grid">
                <Moment name="after" label="After" form={form} set={set} error={errors.after} zone={zone} now={now}
                    none="a day ago, if the server says nothing else" />
                <Moment name="before" label="Before" form={form} set={set} error={errors.before} zone={zone} now={now}
                    none="now" />
            </div>
        </fieldset>
    );
}

function Moment({ name, label, form, set, error, zone, now, none }) {
    const picker = useRef();
    const value = form[name];
    const parsed = time.parse(value, zone, now);
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
                {mistake ?? (ms === null ? none : <Both ms={ms} now={now} />)}
            </p>
        </div>
    );
}

function Both({ ms, now }) {
    return (
        <>
            <span class="zone-line">{time.format(ms, 'utc')} <b>UTC</b></span>
            <span class="zone-line">{time.format(ms, 'local')} <b>{time.zoneName()}</b></span>
            <span class="zone-line">{ms <= now ? `${duration(now - ms)} ago` : 'in the future'}</span>
        </>
    );
}
