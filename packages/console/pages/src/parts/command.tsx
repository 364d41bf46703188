import { useState } from 'preact/hooks';

/** A command line for a terminal. One click selects it, because browsers only let secure pages copy. */
export function Command({ line }: { line: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () =>
    navigator.clipboard.writeText(line).then(
      () => setCopied(true),
      // The user has denied permission, and can still select the line.
      () => setCopied(false),
    );
  return (
    <p class="command">
      <code>{line}</code>
      {isSecureContext && (
        <button type="button" class="quiet" onClick={() => void copy()}>
          {isCopied ? 'Copied' : 'Copy'}
        </button>
      )}
    </p>
  );
}
