/** Why somebody does something: Enter submits its form, and Shift-Enter begins a line. Or a note, which may have many. */
export function Reason({
  text,
  isNote = false,
  required,
  onChange,
}: {
  text: string;
  isNote?: boolean;
  required: boolean;
  onChange(text: string): void;
}) {
  return (
    <label>
      {isNote ? 'Note' : 'Reason'}
      <textarea
        required={required}
        maxLength={isNote ? 4000 : 1000}
        rows={2}
        value={text}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
        onKeyDown={(event) => {
          if (isNote || event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          // As in other fields: not while the button is disabled.
          event.currentTarget.form?.querySelector<HTMLElement>('[type=submit]')?.click();
        }}
      />
    </label>
  );
}
