// One form for a question; what it means is shown while it is typed.

import { useEffect, useMemo, useState } from 'preact/hooks';

import * as api from '../lib/api.js';
import { arm } from '../lib/armed.js';
import { useSettled, useTitle } from '../lib/hooks.js';
import { setPref, usePrefs } from '../lib/prefs.js';
import * as question from '../lib/question.js';
import { go } from '../lib/route.js';
import * as time from '../lib/time.js';
import { Failure } from '../parts/small.jsx';
import { Expression } from './ask/Expression.jsx';
import { Fields } from './ask/Fields.jsx';
import { Options } from './ask/Options.jsx';
import { Paste } from './ask/Paste.jsx';
import { Preview } from './ask/Preview.jsx';
import { isPlaced, placed } from './ask/places.js';
import { Times } from './ask/Times.jsx';

const FRESH = { ...question.EMPTY, after: '15m' };

export function Ask({ route }) {
    const { zone: shown, download } = usePrefs();
    const [form, setForm] = useState(FRESH);
    const zone = form.zone ?? shown;
    const [failure, setFailure] = useState(null);
    const [sending, setSending] = useState(false);
    const [broken, setBroken] = useState(null);
    // the form as the pasted event filled it in
    const [pasted, setPasted] = useState(null);
    const explained = useExplained(form, shown);

    useTitle('Ask');
    useRouteForm(route, setForm, setBroken);
    useZone(shown, setForm);

    const set = (change) => {
        setFailure(null);
        setForm((f) => ({ ...f, zone, ...change }));
    };
    const refused = placed(failure);
    const errors = { ...placed(explained.error), ...refused };

    async function send() {
        if (sending) return;
        setSending(true);
        setFailure(null);
        try {
            const asked = await api.post('', question.toJson(form, zone, Date.now()));
            opened(asked, download);
        } catch (e) {
            setFailure(e);
        }
        setSending(false);
    }

    useEffect(() => {
        if (isPlaced(refused)) document.querySelector('.question [aria-invalid="true"]')?.focus();
    }, [failure]);

    function submit(e) {
        e.preventDefault();
        send();
    }

    return (
        <div class="ask">
            <h1 class="sr">Ask for packets</h1>
            <Paste changed={pasted !== null && form !== pasted} onSend={send}
                onForm={(f) => { setForm(f); setPasted(f); }} onAsked={(a) => opened(a, download)} />
            <div class="columns">
                <form class="card question" onSubmit={submit} aria-label="Question" noValidate>
                    <div class="head">
                        <h2>Question</h2>
                        <div class="segments" role="group" aria-label="Write it as">
                            <button type="button" aria-pressed={form.mode === 'fields'}
                                onClick={() => set(toFields(form))}>Fields</button>
                            <button type="button" aria-pressed={form.mode === 'expr'}
                                onClick={() => set(toExpression(form, explained.data))}>Expression</button>
                        </div>
                    </div>
                    <Failure error={broken} what="This link cannot be read:" />
                    {form.mode === 'fields'
                        ? <Fields form={form} set={set} errors={errors} />
                        : <Expression form={form} set={set} errors={errors} onSend={send} />}
                    <Times form={form} set={set} errors={errors} zone={zone} />
                    <Options form={form} set={set} errors={errors} onSend={send} />
                    {!isPlaced(refused) && <Failure error={failure} what="Not asked:" />}
                    <div class="actions">
                        <button type="submit" class="primary" disabled={sending}>Get packets</button>
                        <label class="check">
                            <input type="checkbox" checked={download}
                                onChange={(e) => setPref('download', e.currentTarget.checked)} />
                            Download the capture when it is ready
                        </label>
                        <button type="button" class="quiet end" onClick={() => { setForm(FRESH); setFailure(null); }}>
                            Clear
                        </button>
                    </div>
                </form>
                <Preview form={form} zone={zone} explained={explained} placed={errors} />
            </div>
        </div>
    );
}

function opened(asked, download) {
    if (download) arm(asked.id);
    go(`status/${asked.id}`);
}

// What /explain says: {data, error, empty, busy}
function useExplained(form, shown) {
    const [state, set] = useState({ data: null, error: null });
    const settled = useSettled(form, 200);
    const zone = settled.zone ?? shown;
    const empty = question.isEmpty(form);

    useEffect(() => {
        if (question.isEmpty(settled)) {
            set({ data: null, error: null });
            return undefined;
        }
        const control = new AbortController();
        const json = question.toJson({ ...settled, refresh: false }, zone, Date.now());

        api.post('explain', json, { signal: control.signal })
            .then((data) => set({ data, error: null }))
            .catch((error) => { if (error.name !== 'AbortError') set({ data: null, error }); });
        return () => control.abort();
    }, [settled, zone]);

    return useMemo(() => ({ ...state, empty, busy: settled !== form }), [state, empty, settled, form]);
}

// A question or an event that came with the address, not to be asked by itself:
// "#/ask/host/1.2.3.4?filter=tcp", "#/pivot?src_ip=1.2.3.4"
function useRouteForm(route, setForm, setBroken) {
    const event = route.view === 'pivot';
    const address = event ? `pivot?explain&${route.args}` : `explain/${route.rest}?${route.args}`;

    useEffect(() => {
        setBroken(null);
        if (!event && !route.rest) return undefined;

        const known = event ? null : question.fromPath(route.rest, route.args);
        if (known) {
            setForm(known);
            return undefined;
        }

        const control = new AbortController();
        api.get(address, { signal: control.signal })
            .then((e) => setForm(question.fromCanonical(e.query)))
            .catch((e) => { if (e.name !== 'AbortError') setBroken(e); });
        return () => control.abort();
    }, [address]);
}

// Times that were typed without a zone are of the form's, which is that of the
// page when they were typed; they stay the same moments in another one.
function useZone(shown, setForm) {
    useEffect(() => {
        setForm((f) => {
            if (!f.zone || f.zone === shown) return f;
            const now = Date.now();
            const { after } = time.parseRange(f, f.zone, now);
            return {
                ...f, zone: shown,
                after: time.rezone(f.after, f.zone, shown, now),
                before: time.rezone(f.before, f.zone, shown, now, after.kind === 'at' ? after.ms : null),
            };
        });
    }, [shown]);
}

// The same question in the other way of writing, as far as there is one.

function toExpression(form, data) {
    if (form.mode === 'expr') return {};
    return { mode: 'expr', expr: data ? question.canonical(data.query).terms : form.expr };
}

function toFields(form) {
    if (form.mode === 'fields') return {};
    const same = question.fromJob({ terms: form.expr.trim() });
    const { hosts, ports, proto, vlan, mpls } = same.mode === 'fields' ? same : form;
    return { mode: 'fields', hosts, ports, proto, vlan, mpls };
}
