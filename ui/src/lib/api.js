// The API of the same origin.  Its base stands in <meta name="docket-api">,
// relative to the page.

export class Problem extends Error {
    // what RFC 9457 says, or what stands in for it
    constructor(p) {
        super(p.detail || p.title || 'the request failed');
        this.status = p.status ?? 0;
        this.title = p.title ?? '';
        this.field = p.field ?? '';
        this.position = p.position ?? null;
        this.retryAfter = p.retryAfter ?? 0;
        this.location = p.location ?? '';
    }
}

let cached;

export function base() {
    if (!cached) {
        const meta = document.querySelector('meta[name="docket-api"]');
        const at = (meta?.content || 'api').replace(/\/*$/, '/');
        cached = new URL(at, document.baseURI);
        cached.hash = cached.search = '';
    }
    return cached;
}

// The address of an endpoint: url('status/' + id).
export const url = (path = '') => new URL(path, base()).href;

async function failed(r) {
    const problem = { status: r.status, title: r.statusText };

    try {
        if (/json/.test(r.headers.get('content-type') ?? '')) {
            Object.assign(problem, await r.json());
        }
    } catch {
        // the status has to do
    }

    if (!problem.detail) problem.detail = words(r.status) ?? problem.title;
    problem.status = r.status;
    problem.retryAfter = Number(r.headers.get('retry-after')) || 0;
    problem.location = r.headers.get('location') ?? '';
    return new Problem(problem);
}

function words(status) {
    return {
        401: 'you are not signed in any more: reload the page',
        403: 'you are not allowed to do this',
        404: 'the server has no such thing; is the address of the API right?',
        502: 'the proxy gets no answer from the server',
        503: 'the server is too busy, or stopping',
        504: 'the proxy gets no answer from the server in time',
    }[status];
}

// The answer, once it is a good one; throws Problem (status 0: no answer).
export async function request(path, { method = 'GET', json, text, signal, headers } = {}) {
    const init = { method, signal, headers: { Accept: 'application/json', ...headers } };

    if (json !== undefined) {
        init.body = JSON.stringify(json);
        init.headers['Content-Type'] = 'application/json';
    }

    if (text !== undefined) {
        init.body = text;
        init.headers['Content-Type'] = 'text/plain';
    }

    let r;

    try {
        r = await fetch(url(path), { cache: 'no-store', ...init });
    } catch (e) {
        if (e.name === 'AbortError') throw e;
        throw new Problem({ status: 0, detail: 'the server does not answer' });
    }

    if (!r.ok) throw await failed(r);
    return r;
}

async function body(r) {
    if (r.status === 204) return null;
    try {
        return await r.json();
    } catch (e) {
        if (e.name === 'AbortError') throw e;
        throw new Problem({
            status: r.status,
            detail: 'the server sent something that is no answer of the API;'
                    + ' sign in again, or see docket-api in index.html',
        });
    }
}

export const get = async (path, o) => body(await request(path, o));
export const post = async (path, json, o) =>
    body(await request(path, { ...o, method: 'POST', json }));
export const remove = async (path, o) =>
    body(await request(path, { ...o, method: 'DELETE' }));

// A page of a list: its entries, and the arguments of the next page.
export async function list(path, o = {}) {
    const r = await request(path, o);
    const next = /<\?([^>]*)>;\s*rel="next"/.exec(r.headers.get('link') ?? '');
    return { entries: await body(r), next: next ? next[1] : null };
}

// Some bytes of a capture: {bytes, total, etag}.
export async function range(address, from, to, { signal, etag } = {}) {
    let r;

    try {
        r = await fetch(address, {
            signal,
            headers: { Range: `bytes=${from}-${to - 1}`, ...(etag ? { 'If-Range': etag } : {}) },
        });
    } catch (e) {
        if (e.name === 'AbortError') throw e;
        throw new Problem({ status: 0, detail: 'the capture cannot be read' });
    }

    if (r.status === 416) return { bytes: new Uint8Array(0), total: from, etag };
    if (!r.ok) throw await failed(r);

    // all of it, from a server that knows no ranges or has a newer capture
    if (r.status === 200) {
        const reader = r.body.getReader();
        const parts = [];
        let n = 0;
        for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            parts.push(value);
            n += value.length;
            if (n >= to) { reader.cancel(); break; }
        }
        const all = new Uint8Array(n);
        n = 0;
        for (const p of parts) { all.set(p, n); n += p.length; }
        return {
            bytes: all.subarray(0, to), whole: true, etag: r.headers.get('etag'),
            total: Number(r.headers.get('content-length')) || n,
        };
    }

    const total = /\/(\d+)$/.exec(r.headers.get('content-range') ?? '');
    return {
        bytes: new Uint8Array(await r.arrayBuffer()),
        total: total ? Number(total[1]) : to, etag: r.headers.get('etag'),
    };
}
