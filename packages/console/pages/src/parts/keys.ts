/** Keys, in one list, so that `?` shows what there is. Those of a single character can be turned off (WCAG 2.1.4). */
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
 * Keys that work while the component is shown, and no text is being typed. They act on what is on the screen: an effect after
 * the drawing would leave the keys of the screen before it for a moment.
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

/** Not Space, which selects the tile in focus. */
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
