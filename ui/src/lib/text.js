// The place in a string of an offset in bytes of its UTF-8, as the API tells
// where a mistake is.
export function indexOfByte(text, offset) {
    let bytes = 0;

    for (let i = 0; i < text.length;) {
        if (bytes >= offset) return i;
        const code = text.codePointAt(i);
        bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        i += code > 0xffff ? 2 : 1;
    }

    return text.length;
}
