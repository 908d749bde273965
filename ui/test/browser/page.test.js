// The page in a browser, against real Stenographers and sensors that are told
// what to do.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { DEADLINE, iso, open, packets, serious, shot, shots, start } from './rig.js';

const built = join(dirname(fileURLToPath(import.meta.url)), '../../../build/ui');
const VIEWS = [['wide', { width: 1280, height: 860 }], ['narrow', { width: 360, height: 740 }]];

let rig;
let range;      // of all real packets: a path, and a suffix for truth

before(async () => {
    rig = await start();
    range = `after/${iso(rig.real.first)}/before/${iso(rig.real.first + 600)}`;
});
after(() => rig?.stop());

// A condition that a person would see come true.
const until = (page, f, arg) => page.waitForFunction(f, arg, { timeout: DEADLINE });
const state = (page, name) => page.getByRole('region', { name: 'Job', exact: true }).locator('.badge', { hasText: name }).waitFor();
const bar = (page, sensor) => page.locator('.bar', { has: page.locator('.name', { hasText: new RegExp(`^${sensor}$`) }) });
const bytesOf = async (d) => new Uint8Array(await readFile(await d.path()));

test('all of it is under 150 KB, and without a foreign address', async () => {
    let size = 0;
    for (const name of await readdir(built)) {
        const data = await readFile(join(built, name));
        size += gzipSync(data).length;
        const urls = [...data.toString('latin1').matchAll(/https?:\/\/[^"'`)\s]+/g)].map((m) => m[0])
            .filter((u) => !/^http:\/\/www\.w3\.org\//.test(u));
        assert.deepEqual(urls, [], name);
    }
    assert.ok(size < 150 * 1024, `${size} bytes`);
});

test('asked by fields: explained while typed, downloaded by itself, the truth byte for byte', async () => {
    const { page, done } = await open(rig);

    await page.goto(rig.real.url);
    await page.getByLabel('Addresses and networks').fill('203.0.113.77');
    await page.getByLabel('Ports').fill('8080');
    await page.getByLabel('After', { exact: true }).fill(iso(rig.real.first));
    await page.getByLabel('Before', { exact: true }).fill(iso(rig.real.first + 600));
    const preview = page.getByRole('region', { name: 'What will be asked' });
    await preview.getByText(`host 203.0.113.77 and port 8080 and after ${iso(rig.real.first)}`).waitFor();
    await preview.getByText('s1, s2, s3').waitFor();
    await preview.getByText('Europe/Berlin').first().waitFor();
    await preview.getByRole('progressbar').waitFor();

    const coming = page.waitForEvent('download');
    await page.getByLabel('Ports').press('Enter');
    const d = await coming;
    assert.match(d.suggestedFilename(), /^host-203\.0\.113\.77-port-8080_\d{8}T\d{6}Z_[0-9a-f]{8}\.pcap$/);
    const truth = await rig.tell('truth host 203.0.113.77 and port 8080');
    assert.equal(truth.length, 24);
    assert.deepEqual(packets(await bytesOf(d)), truth);

    await state(page, 'Completed');
    // the table has the same packets
    const rows = page.locator('.packets tbody tr');
    await until(page, (n) => document.querySelectorAll('.packets tbody tr').length === n, truth.length);
    assert.match(await rows.first().innerText(), /10\.1\.0\.6:6666\s+203\.0\.113\.77:8080\s+TCP/);
    await rows.first().click();
    await page.locator('.hex').getByText('shared-1-0').waitFor();

    // one click away from a narrower question
    await page.getByRole('link', { name: /10\.2\.0\.6.*203\.0\.113\.77/ }).click();
    await preview.getByText('host 10.2.0.6 and host 203.0.113.77 and port 8080').waitFor();
    await done();
});

test('an expression: the mistake is marked, libpcap speaks of the filter', async () => {
    const { page, done } = await open(rig, { allow: [/status of 400/] });

    await page.goto(`${rig.real.url}#/ask/query/${encodeURIComponent('host 10.1.0.2 and prot 53')}`);
    await until(page, () => document.querySelector('.marked mark')?.textContent === 'p');
    const left = await page.evaluate(() => document.querySelector('.marked mark').previousSibling.textContent);
    assert.equal(left, 'host 10.1.0.2 and ');
    assert.match(await page.locator('#expr-hint').innerText(), /but found "prot"/);
    await page.getByLabel(/Expression/).fill('host 10.1.0.2 and (port 53 or port 54)');
    await until(page, () => !document.querySelector('.marked mark'));

    await page.getByText(/^More:/).click();
    await page.getByLabel('BPF filter').fill('tcp and tcp[99');
    await page.locator('#filter-hint.mistake').waitFor();
    await page.getByLabel('BPF filter').fill('tcp and foo');
    await until(page, () => document.querySelector('.marked mark')?.textContent === 'f');
    await done();
});

test('about when: around a moment, in either zone', async () => {
    const { page, done } = await open(rig);
    const at = rig.real.first;
    const local = (s) => new Date(s * 1000).toLocaleString('sv-SE', { timeZone: 'Europe/Berlin' });

    await page.goto(rig.real.url);
    await page.getByLabel('Addresses and networks').fill('203.0.113.77');
    await page.getByLabel('Around').fill(iso(at).replace('T', ' ').replace('Z', ''));
    const after = page.getByLabel('After', { exact: true });
    assert.equal(await after.inputValue(), iso(at - 300).replace('T', ' ').replace('Z', ''));
    await page.getByLabel('Before and after it').selectOption('± 15 min');
    await page.locator('.preview .canonical', { hasText: iso(Math.floor((at - 900) / 60) * 60) }).waitFor();

    // the same question, whatever the clock on the page is
    const asked = await page.locator('.preview .canonical').innerText();
    await page.getByRole('button', { name: 'Local' }).click();
    await until(page, (t) => document.querySelector('#after').value === t, local(at - 900));
    await until(page, () => !document.querySelector('.preview.stale'));
    assert.equal(await page.locator('.preview .canonical').innerText(), asked);

    await after.fill(iso(at));
    assert.equal(await page.getByLabel('Around').inputValue(), '');
    await done();
});

test('a mistake is told once, beside its field, which gets the keyboard', async () => {
    const { page, done } = await open(rig, { allow: [/status of 400/] });

    await page.goto(rig.real.url);
    await page.getByLabel('Addresses and networks').fill('10.1.0.2');
    await page.getByLabel('Ports').fill('99999');
    await page.getByRole('button', { name: 'Get packets', exact: true }).click();
    await page.locator('#ports-hint.mistake').waitFor();
    await until(page, () => document.activeElement.id === 'ports');
    assert.equal(await page.locator('.question .notice').count(), 0);
    await done();
});

// what a proxy in front says, what the page makes of it
const REFUSALS = [
    [401, /You are not signed in any more/], [403, /You are not allowed to do this/], [502, /The proxy gets no answer/],
];

for (const [status, words] of REFUSALS) {
    test(`a proxy that says ${status}`, async () => {
        const { page, done } = await open(rig, { allow: [/Failed to load resource|EventSource/] });

        await page.route('**/api/**', (route) => route.fulfill({ status, contentType: 'text/html', body: '<h1>No</h1>' }));
        for (const view of ['jobs', 'sensors', `status/${'0'.repeat(32)}`]) {
            await page.goto(`${rig.real.url}#/${view}`);
            await page.locator('main .notice', { hasText: words }).waitFor();
        }
        await done();
    });
}

test('a list without jobs', async () => {
    const { page, done } = await open(rig);

    await page.route('**/api/jobs?*', (route) => route.fulfill({ json: [] }));
    await page.goto(`${rig.real.url}#/jobs`);
    await page.getByText('Nothing was asked yet.').waitFor();
    await page.getByLabel('Text of the question').fill('nothing');
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByText('Nothing was asked yet.').waitFor();
    await done();
});

test('by the keyboard alone', async () => {
    // half an address, if the page is faster than the hands
    const { page, done } = await open(rig, { allow: [/status of 400/] });
    const key = page.keyboard;
    const on = (f) => until(page, f);

    await page.goto(rig.real.url);
    await on(() => document.activeElement.id === 'hosts');
    await key.type('203.0.113.77');
    await key.press('Tab');
    await key.type('8080');
    for (let i = 0; i < 20 && await page.evaluate(() => document.activeElement.id !== 'around'); i++) await key.press('Tab');
    await key.type(iso(rig.real.first));
    await page.locator('.preview .canonical', { hasText: 'port 8080' }).waitFor();
    await key.press('Enter');
    await state(page, 'Completed');
    await on(() => document.activeElement.id === 'main');
    await page.locator('.packets tbody tr').first().waitFor();
    for (let i = 0; i < 60 && await page.evaluate(() => !document.activeElement.closest('.packets td')); i++) await key.press('Tab');
    await key.press('Enter');
    await page.locator('.hex').waitFor();
    await done();
});

test('a link of another site is filled in, not sent', async () => {
    const { page, done } = await open(rig);
    await page.goto(`${rig.real.url}#/ask/host/10.1.0.2/port/53/or/host/10.2.0.2/${range}?limit-packets=3`);
    await page.getByLabel(/Expression/).waitFor();
    assert.equal(await page.getByLabel(/Expression/).inputValue(), '((host 10.1.0.2 and port 53) or host 10.2.0.2)');
    await done();
});

test('bars move while a slow sensor sends; the page outlives a reload and a restart; cancel', async () => {
    const { page, done } = await open(rig, { allow: [/Failed to load resource|ERR_/] });

    await rig.sensor(0, { rate: 150000 });
    await page.goto(`${rig.fake.url}#/ask/port/80/after/${iso(rig.fake.first)}/before/${iso(rig.fake.first + 600)}`);
    await page.getByRole('button', { name: 'Get packets', exact: true }).click();
    await state(page, 'Requesting');
    assert.equal(await page.getByText('Download while it is merged').count(), 1);

    const received = () => document.querySelector('.bar .num').textContent;
    const first = await page.evaluate(received);
    await until(page, (was) => document.querySelector('.bar .num').textContent !== was, first);
    await page.locator('.pulse', { hasText: 'live' }).waitFor();
    await shot(page, 'watch-moving');

    assert.equal((await rig.tell('reload fake')).ok, 1);
    const second = await page.evaluate(received);
    await until(page, (was) => document.querySelector('.bar .num')?.textContent !== was, second);

    assert.equal((await rig.tell('stop fake')).ok, 1);
    await page.getByText('The server does not answer just now').waitFor();
    assert.equal((await rig.tell('start fake')).ok, 1);
    await page.locator('.pulse', { hasText: 'live' }).waitFor();
    await state(page, 'Requesting');

    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Really cancel?' }).click();
    await state(page, 'Cancelled');
    await rig.sensor(0);
    await done();
});

const NO_EVENTS = {
    'cut off': (route) => route.abort(),
    '404': (route) => route.fulfill({ status: 404 }),
    '503': (route) => route.fulfill({ status: 503 }),
    'no stream': (route) => route.fulfill({ status: 200, contentType: 'text/html', body: 'sign in' }),
    'kept back': () => {},
};
let port = 1024;

for (const [kind, answer] of Object.entries(NO_EVENTS)) {
    test(`no events (${kind}): the job is polled, its bars move, it ends`, async () => {
        const { page, done } = await open(rig, { allow: [/Failed to load resource|EventSource/] });
        let asked = 0;

        await page.route('**/api/events/*', (route) => { asked++; return answer(route); });
        await rig.sensor(0, { query: 'hold', after: 20000 });
        await page.goto(`${rig.fake.url}#/ask/port/${port++}/after/${iso(rig.fake.first)}/before/${iso(rig.fake.first + 600)}`);
        await page.getByRole('button', { name: 'Get packets', exact: true }).click();
        await state(page, 'Requesting');
        await page.locator('.pulse', { hasText: 'live, by polling' }).waitFor();
        await until(page, () => /KB/.test(document.querySelector('.bar .num')?.textContent));
        assert.ok(asked > 0);

        await rig.sensor(0);
        await state(page, 'Completed');
        await page.getByRole('link', { name: 'Download capture' }).waitFor();
        await done();
    });
}

test('a sensor that fails: partial, the reason as text, asked again', async () => {
    const { page, done } = await open(rig);
    const evil = '<img src=x onerror=alert(1)>';

    await rig.sensor(2, { status: 503, text: evil });
    await page.goto(`${rig.fake.url}#/ask/host/10.1.0.2/after/${iso(rig.fake.first)}/before/${iso(rig.fake.first + 120)}`);
    await page.getByRole('checkbox', { name: /Download/ }).uncheck();
    await page.getByRole('button', { name: 'Get packets', exact: true }).click();
    await page.getByText('Partial:').waitFor();
    await bar(page, 's2').getByText(`503: ${evil}`).waitFor();
    assert.equal(await page.locator('img[src="x"]').count(), 0);

    await rig.sensor(2);
    await page.getByRole('button', { name: 'Ask the missing sensors again' }).click();
    await bar(page, 's2').locator('.badge.good').waitFor();
    await until(page, () => !document.body.textContent.includes('Partial:'));
    await done();
});

test('10,000 jobs: paged, filtered, hostile names as text, deleted', async () => {
    const { page, done } = await open(rig);

    await page.goto(`${rig.fake.url}#/jobs?text=onerror`);
    await page.locator('.list tbody tr').first().waitFor();
    assert.equal(await page.locator('.list tbody tr').count(), 1);
    assert.match(await page.locator('.list tbody').innerText(), /<img src=x onerror=alert\(1\)>/);
    await page.locator('.list .by', { hasText: '<script>' }).waitFor();
    await page.locator('.list .q a').click();
    await page.locator('.bar .words', { hasText: '<script>' }).first().waitFor();
    await page.getByText('History').click();
    await page.locator('.events', { hasText: '<img' }).first().waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);

    await page.goto(`${rig.fake.url}#/jobs`);
    await until(page, () => document.querySelectorAll('.list tbody tr').length === 50);
    const newest = await page.locator('.list .terms').first().innerText();
    for (let i = 2; i <= 4; i++) {
        await page.getByRole('button', { name: 'Older' }).click();
        await page.getByText(`page ${i}`).waitFor();
        await until(page, (t) => document.querySelector('.list .terms')?.textContent !== t, newest);
    }
    assert.equal(await page.locator('.list tbody tr').count(), 50);

    // the oldest, which only a look through all of them finds
    await page.getByLabel('State').selectOption('Failed');
    await page.getByLabel('Text').fill('host 10.2.39.');
    await until(page, () => [...document.querySelectorAll('.list .terms')].length > 0
        && [...document.querySelectorAll('.list .terms')].every((t) => t.textContent.startsWith('host 10.2.39.')));
    assert.match(page.url(), /text=host\+10\.2\.39\.&state=Failed|state=Failed&text=host\+10\.2\.39\./);
    await page.getByLabel('Text').fill('host 10.2.39.250 and port 9999');
    await page.getByText('No job is like this.').waitFor();

    await page.goto(`${rig.fake.url}#/jobs?text=host+10.2.0.2+`);
    await until(page, () => document.querySelectorAll('.list tbody tr').length === 1);
    const row = page.locator('.list tbody tr').first();
    await row.locator('.by', { hasText: 'ada' }).waitFor();
    await row.getByRole('button', { name: 'Delete' }).click();
    await row.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No job is like this.').waitFor();
    await done();
});

test('sensors: one is down, how far back each reaches', async () => {
    const { page, done } = await open(rig);

    await rig.sensor(3, { stats: 'drop' });
    const card = (name) => page.locator('.sensor', { has: page.getByRole('heading', { name, exact: true }) });

    await page.goto(`${rig.fake.url}#/sensors`);
    await card('s3').getByText('Down', { exact: true }).waitFor();
    await card('s3').locator('.notice').waitFor();
    await card('s1').getByText(/days left/).waitFor();
    assert.equal(await page.locator('.reach .track > div').count(), 3);
    await page.getByText('Free in the spool').waitFor();
    await rig.sensor(3);
    await done();
});

test('under a prefix and behind a password', async () => {
    const { page, done } = await open(rig, { httpCredentials: { username: 'analyst', password: 'secret' } });

    await page.goto(`${rig.real.url}tools/docket/#/ask/host/10.3.0.2/${range}`);
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Get packets', exact: true }).click();
    const d = await coming;
    assert.match(d.url(), /\/tools\/docket\/results\//);
    assert.deepEqual(packets(await bytesOf(d)), await rig.tell('truth host 10.3.0.2'));
    await page.getByText('History').click();
    await done();
});

for (const [size, viewport] of VIEWS) for (const colorScheme of ['light', 'dark']) {
    test(`every view, ${size} and ${colorScheme}: axe, no sideways scrolling`, async () => {
        const { page, done } = await open(rig, { viewport, colorScheme, allow: [/status of 400/] });
        const look = async (name) => {
            assert.deepEqual(await serious(page), [], name);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.ok(wide <= 0, `${name} is ${wide} pixels too wide`);
            await shot(page, `${name}-${size}-${colorScheme}`);
        };

        await page.goto(`${rig.real.url}#/ask/host/10.1.0.2/port/53/${range}`);
        await page.locator('.preview .facts').waitFor();
        await look('ask');
        await page.goto(`${rig.real.url}#/ask/query/${encodeURIComponent('host 10.1.0.2 and (port 53 or prot 80)')}?filter=udp`);
        await page.locator('.marked mark').waitFor();
        await look('ask-mistake');
        await page.goto(`${rig.real.url}#/ask/net/10.0.0.0/8/${range}`);
        await page.locator('.preview .facts').waitFor();
        await page.getByRole('checkbox', { name: /Download/ }).uncheck();
        await page.getByRole('button', { name: 'Get packets', exact: true }).click();
        await page.locator('.packets tbody tr').nth(2).click();
        await page.locator('.hex').waitFor();
        await page.locator('.chart canvas').waitFor();
        await look('watch');
        await page.goto(`${rig.fake.url}#/jobs`);
        await page.locator('.list .by', { hasText: 'ada' }).first().waitFor();
        await look('jobs');
        await page.goto(`${rig.real.url}#/sensors`);
        await page.locator('.sensor details').first().waitFor();
        await look('sensors');

        // one screen that says most
        await page.goto(`${rig.real.url}#/ask/query/${encodeURIComponent('port 53 or port 8080 or icmp')}/${range}`);
        await page.locator('.preview .facts').waitFor();
        await page.getByRole('button', { name: 'Get packets', exact: true }).click();
        await page.locator('.packets tbody tr').first().waitFor();
        await page.locator('.chart canvas').waitFor();
        if (size === 'wide') await page.setViewportSize({ width: 1280, height: 1280 });
        await page.screenshot({ path: join(shots, `screen-${size}-${colorScheme}.png`) });
        await done();
    });
}
