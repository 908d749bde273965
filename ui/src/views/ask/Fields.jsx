import { Field } from './Field.jsx';

const PROTOS = [['', 'Any'], ['tcp', 'TCP'], ['udp', 'UDP'], ['icmp', 'ICMP']];

export function Fields({ form, set, errors }) {
    return (
        <div class="grid">
            <Field id="hosts" label="Addresses and networks" wide value={form.hosts} onValue={(hosts) => set({ hosts })}
                error={errors.hosts} placeholder="10.1.0.2 198.51.100.0/24" autofocus
                hint="Each packet has all of them. Separate them by spaces." />
            <Field id="ports" label="Ports" value={form.ports} onValue={(ports) => set({ ports })}
                error={errors.ports} placeholder="443" inputMode="numeric" hint="Of either side." />
            <div class="field">
                <span class="label" id="proto-label">Protocol</span>
                <div class="joined" role="group" aria-labelledby="proto-label">
                    {PROTOS.map(([value, title]) => (
                        <button key={title} type="button" aria-pressed={form.proto === value}
                            onClick={() => set({ proto: value })}>{title}</button>
                    ))}
                    <input type="text" aria-label="Protocol by number" inputMode="numeric" placeholder="number"
                        value={/^(|tcp|udp|icmp)$/.test(form.proto) ? '' : form.proto}
                        aria-invalid={errors.proto ? 'true' : undefined} autocomplete="off"
                        onInput={(e) => set({ proto: e.currentTarget.value })} />
                </div>
                <p class={errors.proto ? 'mistake' : 'hint'}>{errors.proto?.message ?? ' '}</p>
            </div>
        </div>
    );
}
