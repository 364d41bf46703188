/** A field for words that filter what is shown. */
export function SearchField({
  label,
  text = '',
  onText,
  id,
}: {
  label: string;
  text: string | undefined;
  onText(text: string): void;
  id?: string;
}) {
  return (
    <input
      {...(id && { id })}
      type="search"
      aria-label={label}
      placeholder={label}
      value={text}
      onInput={({ currentTarget }) => onText(currentTarget.value)}
    />
  );
}
