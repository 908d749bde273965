// The servers (t/lib/ui-server), a browser, and what every test of the page
// watches: no request to another host, no complaint of the policy, no error.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

import { read } from '../../src/lib/pcap.js';

const top = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const build = process.env.DOCKET_BUILD ?? join(top, 'build');
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export const shots = join(build, 'screenshots');
export const DEADLINE = 30000;

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export async function start({ jobs = 10000 } = {}) {
    mkdirSync(shots, { recursive: true });

    const server = spawn(join(top, 't/lib/ui-server'), { cwd: top, stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, UI_JOBS: jobs } });
    const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
    const line = async () => {
        const { value, done } = await lines.next();
        if (done) throw new Error('ui-server is gone');
        return JSON.parse(value);
    };
    const ended = new Promise((resolve) => server.on('exit', resolve));
    const at = await line();
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS,
    });

    return {
        ...at,
        browser,

        // one question to ui-server
        async tell(text) {
            server.stdin.write(`${text}\n`);
            return line();
        },

        // how sensor I (0: all) of "fake" behaves from now on
        async sensor(i, behaviour = {}) {
            const r = await fetch(`${at.fake.control}set/${i}`, { method: 'POST', body: JSON.stringify(behaviour) });
            assert.ok(r.ok);
        },

        async stop() {
            await browser.close();
            server.stdin.end();
            await ended;
        },
    };
}

/*
 * A page of its own.  done() closes it, and fails if it asked another host,
 * broke the policy, or threw.  "allow": console errors that the test provokes.
 */
export async function open(rig, { allow = [], ...options } = {}) {
    const context = await rig.browser.newContext({
        viewport: { width: 1280, height: 860 }, timezoneId: 'Europe/Berlin', locale: 'en-GB', colorScheme: 'light',
        acceptDownloads: true, ...options,
    });
    const page = await context.newPage();
    const wrong = [];
    const hosts = [rig.real.url, rig.fake.url].map((u) => new URL(u).host);

    page.setDefaultTimeout(DEADLINE);
    page.on('request', (r) => {
        const u = new URL(r.url());
        if (u.protocol !== 'data:' && !hosts.includes(u.host)) wrong.push(`request to ${r.url()}`);
    });
    page.on('pageerror', (e) => wrong.push(String(e.stack)));
    page.on('dialog', (d) => { wrong.push(`dialog: ${d.message()}`); d.dismiss(); });
    page.on('console', (m) => {
        const text = m.text();
        if ((m.type() === 'error' || /content security policy/i.test(text)) && !allow.some((a) => a.test(text))) {
            wrong.push(`console: ${text}`);
        }
    });

    return {
        page,
        async done() {
            await context.close();
            assert.deepEqual(wrong, []);
        },
    };
}

// What axe finds that is serious: ["color-contrast: .badge", ...]
export async function serious(page) {
    // past the policy of the page, as an extension would come
    const session = await page.context().newCDPSession(page);
    const { frameTree } = await session.send('Page.getFrameTree');
    const { executionContextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
    await session.send('Runtime.evaluate', { contextId: executionContextId, expression: await readFile(axe, 'utf8') });
    const { result } = await session.send('Runtime.evaluate', {
        contextId: executionContextId, awaitPromise: true, returnByValue: true,
        expression: `axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations
            .filter((v) => v.impact === 'serious' || v.impact === 'critical')
            .map((v) => v.id + ': ' + v.nodes.slice(0, 4).map((n) => n.target.join(' ') + ' ' + n.failureSummary).join(', ')))`,
    });
    await session.detach();
    return result.value;
}

// Packets of a capture as ui-server tells the truth: [["NANOSECONDS", "HEX"]]
export function packets(bytes) {
    const c = read(bytes);
    assert.equal(c.bad, '');
    assert.equal(c.used, bytes.length);
    return c.packets.map((p) => [
        String(BigInt(p.sec) * 1000000000n + BigInt(p.frac) * (c.digits === 9 ? 1n : 1000n)),
        Buffer.from(p.data).toString('hex'),
    ]);
}

export const iso = (s) => new Date(s * 1000).toISOString().replace('.000Z', 'Z');
export const shot = (page, name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
