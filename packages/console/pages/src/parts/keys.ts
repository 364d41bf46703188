/** All keyboard shortcuts in one list, so that `?` can show them. Single-character shortcuts can be turned off (WCAG 2.1.4). */
import { useLayoutEffect } from 'preact/hooks';

interface Key {
  key: string;
  what: string;
  run(event: KeyboardEvent): void;
}

const groups = new Map<string, readonly Key[]>();

export function keyGroups(): [string, readonly Key[]][] {
  return [...groups];
}

/**
 * Shortcuts that work while the component is shown, and no text is being typed. Registered before painting, because a later effect would
 * leave the previous screen's shortcuts active for a moment.
 */
export function useKeys(group: string, keys: readonly Key[]): void {
  useLayoutEffect(() => {
    groups.set(group, keys);
    const listener = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) || document.querySelector('dialog[open]')) return;
      const found = keys.find(({ key }) => key === event.key);
      if (!found || (isCharacter(event.key) && !areCharactersOn())) return;
      event.preventDefault();
      found.run(event);
    };
    addEventListener('keydown', listener);
    return () => {
      removeEventListener('keydown', listener);
      groups.delete(group);
    };
  });
}

const kept = 'skolo-character-keys';

export function areCharactersOn(): boolean {
  return localStorage.getItem(kept) !== 'off';
}

export function turnCharacters(on: boolean): void {
  localStorage.setItem(kept, on ? 'on' : 'off');
}

/** Not Space, which selects the focused tile. */
function isCharacter(key: string): boolean {
  return key.length === 1 && key !== ' ';
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  );
}
