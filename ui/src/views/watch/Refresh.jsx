import * as api from '../../lib/api.js';
import { fromJob, toPath } from '../../lib/question.js';

// Asks all sensors again.
export function Refresh({ job, act, children, ...rest }) {
    const path = toPath({ ...fromJob(job), refresh: true }, 'utc', 0);

    return (
        <button type="button" class="secondary" title="Asks all sensors again" {...rest}
            onClick={() => act(() => api.get(`uri/${path}`))}>{children}</button>
    );
}
