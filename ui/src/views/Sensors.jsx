// Every sensor, asked now and again; and the server beside them.

import * as api from '../lib/api.js';
import { bytes, count, plural } from '../lib/format.js';
import { useNow, usePoll, useTitle } from '../lib/hooks.js';
import { Badge, Failure, Notice } from '../parts/small.jsx';
import { Reach } from './sensors/Reach.jsx';
import { Sensor } from './sensors/Sensor.jsx';

const PERIOD = 5000;

export function Sensors() {
    const now = useNow(5000);
    const configured = usePoll((signal) => api.get('sensors', { signal }), () => 0, []);
    const stats = usePoll((signal) => api.get('stats', { signal }), () => PERIOD, []);

    useTitle('Sensors');

    const docket = stats.data?.docket;
    const names = configured.data?.map((s) => s.name) ?? Object.keys(stats.data ?? {}).filter((n) => n !== 'docket');
    const sensors = names.map((name) => ({
        ...configured.data?.find((s) => s.name === name), ...stats.data?.[name], name,
    }));

    return (
        <div class="sensors">
            <div class="head">
                <h1>Sensors</h1>
                {docket && <Health sensors={sensors} />}
            </div>
            <Failure error={stats.error ?? configured.error} />
            {docket && !docket.helper && (
                <Notice tone="bad" title="The docket process is not running:">questions are refused until it is.</Notice>
            )}
            {docket?.waits && (
                <Notice tone="warn" title="Another nginx owns the spool:">new questions wait until it stops.</Notice>
            )}
            {docket?.low && <Notice tone="bad" title="The spool is low on space:">questions are refused.</Notice>}
            {configured.data && sensors.length === 0 && (
                <Notice title="No sensors:">docket_sensor in the server's configuration names them.</Notice>
            )}
            {sensors.length > 0 && <Reach sensors={sensors} now={now} />}
            {sensors.length > 0 && (
                <ul class="cards">
                    {sensors.map((s) => <Sensor key={s.name} sensor={s} now={now} />)}
                </ul>
            )}
            {docket && <Server docket={docket} />}
        </div>
    );
}

function Health({ sensors }) {
    const n = (h) => sensors.filter((s) => s.health === h).length;
    return (
        <span class="row">
            {['up', 'busy', 'down', 'unknown'].map((h) => n(h) > 0 && <Badge key={h} state={h} words={`${n(h)} ${h}`} />)}
        </span>
    );
}

function Server({ docket }) {
    const [free, nodes] = docket['Free space'];
    return (
        <section class="card server" aria-label="Server">
            <h2>Server</h2>
            <dl class="facts row">
                <div><dt>Free in the spool</dt><dd>{bytes(free)}</dd></div>
                <div><dt>Free inodes</dt><dd>{count(nodes)}</dd></div>
                <div><dt>Queue</dt><dd>{plural(docket.queue, 'job')}</dd></div>
                <div><dt>Running</dt><dd>{plural(docket.running, 'job')}</dd></div>
                <div><dt>Jobs kept</dt><dd>{count(docket.jobs)}</dd></div>
                <div><dt>Version</dt><dd>{docket.version}</dd></div>
            </dl>
        </section>
    );
}
