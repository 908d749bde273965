const WIDTH = 16;
const MOST = 4096;

export function dump(data) {
    const lines = [];

    for (let at = 0; at < Math.min(data.length, MOST); at += WIDTH) {
        const row = [...data.subarray(at, at + WIDTH)];
        const hex = row.map((b) => b.toString(16).padStart(2, '0'));
        const left = hex.slice(0, 8).join(' ').padEnd(23);
        const right = hex.slice(8).join(' ').padEnd(23);
        const text = row.map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.')).join('');
        lines.push(`${at.toString(16).padStart(4, '0')}  ${left}  ${right}  ${text}`);
    }

    if (data.length > MOST) lines.push(`… ${data.length - MOST} bytes more`);
    return lines.join('\n');
}
