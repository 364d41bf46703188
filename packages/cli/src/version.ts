import { readFileSync } from 'node:fs';

/** The version of the software, from the package's own file; `unknown` where a bundle has left that behind. */
export function ownVersion(): string {
  try {
    const { version }: { version?: unknown } = JSON.parse(
      readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
    );
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'unknown';
  }
}
