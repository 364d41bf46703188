import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const script = fileURLToPath(new URL('compile-sources.mjs', import.meta.url));

/** @param {Record<string, string>} files */
function compile(files) {
  const folder = mkdtempSync(join(tmpdir(), 'skolo-sources-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const cache = join(folder, 'cache');
  const printed = execFileSync(process.execPath, [script, folder], {
    encoding: 'utf8',
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  });
  const cached = readdirSync(cache, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
  return { printed, cached };
}

it('compiles what is in the packages, and runs none of it', () => {
  const { printed, cached } = compile({
    'packages/a/src/main.ts': "import { b } from './deep/b.ts';\nconsole.log('ran' as string, b);",
    'packages/a/src/deep/b.ts': "export const b: string = 'a name of its own';",
  });

  expect(printed).toBe('');
  expect(cached.join('\n')).toContain('a name of its own');
});

it('leaves what is wrong with a source to its tests', () => {
  const { printed } = compile({ 'services/a/src/main.ts': "import './b.ts';" });

  expect(printed).toMatch(/^Not all sources are compiled: .*b\.ts/);
});
