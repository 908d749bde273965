// An event of another tool, pasted: its addresses, ports and time become the
// question.  Paste shows what it means, Enter asks it.

import { useEffect, useState } from 'preact/hooks';

import * as api from '../../lib/api.js';
import { duration, plural } from '../../lib/format.js';
import { useSettled } from '../../lib/hooks.js';
import { EMPTY } from '../../lib/question.js';
import { Failure } from '../../parts/small.jsx';

const MARGINS = [['10s', '10 s'], ['1m', '1 min'], ['5m', '5 min'], ['30m', '30 min']];
const KINDS = { zeek: 'Zeek', eve: 'Suricata EVE', ecs: 'ECS', fields: 'fields', text: 'text' };

export function Paste({ changed, onForm, onSend, onAsked }) {
    const [text, setText] = useState('');
    const [margin, setMargin] = useState('1m');
    const [sending, setSending] = useState(false);
    const [failure, setFailure] = useState(null);
    const { pivot, range, error: said } = useRead(useSettled(text, 100), margin, onForm);

    const error = said?.status === 400 ? said : null;

    async function ask() {
        if (sending || text.trim() === '') return;
        // what was read and then changed below is asked as it stands there
        if (changed && pivot) {
            onSend();
            return;
        }
        setSending(true);
        setFailure(null);
        try {
            onAsked(await api.post(`pivot?margin=${margin}`, undefined, { text }));
        } catch (e) {
            setFailure(e);
        }
        setSending(false);
    }

    function key(e) {
        if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
            e.preventDefault();
            ask();
        }
    }

    return (
        <section class="card paste" aria-label="Paste an event">
            <div class="head">
                <label for="event"><h2>Paste an event</h2></label>
                <span class="hint">of Zeek, Suricata or Elastic, or a line with addresses and ports; then press Enter</span>
            </div>
            <textarea id="event" rows={2} value={text} spellcheck={false} autocomplete="off" autocapitalize="off"
                placeholder={'{"timestamp":"2026-11-24T05:21:07+0000","event_type":"alert","src_ip":"10.1.0.2","src_port":49152, …'}
                onInput={(e) => { setFailure(null); setText(e.currentTarget.value); }} onKeyDown={key}
                aria-describedby="event-read" aria-invalid={error ? 'true' : undefined} />
            <div id="event-read" class="read" aria-live="polite">
                {error && <p class="mistake">{error.message}</p>}
                {pivot && <Used pivot={pivot} range={range} />}
            </div>
            {said !== error && <Failure error={said} what="Not read:" />}
            <Failure error={failure} what="Not asked:" />
            {text.trim() !== '' && (
                <div class="actions">
                    <button type="button" class="primary" disabled={sending || !!error} onClick={ask}>Get its packets</button>
                    <label class="check">
                        and
                        <select value={margin} onChange={(e) => setMargin(e.currentTarget.value)}>
                            {MARGINS.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
                        </select>
                        before and after
                    </label>
                    <button type="button" class="quiet end" onClick={() => setText('')}>Clear</button>
                </div>
            )}
        </section>
    );
}

// What the server reads in it goes into the form.
function useRead(text, margin, onForm) {
    const [state, set] = useState({ pivot: null, error: null });

    useEffect(() => {
        set({ pivot: null, error: null });
        if (text.trim() === '') return undefined;
        const control = new AbortController();

        api.post(`pivot?explain&margin=${margin}`, undefined, { text, signal: control.signal })
            .then(({ pivot, after, before }) => {
                set({ pivot, range: Date.parse(before) - Date.parse(after), error: null });
                onForm(toForm(pivot.fields, after, before));
            })
            .catch((error) => { if (error.name !== 'AbortError') set({ pivot: null, error }); });
        return () => control.abort();
    }, [text, margin]);

    return state;
}

function toForm(fields, after, before) {
    const words = (v) => (v === undefined ? '' : [].concat(v).join(' '));
    return {
        ...EMPTY,
        hosts: [words(fields.host), words(fields.net)].filter(Boolean).join(' '), ports: words(fields.port),
        proto: words(fields.proto ?? fields['proto-name']), vlan: words(fields.vlan), mpls: words(fields.mpls),
        after: fields.after ?? after ?? '', before: fields.before ?? before ?? '',
    };
}

function Used({ pivot, range }) {
    return (
        <>
            <p class="used">
                <b>{KINDS[pivot.kind] ?? pivot.kind}</b>
                {Object.entries(pivot.used).map(([field, names]) => (
                    <span key={field}>{field} <span aria-label="from">←</span> <code>{[].concat(names).join(', ')}</code></span>
                ))}
            </p>
            {!pivot.fields.after && (
                <p class="warning">There is no time in it: the last {duration(range)} will be searched. Give a time below.</p>
            )}
            {pivot.unused.length > 0 && (
                <details class="hint">
                    <summary>{plural(pivot.unused.length, 'field')} left out</summary>
                    <ul>{pivot.unused.map((u, i) => <li key={i}><code>{u.name}</code>: {u.why}</li>)}</ul>
                </details>
            )}
        </>
    );
}
