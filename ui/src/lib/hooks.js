import { useEffect, useRef, useState } from 'preact/hooks';

// The time now, moving every "period" milliseconds.
export function useNow(period = 1000) {
    const [now, set] = useState(Date.now);
    useEffect(() => {
        const t = setInterval(() => set(Date.now()), period);
        return () => clearInterval(t);
    }, [period]);
    return now;
}

/*
 * Calls load(signal) at once, then period(DATA) milliseconds after each answer,
 * while the page is seen; again at once when one of "deps" changes or the page
 * is seen again.  {data, error, loading, again}.
 */
export function usePoll(load, period, deps) {
    const [state, set] = useState({ data: null, error: null, loading: true });
    const run = useRef(() => {});

    useEffect(() => {
        const control = new AbortController();
        let timer = 0;
        let busy = false;

        async function step() {
            clearTimeout(timer);
            if (busy) return;
            busy = true;
            let wait = 0;
            try {
                const data = await load(control.signal);
                wait = period(data);
                if (!control.signal.aborted) set({ data, error: null, loading: false });
            } catch (error) {
                wait = period(null);
                if (!control.signal.aborted) set((s) => ({ ...s, error, loading: false }));
            }
            busy = false;
            if (wait && !control.signal.aborted && !document.hidden) timer = setTimeout(step, wait);
        }

        const seen = () => { if (!document.hidden) step(); };
        run.current = step;
        set((s) => ({ ...s, loading: true }));
        step();
        document.addEventListener('visibilitychange', seen);

        return () => {
            control.abort();
            clearTimeout(timer);
            document.removeEventListener('visibilitychange', seen);
        };
    }, deps);

    return { ...state, again: () => run.current() };
}

// The value, once it has stayed the same for "ms".
export function useSettled(value, ms) {
    const [settled, set] = useState(value);
    useEffect(() => {
        const t = setTimeout(() => set(value), ms);
        return () => clearTimeout(t);
    }, [value, ms]);
    return settled;
}

export function useTitle(title) {
    useEffect(() => { document.title = title ? `${title} · Docket` : 'Docket'; }, [title]);
}
