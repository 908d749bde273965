// Times as they are typed and shown, in UTC or in the browser's own zone.

export const zoneName = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'local';

// "+01:00" of a moment in the browser's zone
export function offset(ms) {
    const m = -new Date(ms).getTimezoneOffset();
    const p = (n) => String(Math.floor(n)).padStart(2, '0');
    return `${m < 0 ? '-' : '+'}${p(Math.abs(m) / 60)}:${p(Math.abs(m) % 60)}`;
}

const pad = (n, w = 2) => String(n).padStart(w, '0');

function parts(ms, zone) {
    const d = new Date(ms);
    const u = zone === 'utc';
    return {
        date: `${u ? d.getUTCFullYear() : d.getFullYear()}`
              + `-${pad((u ? d.getUTCMonth() : d.getMonth()) + 1)}`
              + `-${pad(u ? d.getUTCDate() : d.getDate())}`,
        time: `${pad(u ? d.getUTCHours() : d.getHours())}`
              + `:${pad(u ? d.getUTCMinutes() : d.getMinutes())}`
              + `:${pad(u ? d.getUTCSeconds() : d.getSeconds())}`,
        milli: pad(((ms % 1000) + 1000) % 1000, 3),
    };
}

// Milliseconds: "2026-11-24 05:21:00"
export function format(ms, zone) {
    if (ms === null || ms === undefined || Number.isNaN(ms)) return '–';
    const p = parts(ms, zone);
    return `${p.date} ${p.time}`;
}

// What both ends share is written once: "2026-11-24 05:21:00 – 05:28:00"
export function formatRange(from, to, zone) {
    const a = parts(from, zone);
    const b = parts(to, zone);
    return a.date === b.date ? `${a.date} ${a.time} – ${b.time}`
        : `${a.date} ${a.time} – ${b.date} ${b.time}`;
}

// The time of a packet: seconds and nanoseconds (or what there is of them)
export function formatPacket(sec, frac, digits, zone) {
    return `${parts(sec * 1000, zone).time}.${pad(frac, digits)}`;
}

export const iso = (ms) => new Date(ms).toISOString().replace(/\.000Z$/, 'Z');

const DURATION = /^(?:\d+(?:\.\d+)?(?:us|ms|s|m|h|d|w))+$/;
const DAY = 86400000;
const UNITS = { us: 0.001, ms: 1, s: 1000, m: 60000, h: 3600000, d: 86400000, w: 604800000 };

// Milliseconds of "3h30m", or null
export function parseDuration(text) {
    const s = text.toLowerCase().replace(/\s+/g, '');
    if (!DURATION.test(s)) return null;
    let ms = 0;
    for (const [, n, u] of s.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h|d|w)/g)) ms += n * UNITS[u];
    return ms;
}

const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?$/;
const CLOCK = /^(\d\d?):(\d\d)(?::(\d\d))?$/;
const UTC = /^(.*\d) *(?:UTC|GMT|Z)$/i;
const ZONED = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)? ?(?:Z|[+-]\d\d:?\d\d)$/i;

function moment(y, mo, d, h, mi, s, ms, zone) {
    // a day that there is not would be another one
    const made = zone === 'utc' ? new Date(Date.UTC(y, mo - 1, d, h, mi, s, ms))
        : new Date(y, mo - 1, d, h, mi, s, ms);
    const day = zone === 'utc' ? made.getUTCDate() : made.getDate();
    return mo >= 1 && mo <= 12 && h < 24 && mi < 60 && s < 60 && day === d ? made.getTime() : NaN;
}

/*
 * What somebody typed into a field of time:
 *   {kind: 'none'}
 *   {kind: 'ago', ms, text}       ms before now; text as the API takes it
 *   {kind: 'at', ms, text}
 *   {kind: 'error', message}
 * A time without a zone is one of "zone"; a clock alone is the last such one, or
 * the first one after the moment "from".
 */
export function parse(input, zone, now, from = null) {
    const text = input.trim();
    if (text === '' || /^now$/i.test(text)) return { kind: 'none' };

    const ago = text.replace(/\s*ago$/i, '').replace(/^-/, '');
    const ms = parseDuration(ago);
    if (ms !== null) return { kind: 'ago', ms, text: ago.toLowerCase().replace(/\s+/g, '') };

    const at = (t) => (Number.isNaN(t) ? { kind: 'error', message: 'there is no such time' }
        : { kind: 'at', ms: t, text: iso(t) });

    if (/^\d{10}(?:\.\d+)?$/.test(text)) return at(Math.floor(Number(text) * 1000));
    if (/^\d{13}$/.test(text)) return at(Number(text));

    let m = UTC.exec(text);
    if (m && (LOCAL.test(m[1]) || CLOCK.test(m[1]))) return parse(m[1], 'utc', now, from);

    m = LOCAL.exec(text);
    if (m) {
        const [y, mo, d, h = 0, mi = 0, s = 0] = m.slice(1, 7).map((v) => (v === undefined ? undefined : Number(v)));
        return at(moment(y, mo, d, h, mi, s, Number((m[7] ?? '0').padEnd(3, '0').slice(0, 3)), zone));
    }

    m = CLOCK.exec(text);
    if (m) {
        const [h, mi, s] = [Number(m[1]), Number(m[2]), Number(m[3] ?? 0)];
        const day = (t) => parts(t, zone).date.split('-').map(Number);
        const on = (t) => moment(...day(t), h, mi, s, 0, zone);
        if (from !== null) return at(on(from) > from ? on(from) : on(from + DAY));
        return at(on(now) > now ? on(now - DAY) : on(now));
    }

    if (ZONED.test(text)) {
        return at(Date.parse(text.replace(' ', 'T').replace(',', '.').replace(' ', '')
            .replace(/([+-]\d\d)(\d\d)$/, '$1:$2').toUpperCase()));
    }

    return { kind: 'error', message: 'a time is 15m, 14:05, 2026-11-24 14:05:00 or RFC 3339' };
}

// Both ends of a range: a clock at the end is one after a begin that is fixed.
export function parseRange({ after, before }, zone, now) {
    const a = parse(after, zone, now);
    return { after: a, before: parse(before, zone, now, a.kind === 'at' ? a.ms : null) };
}

// The same moment as it is typed in another zone; what names its zone stays.
export function rezone(input, zone, to, now, from = null) {
    const text = input.trim();
    const parsed = parse(text, zone, now, from);
    return parsed.kind === 'at' && (LOCAL.test(text) || CLOCK.test(text)) ? format(parsed.ms, to) : input;
}

// What a field of time means as a moment, or null.
export function momentOf(parsed, now) {
    return parsed.kind === 'at' ? parsed.ms : parsed.kind === 'ago' ? now - parsed.ms : null;
}

// For <input type="datetime-local">, and back from it into a field.
export const toPicker = (ms, zone) => format(ms, zone).replace(' ', 'T');
export const fromPicker = (value) => {
    const v = value.replace('T', ' ');
    return v.length === 16 ? `${v}:00` : v;
};
