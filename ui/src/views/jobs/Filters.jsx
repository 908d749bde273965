import { useEffect, useState } from 'preact/hooks';

const STATES = ['Created', 'Requesting', 'Merging', 'Completed', 'Failed', 'Cancelled'];

export function Filters({ filters, onChange }) {
    return (
        <form class="filters" role="search" onSubmit={(e) => e.preventDefault()}>
            <Text name="text" label="Text of the question" value={filters.text} placeholder="host 10.1.0.2" onChange={onChange} type="search" />
            <div class="field">
                <label for="f-state">State</label>
                <select id="f-state" value={filters.state} onChange={(e) => onChange({ state: e.currentTarget.value })}>
                    <option value="">Any</option>
                    {STATES.map((s) => <option key={s} value={s}>{s === 'Created' ? 'Queued' : s}</option>)}
                </select>
            </div>
            <Text name="after" label="Packets after" value={filters.after} placeholder="24h" onChange={onChange} />
            <Text name="before" label="Packets before" value={filters.before} placeholder="now" onChange={onChange} />
            {Object.values(filters).some(Boolean) && (
                <button type="button" class="quiet" onClick={() => onChange({ text: '', state: '', after: '', before: '' })}>Clear</button>
            )}
        </form>
    );
}

// Typed at once, told a little later.
function Text({ name, label, value, onChange, ...rest }) {
    const [typed, setTyped] = useState(value);

    useEffect(() => setTyped(value), [value]);
    useEffect(() => {
        if (typed === value) return undefined;
        const t = setTimeout(() => onChange({ [name]: typed }), 200);
        return () => clearTimeout(t);
    }, [typed]);

    return (
        <div class="field">
            <label for={`f-${name}`}>{label}</label>
            <input id={`f-${name}`} type="text" value={typed} autocomplete="off" spellcheck={false}
                onInput={(e) => setTyped(e.currentTarget.value)} {...rest} />
        </div>
    );
}
