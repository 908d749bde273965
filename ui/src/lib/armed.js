// Jobs whose capture downloads itself once it is there: those that were asked
// on this page.

const armed = new Set();

export const arm = (id) => armed.add(id);
export const isArmed = (id) => armed.has(id);
export const disarm = (id) => armed.delete(id);

// Saves what an address of the same origin gives.
export function download(address, name) {
    const a = document.createElement('a');
    a.href = address;
    a.download = name;
    a.hidden = true;
    document.body.append(a);
    a.click();
    a.remove();
}
