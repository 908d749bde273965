// What this browser remembers: theme, zone, whether captures download
// themselves.  A browser that forbids it forgets.

import { useEffect, useState } from 'preact/hooks';

const KEY = 'docket';
const DEFAULTS = { theme: 'auto', zone: 'utc', download: true };
const listeners = new Set();

function load() {
    try {
        return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) || '{}') };
    } catch {
        return { ...DEFAULTS };
    }
}

let prefs = load();

export function applyTheme() {
    const root = document.documentElement;
    if (prefs.theme === 'auto') root.removeAttribute('data-theme');
    else root.setAttribute('data-theme', prefs.theme);
}

export function setPref(name, value) {
    prefs = { ...prefs, [name]: value };
    try {
        localStorage.setItem(KEY, JSON.stringify(prefs));
    } catch {
        // until the page is closed, then
    }
    applyTheme();
    for (const l of listeners) l(prefs);
}

export function usePrefs() {
    const [value, set] = useState(prefs);
    useEffect(() => {
        set(prefs);
        listeners.add(set);
        return () => listeners.delete(set);
    }, []);
    return value;
}
