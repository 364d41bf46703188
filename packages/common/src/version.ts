import { readFileSync } from 'node:fs';
import { z } from 'zod';

const Package = z.object({ version: z.string() });

/** The version of the software, from the package beside it; `unknown` where a bundle has left that behind. */
export function ownVersion(): string {
  try {
    const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    return Package.parse(JSON.parse(text)).version;
  } catch {
    return 'unknown';
  }
}
