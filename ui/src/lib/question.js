// The form of a question, and the ways it is written: as JSON for the API, as
// a path (links, /pcap, curl), and back from a job or a canonical text.

import * as time from './time.js';

export const EMPTY = Object.freeze({
    mode: 'fields',
    hosts: '', ports: '', proto: '', vlan: '', mpls: '',
    expr: '',
    after: '', before: '',
    sensors: [],
    filter: '', limitPackets: '', limitBytes: '',
    ignoreWeight: false, refresh: false,
});

const words = (text) => text.split(/[\s,;]+/).filter(Boolean);

// [name, value] for each field that was given, in the order of a path.
function pairs(form, zone, now) {
    const out = [];
    const put = (name, value) => { if (value !== '') out.push([name, value]); };

    if (form.mode === 'expr') {
        put('query', form.expr.trim());

    } else {
        for (const w of words(form.hosts)) put(w.includes('/') ? 'net' : 'host', w);
        for (const w of words(form.ports)) put('port', w);
        if (/^(tcp|udp|icmp)$/i.test(form.proto.trim())) {
            put('proto-name', form.proto.trim().toLowerCase());
        } else {
            put('proto', form.proto.trim());
        }
        for (const w of words(form.vlan)) put('vlan', w);
        for (const w of words(form.mpls)) put('mpls', w);
    }

    for (const [name, t] of Object.entries(time.parseRange(form, zone, now))) {
        // what cannot be read is for the API to refuse
        if (t.kind !== 'none') put(name, t.kind === 'error' ? form[name].trim() : t.text);
    }

    return out;
}

const extras = (form) => [
    ['filter', form.filter.trim()],
    ['limit-packets', form.limitPackets.trim()],
    ['limit-bytes', form.limitBytes.trim()],
].filter(([, v]) => v !== '');

// The JSON of POST / and POST /explain.
export function toJson(form, zone, now) {
    const out = {};

    for (const [name, value] of [...pairs(form, zone, now), ...extras(form)]) {
        out[name] = name in out ? [].concat(out[name], value) : value;
    }

    if (form.sensors.length) out.sensor = [...form.sensors];
    if (form.ignoreWeight) out['ignore-weight'] = true;
    if (form.refresh) out.refresh = true;
    return out;
}

// "host/1.2.3.4/port/80/after/5m?filter=tcp": behind /uri, /pcap, #/ask.
export function toPath(form, zone, now) {
    const path = pairs(form, zone, now).map(([name, value]) => (name === 'net'
        ? `net/${value.split('/').map(encodeURIComponent).join('/')}`
        : `${name}/${encodeURIComponent(value)}`)).join('/');
    const args = extras(form).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);

    if (form.sensors.length) args.push(`sensor=${form.sensors.map(encodeURIComponent).join(',')}`);
    if (form.ignoreWeight) args.push('ignore-weight=true');
    if (form.refresh) args.push('refresh=true');
    return path + (args.length ? `?${args.join('&')}` : '');
}

export const isEmpty = (form) => (form.mode === 'expr' ? form.expr.trim() === ''
    : [form.hosts, form.ports, form.proto, form.vlan, form.mpls].every((v) => v.trim() === ''));

const join = (a, b) => (a ? `${a} ${b}` : b);

/*
 * A form of the fields that a path names; null when it says something that
 * fields cannot (an "or", a word that is none): /explain knows then.
 */
export function fromPath(path, args = new URLSearchParams()) {
    const form = { ...EMPTY, sensors: [] };
    let parts;

    try {
        parts = path.split('/').filter(Boolean).map(decodeURIComponent);
    } catch {
        return null;
    }

    for (let i = 0; i < parts.length; i++) {
        const name = parts[i].toLowerCase();
        if (/^(tcp|udp|icmp)$/.test(name)) { form.proto = name; continue; }
        if (name === 'ignore-weight' || name === 'refresh') {
            const flag = name === 'refresh' ? 'refresh' : 'ignoreWeight';
            form[flag] = true;
            if (/^(true|false|yes|no|1|0)$/i.test(parts[i + 1] ?? '')) {
                form[flag] = /^(true|yes|1)$/i.test(parts[++i]);
            }
            continue;
        }
        if (i + 1 === parts.length) return null;
        const value = parts[++i];
        switch (name) {
        case 'host': form.hosts = join(form.hosts, value); break;
        case 'net':
            form.hosts = join(form.hosts, value.includes('/') || !/^[\d.]+$/.test(parts[i + 1] ?? '')
                ? value : `${value}/${parts[++i]}`);
            break;
        case 'port': form.ports = join(form.ports, value); break;
        case 'vlan': form.vlan = join(form.vlan, value); break;
        case 'mpls': form.mpls = join(form.mpls, value); break;
        case 'proto': case 'proto-name': case 'ip-proto':
            if (form.proto) return null;
            form.proto = value;
            break;
        case 'after': case 'after-ago': form.after = value; break;
        case 'before': case 'before-ago': form.before = value; break;
        case 'sensor': form.sensors.push(...words(value)); break;
        case 'filter': form.filter = value; break;
        case 'limit-packets': form.limitPackets = value; break;
        case 'limit-bytes': form.limitBytes = value; break;
        case 'query': form.mode = 'expr'; form.expr = value; break;
        default: return null;
        }
    }

    if (form.mode === 'expr' && (form.hosts || form.ports || form.proto)) return null;

    for (const [name, value] of args) {
        if (name === 'filter') form.filter = value;
        else if (name === 'sensor') form.sensors.push(...words(value));
        else if (name === 'limit-packets') form.limitPackets = value;
        else if (name === 'limit-bytes') form.limitBytes = value;
        else if (name === 'ignore-weight') form.ignoreWeight = value !== 'false';
        else if (name === 'refresh') form.refresh = value !== 'false';
    }

    return form;
}

