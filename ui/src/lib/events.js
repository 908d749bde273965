// Follows one job: server-sent events, and where they don't come through
// (a proxy, a server that restarts) waiting requests.

import * as api from './api.js';

export const FINAL = new Set(['Completed', 'Failed', 'Cancelled']);
export const isFinal = (job) => FINAL.has(job.state);

const WAIT = 2;             // seconds that one waiting request asks for: the bars move
const SILENCE = 4000;       // ms until the first event: a proxy may keep them back
const RETRY = [1, 1, 2, 3, 5];

/*
 * watch(id, {job, link}) calls job(JOB) for each change until it is final, and
 * link('live' | 'polling' | 'lost' | 'gone' | 'ended', ERROR) when the way it
 * learns of them changes.  Returns what ends it.
 */
export function watch(id, on, { Source = globalThis.EventSource, delay = wait } = {}) {
    const control = new AbortController();
    const { signal } = control;
    let source = null;
    let said = '';
    let polling = false;

    const say = (what, error = null) => {
        if ((what !== said || error) && !signal.aborted) on.link(said = what, error);
    };

    function stop() {
        control.abort();
        source?.close();
    }

    function end() {
        say('ended');
        stop();
    }

    function take(job) {
        if (signal.aborted) return;
        on.job(job);
        if (isFinal(job)) end();
    }

    function listen() {
        let alive = false;
        let heard = false;

        try {
            source = new Source(api.url(`events/${id}`));
        } catch {
            source = null;
            poll();
            return;
        }

        delay(SILENCE, signal).then(() => { if (!heard) poll(); });

        source.addEventListener('status', (e) => {
            alive = heard = true;
            say('live');
            try {
                take(JSON.parse(e.data));
            } catch {
                // a line that was cut: the next one is whole
            }
        });
        source.addEventListener('end', () => poll());
        source.onopen = () => { alive = true; };
        source.onerror = () => {
            if (signal.aborted) return;
            // it comes back by itself, unless it was refused or never worked
            if (source.readyState === Source.CLOSED || !alive) {
                poll();
            } else {
                say('lost');
                alive = false;
            }
        };
    }

    async function poll() {
        if (polling || signal.aborted) return;
        polling = true;
        source?.close();

        for (let failures = 0; !signal.aborted;) {
            try {
                const first = said !== 'polling';
                const all = await api.get(`status/${id}${first ? '' : `?wait=${WAIT}s`}`, { signal });
                if (failures > 0) {
                    // the server is back: so may be its events
                    take(all[id]);
                    if (signal.aborted) return;
                    polling = false;
                    listen();
                    return;
                }
                say('polling');
                take(all[id]);
                if (!first) await delay(500, signal);
            } catch (e) {
                if (signal.aborted) return;
                if (e.status === 404) {
                    say('gone');
                    stop();
                    return;
                }
                say('lost', e);
                await delay(RETRY[Math.min(failures++, RETRY.length - 1)] * 1000, signal);
            }
        }
    }

    listen();
    return stop;
}

export function wait(ms, signal) {
    return new Promise((resolve) => {
        const t = setTimeout(resolve, ms);
        signal?.addEventListener('abort', () => { clearTimeout(t); resolve(); }, { once: true });
    });
}
