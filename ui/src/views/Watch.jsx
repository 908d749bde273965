// One job: moves by itself until it is final, then shows what came.

import { useEffect, useRef, useState } from 'preact/hooks';

import * as api from '../lib/api.js';
import { disarm, download, isArmed } from '../lib/armed.js';
import { isFinal, watch } from '../lib/events.js';
import { sentence } from '../lib/format.js';
import { useTitle } from '../lib/hooks.js';
import { fileName } from '../lib/question.js';
import { Failure, Notice } from '../parts/small.jsx';
import { Head } from './watch/Head.jsx';
import { History } from './watch/History.jsx';
import { Notices } from './watch/Notices.jsx';
import { Packets } from './watch/Packets.jsx';
import { Progress } from './watch/Progress.jsx';
import { Summary } from './watch/Summary.jsx';

const ID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

export function Watch({ route }) {
    const id = route.rest.replace(/\/$/, '');
    const [job, setJob] = useState(null);
    const [link, setLink] = useState('');
    const [lost, setLost] = useState(null);
    const [round, setRound] = useState(0);
    const [failure, setFailure] = useState(null);
    const url = useUrl(id, job);

    useTitle(job ? `${job.state}: ${job.terms || 'job'}` : 'Job');

    useEffect(() => {
        if (!ID.test(id)) {
            setLink('gone');
            return undefined;
        }
        return watch(id.replace(/-/g, '').toLowerCase(), {
            job: setJob,
            link: (what, error) => { setLink(what); setLost(error); },
        });
    }, [id, round]);

    useDownload(job, url);

    // a run that was asked for anew is watched anew
    async function act(request) {
        setFailure(null);
        try {
            await request();
            setLink('');
            setRound((r) => r + 1);
        } catch (e) {
            setFailure(e);
        }
    }

    if (link === 'gone') {
        return (
            <div class="watch">
                <h1>No such job</h1>
                <Notice tone="warn">
                    It was never asked here, or it has expired or been deleted since.{' '}
                    <a href="#/jobs">All jobs</a>, <a href="#/ask">ask anew</a>.
                </Notice>
            </div>
        );
    }

    if (!job) {
        return (
            <div class="watch">
                <h1 class="sr">Job</h1>
                {link === 'lost'
                    ? <Lost error={lost} />
                    : <p class="muted">Looking for the job …</p>}
            </div>
        );
    }

    const capture = job.capture && url;

    return (
        <div class="watch">
            <Head job={job} url={url} link={link} act={act} />
            <Failure error={failure} />
            {link === 'lost' && !isFinal(job) && (
                <Lost error={lost} />
            )}
            <Notices job={job} act={act} />
            <Progress job={job} />
            {capture && <Summary key={`s${job.capture.run}`} job={job} />}
            {capture && job.capture.packets > 0 && <Packets key={`p${job.capture.run}`} job={job} url={url} />}
            <History job={job} />
        </div>
    );
}

function Lost({ error }) {
    return (
        <Notice tone="warn" title={sentence(error?.status ? error.message : 'the server does not answer just now')}>
            Trying again: this page goes on by itself.
        </Notice>
    );
}

// Where the capture is, as the API says: null until there is one.
function useUrl(id, job) {
    const [url, set] = useState(null);
    const run = job?.capture?.run;

    useEffect(() => {
        if (run === undefined) return undefined;
        const control = new AbortController();
        api.get(`urls/${job.id}`, { signal: control.signal })
            .then((urls) => { if (urls[job.id]) set(new URL(urls[job.id], api.base()).href); })
            .catch(() => {});
        return () => control.abort();
    }, [run]);

    return url;
}

// What was asked here downloads itself, once.
function useDownload(job, url) {
    const done = useRef(false);

    useEffect(() => {
        if (done.current || !job || !isFinal(job) || !isArmed(job.id)) return;
        if (job.capture && !job.empty && job.state === 'Completed') {
            if (!url) return;
            download(url, fileName(job));
        }
        done.current = true;
        disarm(job.id);
    }, [job, url]);
}
