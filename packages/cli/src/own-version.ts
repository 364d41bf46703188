import { readFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';

/** From package.json, which the executable contains; `unknown` in a bundle without it. */
export function ownVersion(): string {
  try {
    const text = isSea()
      ? getAsset('package.json', 'utf8')
      : readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    const { version }: { version?: unknown } = JSON.parse(text);
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'unknown';
  }
}