const TERM = /^(?:(host|port|vlan|mpls) (\S+)|net (\S+)|ip proto (\d+)|(tcp|udp|icmp))$/;

// Terms of a canonical text without times: fields if fields can say it.
function fromTerms(terms) {
    const form = { ...EMPTY, sensors: [] };
    const rest = terms.trim();

    if (rest === '') return form;

    for (const term of rest.split(' and ')) {
        const m = TERM.exec(term);
        if (!m || ((m[4] || m[5]) && form.proto)) {
            return { ...form, ...pick(EMPTY), mode: 'expr', expr: rest };
        }
        if (m[3]) form.hosts = join(form.hosts, m[3]);
        else if (m[4] || m[5]) form.proto = m[4] ?? m[5];
        else if (m[1] === 'host') form.hosts = join(form.hosts, m[2]);
        else if (m[1] === 'port') form.ports = join(form.ports, m[2]);
        else form[m[1]] = join(form[m[1]], m[2]);
    }

    return form;
}

const pick = ({ hosts, ports, proto, vlan, mpls }) => ({ hosts, ports, proto, vlan, mpls });

// A form that asks what a job asked, or what /explain understood.
export function fromJob(job) {
    return {
        ...fromTerms(job.terms ?? canonical(job.query).terms),
        after: job.after ?? '', before: job.before ?? '',
        sensors: job.sensors ?? [],
        filter: job.filter ?? '',
        limitPackets: job.limit_packets ? String(job.limit_packets) : '',
        limitBytes: job.limit_bytes ? String(job.limit_bytes) : '',
    };
}

/*
 * The parts of a canonical text: {terms, after, before, sensors, filter,
 * limit_packets, limit_bytes}; what is not there is left out.
 */
export function canonical(text) {
    const out = {};
    const filter = text.indexOf('; filter ');
    let rest = text;

    if (filter >= 0) {
        out.filter = rest.slice(filter + 9);
        rest = rest.slice(0, filter);
    }

    const [expr, ...options] = rest.split('; ');

    for (const o of options) {
        if (o.startsWith('sensors ')) out.sensors = o.slice(8).split(',');
        else if (o.startsWith('limit-packets ')) out.limit_packets = Number(o.slice(14));
        else if (o.startsWith('limit-bytes ')) out.limit_bytes = Number(o.slice(12));
    }

    const m = /(?:^| and )after (\S+) and before (\S+)$/.exec(expr);
    out.terms = m ? expr.slice(0, m.index) : expr;
    if (m) [, out.after, out.before] = m;
    return out;
}

export const fromCanonical = (text) => fromJob(canonical(text));

// The same question with more terms: {hosts: ['10.1.0.2'], port, after, ..}.
export function narrowed(job, more) {
    const form = fromJob(job);

    if (form.mode === 'expr') {
        const add = [...(more.hosts ?? []).map((h) => `host ${h}`),
            ...(more.port !== undefined ? [`port ${more.port}`] : []),
            ...(more.proto ? [protoTerm(more.proto)] : [])];
        form.expr = [`(${form.expr})`, ...add].join(' and ');

    } else {
        const had = words(form.hosts);
        for (const h of more.hosts ?? []) if (!had.includes(h)) form.hosts = join(form.hosts, h);
        if (more.port !== undefined && !words(form.ports).includes(String(more.port))) {
            form.ports = join(form.ports, String(more.port));
        }
        if (more.proto) form.proto = more.proto;
    }

    if (more.after !== undefined) form.after = time.iso(more.after);
    if (more.before !== undefined) form.before = time.iso(more.before);
    return form;
}

const protoTerm = (p) => (/^\d+$/.test(p) ? `ip proto ${p}` : p);

// A name for a downloaded capture that says what is in it.
export function fileName(job) {
    const terms = (job.terms ?? '').replace(/\b(?:and|ip)\b/g, ' ').replace(/[^\w.]+/g, '-')
        .replace(/^-+|-+$/g, '').slice(0, 60);
    const when = (job.after ?? '').replace(/[-:]/g, '').replace(/\.\d+/, '');
    return [terms, when, job.id?.slice(0, 8)].filter(Boolean).join('_') + '.pcap';
}
