import { useEffect, useState } from 'preact/hooks';

import * as api from '../../lib/api.js';
import { Marked } from '../../parts/Marked.jsx';
import { Field } from './Field.jsx';

export function Options({ form, set, errors, onSend }) {
    const [sensors, setSensors] = useState([]);
    const used = form.vlan !== '' || form.mpls !== '' || form.sensors.length > 0 || form.filter !== '' || form.limitPackets !== ''
        || form.limitBytes !== '' || form.ignoreWeight || form.refresh;
    const [open, setOpen] = useState(used);

    useEffect(() => { if (used) setOpen(true); }, [used]);

    useEffect(() => {
        const control = new AbortController();
        api.get('sensors', { signal: control.signal }).then(setSensors).catch(() => {});
        return () => control.abort();
    }, []);

    // a link may name one that is not configured any more: the server says so
    const names = [...new Set([...sensors.map((s) => s.name), ...form.sensors])];
    const health = Object.fromEntries(sensors.map((s) => [s.name, s.health]));

    const toggle = (name) => set({
        sensors: form.sensors.includes(name) ? form.sensors.filter((n) => n !== name) : [...form.sensors, name],
    });

    return (
        <details class="options" open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
            <summary>More: sensors, filter, limits{form.mode === 'fields' && ', VLAN, MPLS'}</summary>
            <div class="field">
                <span class="label" id="sensors-label">Sensors</span>
                <div class="choices" role="group" aria-labelledby="sensors-label">
                    <button type="button" aria-pressed={form.sensors.length === 0}
                        onClick={() => set({ sensors: [] })}>All</button>
                    {names.map((name) => (
                        <button key={name} type="button" aria-pressed={form.sensors.includes(name)}
                            onClick={() => toggle(name)}>
                            <i class={`dot ${health[name] ?? 'unknown'}`} aria-hidden="true" />{name}
                            {health[name] === 'down' && <span class="sr"> (down)</span>}
                        </button>
                    ))}
                </div>
                {errors.sensors && <p class="mistake">{errors.sensors.message}</p>}
            </div>
            <div class="field">
                <label for="filter">BPF filter on the merged capture</label>
                <Marked id="filter" value={form.filter} onValue={(filter) => set({ filter })} onSend={onSend}
                    position={errors.filter?.position ?? null} invalid={!!errors.filter} describedBy="filter-hint"
                    placeholder="tcp[tcpflags] & tcp-syn != 0" />
                <p id="filter-hint" class={errors.filter ? 'mistake' : 'hint'}>
                    {errors.filter ? errors.filter.message : 'In the language of tcpdump and Wireshark’s capture filters.'}
                </p>
            </div>
            {form.mode === 'fields' && (
                <div class="grid">
                    <Field id="vlan" label="VLAN" value={form.vlan} onValue={(vlan) => set({ vlan })}
                        error={errors.vlan} inputMode="numeric" />
                    <Field id="mpls" label="MPLS label" value={form.mpls} onValue={(mpls) => set({ mpls })}
                        error={errors.mpls} inputMode="numeric" />
                </div>
            )}
            <div class="grid">
                <Field id="limitPackets" label="At most so many packets" value={form.limitPackets} inputMode="numeric"
                    onValue={(limitPackets) => set({ limitPackets })} error={errors.limitPackets} hint="The first ones." />
                <Field id="limitBytes" label="At most so many bytes" value={form.limitBytes} inputMode="numeric"
                    onValue={(limitBytes) => set({ limitBytes })} error={errors.limitBytes} hint="Of the capture." />
            </div>
            <label class="check">
                <input type="checkbox" checked={form.refresh}
                    onChange={(e) => set({ refresh: e.currentTarget.checked })} />
                Ask the sensors again, even if the answer is known
            </label>
            <label class="check">
                <input type="checkbox" checked={form.ignoreWeight}
                    onChange={(e) => set({ ignoreWeight: e.currentTarget.checked })} />
                Ask even if it is too heavy
            </label>
        </details>
    );
}
