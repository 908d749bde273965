// Packets over time.  A range that is drawn with the pointer is given to
// onRange(from, to) in milliseconds.

import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { usePrefs } from '../lib/prefs.js';
import { format } from '../lib/time.js';

const HEIGHT = 150;
// seconds between two labels of time: they show no parts of one
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

// midnight is the day that begins
function clock(t, zone) {
    const text = format(t * 1000, zone);
    return text.endsWith('00:00:00') ? text.slice(5, 10) : text.slice(11).replace(/:00$/, '');
}

const zoned = { utc: (ts) => uPlot.tzDate(new Date(ts * 1e3), 'Etc/UTC'), local: (ts) => new Date(ts * 1e3) };

export function Chart({ start, seconds, values, onRange, label }) {
    const box = useRef();
    const { zone, theme } = usePrefs();

    useEffect(() => {
        const at = box.current;
        const probe = (name) => {
            // a custom property may be a function: the canvas needs a colour
            const el = document.createElement('i');
            el.style.color = `var(${name})`;
            at.append(el);
            const c = getComputedStyle(el).color;
            el.remove();
            return c;
        };
        const xs = values.map((_, i) => start / 1000 + i * seconds);
        const axis = { stroke: probe('--muted'), grid: { stroke: probe('--line'), width: 1 }, ticks: { show: false },
            font: '11px system-ui, sans-serif' };

        const plot = new uPlot({
            width: at.clientWidth, height: HEIGHT,
            tzDate: zoned[zone], legend: { show: false },
            cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
            scales: { x: { time: true, range: () => [xs[0], xs[xs.length - 1] + seconds] }, y: { range: (u, lo, hi) => [0, Math.max(1, hi * 1.05)] } },
            axes: [{ ...axis, size: 26, space: 80, incrs: STEPS, values: (u, ts) => ts.map((t) => clock(t, zone)) }, { ...axis, size: 52, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 2000000, 5000000, 1e7, 1e8] }],
            series: [{}, {
                stroke: probe('--accent'), fill: probe('--accent-soft'), width: 1,
                paths: uPlot.paths.bars({ size: [0.94, 200], align: 1 }), points: { show: false },
            }],
            hooks: {
                setSelect: [(u) => {
                    const { left, width } = u.select;
                    if (width < 4 || !onRange) return;
                    onRange(u.posToVal(left, 'x') * 1000, u.posToVal(left + width, 'x') * 1000);
                }],
            },
        }, [xs, values], at);

        const resized = new ResizeObserver(() => {
            plot.setSize({ width: at.clientWidth, height: HEIGHT });
        });
        resized.observe(at);
        return () => { resized.disconnect(); plot.destroy(); };
    }, [start, seconds, values, zone, theme]);

    return <div class="chart" ref={box} role="img" aria-label={label} />;
}
