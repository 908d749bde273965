// What somebody must know before trusting a capture.

import * as api from '../../lib/api.js';
import { Refresh } from './Refresh.jsx';
import { isFinal } from '../../lib/events.js';
import { relative } from '../../lib/format.js';
import { useNow } from '../../lib/hooks.js';
import { Notice, Time, Words } from '../../parts/small.jsx';

export function Notices({ job, act }) {
    const now = useNow(5000);
    const final = isFinal(job);
    const failed = Object.entries(job.requests).filter(([, r]) => r.state === 'Failed' || r.state === 'Partial');
    const settles = job.settles_at ? Date.parse(job.settles_at) : null;
    const retry = (
        <button type="button" class="secondary small" onClick={() => act(() => api.post(`retry/${job.id}`))}>
            Ask the missing sensors again
        </button>
    );

    return (
        <div class="notices">
            {final && job.state === 'Failed' && (
                <Notice tone="bad" title="No sensor answered.">
                    <Words text={job.reason} /> {failed.length > 0 && retry}
                </Notice>
            )}
            {final && job.partial && job.state !== 'Failed' && (
                <Notice tone="warn" title="Partial:">
                    packets of {failed.length ? failed.map(([n]) => n).join(', ') : 'some sensors'} are missing.{' '}
                    <Words text={job.reason} /> {retry}
                </Notice>
            )}
            {job.truncated && (
                <Notice tone="warn" title="Truncated:">the capture ends early. {!job.partial && <Words text={job.reason} />}</Notice>
            )}
            {final && job.state === 'Cancelled' && (
                <Notice title="Cancelled.">{job.capture ? 'The capture is of an earlier run.' : 'There is no capture.'}</Notice>
            )}
            {!job.exact && (
                <Notice tone="warn" title="Not exact:">
                    a time below an “or” selects whole files of a sensor, so there may be packets outside of it.
                </Notice>
            )}
            {final && job.state === 'Completed' && !job.settled && settles !== null && (
                <Notice tone="warn" title="Not settled:">
                    the newest packets may be missing, because sensors index them some time after they were seen.{' '}
                    {settles > now
                        ? <>They surely have {relative(settles - now)}, at <Time at={settles} named />: refresh then.</>
                        : <>By now they surely have. <Refresh class="secondary small" job={job} act={act}>Refresh</Refresh></>}
                </Notice>
            )}
            {final && job.empty && job.state === 'Completed' && (
                <Notice title="No packets.">
                    The sensors that answered have none of this question. Inner addresses of tunnels are not found.
                </Notice>
            )}
        </div>
    );
}
