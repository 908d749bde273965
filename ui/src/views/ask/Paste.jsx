// An event of another tool, pasted: its addresses, ports and time become the
// question.

export function Paste() {
    return null;
}
