import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it.each([
  ['this module', new URL('http.ts', import.meta.url).href, false],
  ['node:http', 'node:http', true],
])('a program that imports %s has loaded undici: %s', async (_, module, expected) => {
  const script = `import '${module}';
    console.log(process.moduleLoadList.some((name) => name.endsWith('/undici')));`;

  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    script,
  ]);

  expect(stdout).toBe(`${expected}\n`);
});
