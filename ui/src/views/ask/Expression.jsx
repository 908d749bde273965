import { Marked } from '../../parts/Marked.jsx';

export function Expression({ form, set, errors, onSend }) {
    const error = errors.expr;

    return (
        <div class="field">
            <label for="expr">Expression in Stenographer's language</label>
            <Marked id="expr" value={form.expr} onValue={(expr) => set({ expr })} onSend={onSend}
                position={error?.position ?? null} invalid={!!error} describedBy="expr-hint"
                placeholder="host 10.1.0.2 and (port 80 or port 443)" />
            <p id="expr-hint" class={error ? 'mistake' : 'hint'}>
                {error ? error.message : (
                    <>
                        <code>host</code> <code>net</code> <code>port</code> <code>vlan</code> <code>mpls</code>{' '}
                        <code>ip proto</code> <code>tcp</code> <code>udp</code> <code>icmp</code>, joined by{' '}
                        <code>and</code>, <code>or</code>, parentheses.
                    </>
                )}
            </p>
        </div>
    );
}
