import { readFileSync } from 'node:fs';
import { z } from 'zod';

const Package = z.object({ version: z.string() });

/** From package.json; `unknown` in a bundle without it. */
export function ownVersion(): string {
  try {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    return Package.parse(JSON.parse(text)).version;
  } catch {
    return 'unknown';
  }
}
