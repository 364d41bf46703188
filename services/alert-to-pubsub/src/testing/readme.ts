import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The YAML in README.md that contains this text: what people copy is what is tested. */
export function yamlOfReadme(holds: string): string {
  for (const [, block = ''] of text.matchAll(/^```yaml\n(.*?)^```/gms)) {
    if (block.includes(holds)) return block;
  }
  throw new Error(`README.md has no YAML with ${holds}`);
}
