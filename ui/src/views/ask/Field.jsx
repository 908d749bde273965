// A labelled line of text, with its mistake below it.

export function Field({ id, label, hint, error, wide, value, onValue, ...rest }) {
    return (
        <div class={`field ${wide ? 'wide' : ''}`}>
            <label for={id}>{label}</label>
            <input id={id} type="text" value={value} autocomplete="off" autocapitalize="off" spellcheck={false}
                onInput={(e) => onValue(e.currentTarget.value)} aria-invalid={error ? 'true' : undefined}
                aria-describedby={error || hint ? `${id}-hint` : undefined} {...rest} />
            {(error || hint) && (
                <p id={`${id}-hint`} class={error ? 'mistake' : 'hint'}>{error ? error.message : hint}</p>
            )}
        </div>
    );
}
