// Reads classic captures: the first packets out of the first bytes.

const MAGIC = {
    0xa1b2c3d4: [false, 6], 0xd4c3b2a1: [true, 6],
    0xa1b23c4d: [false, 9], 0x4d3cb2a1: [true, 9],
};
const MAX_RECORD = 0x1000000;

/*
 * {digits, link, packets, used, bad}: digits of the fraction of a second (6 or
 * 9), the link type, at most "max" packets {sec, frac, len, data}, how many
 * bytes they fill, and in words what is wrong with the bytes, if anything is.
 * A record that is not wholly there is left for next time.  null: not even a
 * header.
 */
export function read(bytes, max = Infinity) {
    if (bytes.length < 24) return null;

    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const known = MAGIC[view.getUint32(0)];
    const out = { digits: 6, link: 0, packets: [], used: 24, bad: '' };

    if (!known) return { ...out, used: 0, bad: 'this is no capture' };

    const [little, digits] = known;
    out.digits = digits;
    out.link = view.getUint32(20, little) & 0xfffffff;

    while (out.packets.length < max && out.used + 16 <= bytes.length) {
        const at = out.used;
        const caplen = view.getUint32(at + 8, little);

        if (caplen > MAX_RECORD) {
            out.bad = `a record claims ${caplen} bytes`;
            break;
        }
        if (at + 16 + caplen > bytes.length) break;

        out.packets.push({
            sec: view.getUint32(at, little), frac: view.getUint32(at + 4, little),
            len: view.getUint32(at + 12, little),
            data: bytes.subarray(at + 16, at + 16 + caplen),
        });
        out.used = at + 16 + caplen;
    }

    return out;
}
