// Each kind of event, pasted: two actions to the capture.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { iso, open, packets, shot, start } from './rig.js';

let rig;

before(async () => { rig = await start({ jobs: 10 }); });
after(() => rig?.stop());

// the shared host is seen by every sensor; each has its own ports
const EVENTS = {
    'Suricata EVE': (t) => JSON.stringify({
        timestamp: iso(t + 100).replace('Z', '.250000+0000'), flow_id: 1234, event_type: 'alert',
        src_ip: '10.2.0.6', src_port: 6666, dest_ip: '203.0.113.77', dest_port: 8080, proto: 'TCP',
        alert: { signature: '<b>ET TEST</b>', severity: 1 }, flow: { start: iso(t + 30).replace('Z', '.000000+0000') },
    }),
    'Zeek': (t) => ['#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration',
        `${t + 60}.5\tCabc\t10.2.0.6\t6666\t203.0.113.77\t8080\ttcp\thttp\t60.0`].join('\n'),
    'Zeek JSON': (t) => JSON.stringify({ ts: t + 60.5, uid: 'C1', 'id.orig_h': '10.2.0.6', 'id.orig_p': 6666,
        'id.resp_h': '203.0.113.77', 'id.resp_p': 8080, proto: 'tcp', duration: 60 }),
    'ECS': (t) => JSON.stringify({ '@timestamp': iso(t + 100), source: { ip: '10.2.0.6', port: 6666 },
        destination: { ip: '203.0.113.77', port: 8080 }, network: { transport: 'tcp' } }),
    'text': () => 'tcp 10.2.0.6:6666 -> 203.0.113.77:8080',
};

async function paste(page, text) {
    const box = page.getByLabel('Paste an event', { exact: true }).and(page.locator('textarea'));
    await box.focus();
    await page.evaluate((t) => {
        const data = new DataTransfer();
        data.setData('text/plain', t);
        const area = document.activeElement;
        if (area.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))) {
            document.execCommand('insertText', false, t);
        }
    }, text);
    return box;
}

for (const [kind, event] of Object.entries(EVENTS)) {
    test(`${kind}: paste, Enter, the capture`, async () => {
        const { page, done } = await open(rig);
        await page.goto(rig.real.url);

        const box = await paste(page, event(rig.real.first));
        await page.locator('.paste .used b', { hasText: kind.split(' JSON')[0] }).waitFor();
        await page.waitForFunction(() => document.querySelector('#hosts').value !== '');
        assert.deepEqual((await page.getByLabel('Addresses and networks').inputValue()).split(' ').sort(), ['10.2.0.6', '203.0.113.77']);
        assert.deepEqual((await page.getByLabel('Ports').inputValue()).split(' ').sort(), ['6666', '8080']);
        await page.locator('.preview .canonical', { hasText: 'port 6666 and port 8080 and tcp' }).waitFor();
        if (kind === 'Suricata EVE') await shot(page, 'paste');

        const coming = page.waitForEvent('download');
        await box.press('Enter');
        const got = packets(new Uint8Array(await readFile(await (await coming).path())));
        const truth = await rig.tell('truth host 10.2.0.6 and host 203.0.113.77 and port 6666');
        const [, from, to] = /after (\S+) and before (\S+)$/.exec(await page.evaluate(() =>
            document.querySelector('.history code').textContent));
        const inRange = truth.filter(([ns]) => ns / 1e6 >= Date.parse(from) && ns / 1e6 < Date.parse(to));
        assert.ok(got.length > 0);
        assert.deepEqual(got, inRange);
        await done();
    });
}

test('what is no event', async () => {
    const { page, done } = await open(rig, { allow: [/status of 400/] });
    await page.goto(rig.real.url);
    await paste(page, 'there is no address in this');
    await page.locator('.paste .mistake').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Get its packets' }).isDisabled());
    await done();
});

test('a link with an event: filled in, not asked', async () => {
    const { page, done } = await open(rig);
    const posts = [];
    page.on('request', (r) => { if (r.method() === 'POST' && /api\/(pivot.*)?$/.test(r.url())) posts.push(r.url()); });
    await page.goto(`${rig.real.url}#/pivot?src_ip=10.2.0.6&src_port=6666&dest_ip=203.0.113.77&dest_port=8080&proto=TCP&filter=tcp`);
    await page.waitForFunction(() => document.querySelector('#hosts').value !== '');
    assert.equal(await page.getByLabel('Addresses and networks').inputValue(), '10.2.0.6 203.0.113.77');
    assert.equal(await page.getByLabel('Ports').inputValue(), '6666 8080');
    await page.locator('.preview .canonical', { hasText: 'port 6666 and port 8080 and tcp' }).waitFor();
    await page.locator('.preview .canonical', { hasText: 'filter tcp' }).waitFor();
    assert.deepEqual(posts, []);
    await done();
});

test('a link with what is no event', async () => {
    const { page, done } = await open(rig, { allow: [/status of 400/] });
    for (const link of ['#/pivot?src_ip=nowhere', 'api/pivot?src_ip=nowhere']) {
        await page.goto('about:blank');
        await page.goto(rig.real.url + link);
        await page.getByText('This link cannot be read:').waitFor();
    }
    await page.goto(`${rig.real.url}api/uri/host/10.1.0.2/port/99999`);
    await page.locator('#ports-hint.mistake').waitFor();
    assert.equal(await page.getByLabel('Addresses and networks').inputValue(), '10.1.0.2');
    await done();
});
