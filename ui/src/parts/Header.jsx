import { setPref, usePrefs } from '../lib/prefs.js';
import { zoneName } from '../lib/time.js';

const VIEWS = [['ask', 'Ask'], ['jobs', 'Jobs'], ['sensors', 'Sensors']];
const THEMES = { auto: ['light', '◐', 'as the system has it'], light: ['dark', '☀', 'light'], dark: ['auto', '☾', 'dark'] };

export function Header({ view }) {
    const { theme, zone } = usePrefs();
    const [next, sign, words] = THEMES[theme] ?? THEMES.auto;

    return (
        <header class="top">
            <a class="brand" href="#/ask" aria-label="Docket: ask">
                <img src="icon.svg" alt="" width="24" height="24" />
                <span>Docket</span>
            </a>
            <nav aria-label="Views">
                {VIEWS.map(([name, title]) => (
                    <a key={name} href={`#/${name}`} aria-current={view === name ? 'page' : undefined}>{title}</a>
                ))}
            </nav>
            <div class="prefs">
                <div class="segments" role="group" aria-label="Time zone">
                    {[['utc', 'UTC', 'Times in UTC'], ['local', 'Local', `Times in ${zoneName()}`]].map(([name, title, what]) => (
                        <button key={name} type="button" aria-pressed={zone === name} title={what}
                            onClick={() => setPref('zone', name)}>{title}</button>
                    ))}
                </div>
                <button type="button" class="quiet" onClick={() => setPref('theme', next)} title={`Colours: ${words}`}>
                    <span aria-hidden="true">{sign}</span><span class="sr">Colours: {words}</span>
                </button>
            </div>
        </header>
    );
}
