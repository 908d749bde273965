// The page's addresses: "#/status/ID", "#/jobs?text=port+80", "#/ask/host/..",
// "#/pivot?src_ip=..".

import { useEffect, useState } from 'preact/hooks';

/*
 * {view, rest, args}: rest is what follows the view, as it was sent; args are
 * decoded.  What leads nowhere leads to the form.
 */
export function parse(hash) {
    const raw = hash.replace(/^#\/?/, '');
    const mark = raw.indexOf('?');
    const path = mark < 0 ? raw : raw.slice(0, mark);
    const slash = path.indexOf('/');
    const view = slash < 0 ? path : path.slice(0, slash);

    return {
        view: ['ask', 'pivot', 'status', 'jobs', 'sensors'].includes(view) ? view : 'ask',
        rest: slash < 0 ? '' : path.slice(slash + 1),
        args: new URLSearchParams(mark < 0 ? '' : raw.slice(mark + 1).replace(/\+/g, '%20')),
    };
}

export function go(to, { replace = false } = {}) {
    const hash = `#/${to}`;
    if (replace) {
        history.replaceState(null, '', hash);
        dispatchEvent(new HashChangeEvent('hashchange'));
    } else {
        location.hash = hash;
    }
}

export function useRoute() {
    const [route, set] = useState(() => parse(location.hash));
    useEffect(() => {
        const changed = () => set(parse(location.hash));
        addEventListener('hashchange', changed);
        return () => removeEventListener('hashchange', changed);
    }, []);
    return route;
}
