import * as api from '../../lib/api.js';
import { isArmed } from '../../lib/armed.js';
import { isFinal } from '../../lib/events.js';
import { bytes, count, duration, plural } from '../../lib/format.js';
import { useNow } from '../../lib/hooks.js';
import { fileName, fromJob, toPath } from '../../lib/question.js';
import { Badge, Copy, Range, Sure } from '../../parts/small.jsx';
import { Refresh } from './Refresh.jsx';

export function Head({ job, url, link, act }) {
    const final = isFinal(job);
    const path = toPath(fromJob(job), 'utc', 0);
    const size = job.capture?.bytes;
    const old = job.capture && job.capture.run !== job.run;

    return (
        <section class="card job-head" aria-label="Job">
            <div class="state">
                <Badge state={job.state} />
                {!final && <Link link={link} />}
                <span class="muted"><Clock job={job} /></span>
                <span class="end mono muted id">{job.id}</span>
            </div>
            <h1 class="terms">{job.terms || job.query}</h1>
            <p class="row when">
                <Range after={job.after} before={job.before} />
                {job.filter && <span>filter <code>{job.filter}</code></span>}
                {job.sensors && <span>sensors {job.sensors.join(', ')}</span>}
                {job.limit_packets > 0 && <span>at most {plural(job.limit_packets, 'packet')}</span>}
                {job.limit_bytes > 0 && <span>at most {bytes(job.limit_bytes)}</span>}
            </p>
            <div class="actions">
                {url && job.capture
                    ? <a class="button primary" href={url} download={fileName(job)}>
                        Download {old ? 'the earlier capture' : 'capture'} <small>{bytes(size)}</small>
                    </a>
                    : !final && <a class="button primary" href={api.url(`pcap/${path}`)} download={fileName(job)}
                        title="The packets come while they are merged; the download breaks off if a sensor fails">
                        Download while it is merged
                    </a>}
                {!final && isArmed(job.id) && <span class="muted">downloads itself when it is ready</span>}
                {!final && (
                    <Sure class="secondary" sure="Really cancel?" disabled={job.progress?.cancelling}
                        onSure={() => act(() => api.post(`cancel/${job.id}`))}>
                        {job.progress?.cancelling ? 'Cancelling …' : 'Cancel'}
                    </Sure>
                )}
                {final && <Refresh job={job} act={act}>Refresh</Refresh>}
                <a class="button secondary" href={`#/ask/${path}`}>Change the question</a>
                <Copy text={`${document.baseURI.split('#')[0]}#/status/${job.id}`}>Copy link</Copy>
            </div>
        </section>
    );
}

function Link({ link }) {
    const words = { live: 'live', polling: 'live, by polling', lost: 'no connection' }[link] ?? '';
    return <span class={`pulse ${link}`}>{words}</span>;
}

function Clock({ job }) {
    const now = useNow(1000);
    const t = (v) => Date.parse(v);
    const position = job.progress?.position;

    if (isFinal(job)) {
        return job.started && job.finished ? `took ${duration(t(job.finished) - t(job.started))}` : '';
    }
    if (!job.started || job.state === 'Created') {
        return `${position ? `number ${count(position)} in the queue, ` : ''}`
            + `waiting for ${duration(Math.max(0, now - t(job.requested ?? job.created)))}`;
    }
    return `running for ${duration(Math.max(0, now - t(job.started)))}`;
}
