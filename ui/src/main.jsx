import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import './style/base.css';
import './style/parts.css';
import './style/ask.css';
import './style/watch.css';
import './style/lists.css';

import { applyTheme } from './lib/prefs.js';
import { useRoute } from './lib/route.js';
import { Header } from './parts/Header.jsx';
import { Ask } from './views/Ask.jsx';
import { Jobs } from './views/Jobs.jsx';
import { Sensors } from './views/Sensors.jsx';
import { Watch } from './views/Watch.jsx';

// which of the header's links a view belongs to
const VIEWS = { pivot: 'ask', status: 'jobs' };

function App() {
    const route = useRoute();
    useArrival(`${route.view}/${route.rest}`);

    return (
        <>
            <a class="skip" href="#main" onClick={skip}>Skip to the content</a>
            <Header view={VIEWS[route.view] ?? route.view} />
            <main id="main" tabIndex={-1}>
                {(route.view === 'ask' || route.view === 'pivot') && <Ask route={route} />}
                {route.view === 'status' && <Watch key={route.rest} route={route} />}
                {route.view === 'jobs' && <Jobs route={route} />}
                {route.view === 'sensors' && <Sensors />}
            </main>
        </>
    );
}

// Another view begins at its top, and is where the keyboard goes on.
function useArrival(place) {
    const first = useRef(true);

    useEffect(() => {
        if (!first.current) {
            scrollTo(0, 0);
            document.getElementById('main').focus({ preventScroll: true });
        }
        first.current = false;
    }, [place]);
}

// the hash belongs to the router
function skip(e) {
    e.preventDefault();
    document.getElementById('main').focus();
}

applyTheme();
render(<App />, document.getElementById('app'));
