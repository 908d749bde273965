import { useLayoutEffect, useRef } from 'preact/hooks';

import { indexOfByte } from '../lib/text.js';

/*
 * A text field of one line that wraps, in which the character at "position"
 * (bytes; null: none) is marked.  The same text lies below it, with the mark.
 * Enter sends.
 */
export function Marked({ id, value, position, onValue, onSend, invalid, describedBy, ...rest }) {
    const area = useRef();
    const at = position === null || position === undefined ? null : indexOfByte(value, position);

    useLayoutEffect(() => {
        area.current.style.height = 'auto';
        area.current.style.height = `${area.current.scrollHeight}px`;
    }, [value]);

    function key(e) {
        if (e.key === 'Enter' && !e.isComposing && !e.shiftKey) {
            e.preventDefault();
            onSend?.();
        }
    }

    // a surrogate pair is one character
    const width = at !== null && value.codePointAt(at) > 0xffff ? 2 : 1;

    return (
        <div class="marked">
            <div class="under" aria-hidden="true">
                {at === null ? value : (
                    <>
                        {value.slice(0, at)}
                        <mark>{value.slice(at, at + width) || ' '}</mark>
                        {value.slice(at + width)}
                    </>
                )}
            </div>
            <textarea id={id} ref={area} rows={1} value={value} spellcheck={false} autocomplete="off"
                autocapitalize="off" onInput={(e) => onValue(e.currentTarget.value.replace(/[\r\n]+/g, ' '))}
                onKeyDown={key} aria-invalid={invalid ? 'true' : undefined} aria-describedby={describedBy} {...rest} />
        </div>
    );
}
