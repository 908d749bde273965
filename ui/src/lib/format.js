// Numbers as people read them.

export function bytes(n) {
    if (n === null || n === undefined || Number.isNaN(n)) return '–';
    const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
    let u = 0;
    while (n >= 1000 && u < units.length - 1) { n /= 1000; u++; }
    // 999.95 would be written 1000.0
    if (u && n >= 999.5 && u < units.length - 1) { n /= 1000; u++; }
    return `${u === 0 ? Math.round(n) : n < 10 ? n.toFixed(1) : Math.round(n)} ${units[u]}`;
}

const grouped = new Intl.NumberFormat('en-US');

export const count = (n) => (n === null || n === undefined ? '–' : grouped.format(n));

export const plural = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;

// Milliseconds: "420 ms", "3.2 s", "4 min 10 s", "2 h 5 min", "3 d 4 h".
export function duration(ms) {
    const s = Math.abs(ms) / 1000;
    if (s < 0.9995) return `${Math.round(s * 1000)} ms`;
    if (s < 59.95) return `${s < 9.95 ? s.toFixed(1).replace(/\.0$/, '') : Math.round(s)} s`;
    const two = (a, ua, b, ub) => (b ? `${a} ${ua} ${b} ${ub}` : `${a} ${ua}`);
    const r = Math.round(s);
    if (r < 3600) return two(Math.floor(r / 60), 'min', r % 60, 's');
    const m = Math.round(s / 60);
    if (m < 1440) return two(Math.floor(m / 60), 'h', m % 60, 'min');
    const h = Math.round(s / 3600);
    return two(Math.floor(h / 24), 'd', h % 24, 'h');
}

// One unit only: "in 3 min", "2 h ago".
export function relative(ms) {
    const s = Math.abs(ms) / 1000;
    const [n, unit] = s < 60 ? [s, 's'] : s < 3600 ? [s / 60, 'min']
        : s < 86400 ? [s / 3600, 'h'] : [s / 86400, 'd'];
    const text = `${Math.max(Math.floor(n), unit === 's' ? 0 : 1)} ${unit}`;
    if (unit === 's' && n < 1) return 'now';
    return ms > 0 ? `in ${text}` : `${text} ago`;
}

export const percent = (part, all) => (all > 0 ? Math.min(100, Math.max(0, (part / all) * 100)) : 0);

// Words of the API as a sentence of their own.
export const sentence = (s) => s.charAt(0).toUpperCase() + s.slice(1).replace(/[.\s]*$/, '.');
