/** Text that somebody is writing: it survives Escape, a reload and a sign-in in this tab. */
import { useState } from 'preact/hooks';

/** @param subject what the text is about; empty text ends the draft */
export function useDraft(subject: string): [string, (text: string) => void] {
  const key = `draft: ${subject}`;
  const [text, setText] = useState(() => sessionStorage.getItem(key) ?? '');
  function write(next: string): void {
    setText(next);
    if (next === '') sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, next);
  }
  return [text, write];
}
