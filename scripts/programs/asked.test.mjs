import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { readdirSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { isMade } from './base.mjs';

const folder = '/usr/bin';
/** A program that is installed here and not on each computer. */
const other = process.env.SKOLO_SYSTEM_PATH === undefined ? undefined : programNotInBase();

function programNotInBase() {
  const base = (process.env.PATH ?? '').split(delimiter).filter(isMade);
  const names = new Set(base.flatMap((each) => readdirSync(each)));
  const files = new Set(
    base.flatMap((each) => readdirSync(each).map((name) => target(each, name))),
  );
  return readdirSync(folder).find(
    (name) => !names.has(name) && !files.has(target(folder, name)) && target(folder, name) !== '',
  );
}

/**
 * @param {string} at
 * @param {string} name
 */
function target(at, name) {
  try {
    return realpathSync(join(at, name));
  } catch {
    return '';
  }
}

/** Whether a shell that is started with this environment finds it. @param {NodeJS.ProcessEnv} [env] */
function isFound(env) {
  return spawnSync('sh', ['-c', `command -v ${other}`], { env }).status === 0;
}

describe.skipIf(other === undefined && 'each program is in the base here')(
  'a program that is not on each computer',
  () => {
    const name = other ?? '';
    const path = join(folder, name);

    it('is not found by a test that did not ask for it, although it is installed', async () => {
      await expect(promisify(execFile)(name)).rejects.toThrow('ENOENT');
      expect(() => execFileSync(name)).toThrow('ENOENT');
      expect(isFound()).toBe(false);
      expect(isFound({ PATH: `/nowhere:${folder}:/bin` })).toBe(false);
    });

    it('is not started by its path, either', async () => {
      const error = `${path}: the test did not ask for it; ask`;
      const run = async () => await promisify(execFile)(path, ['--version']);

      await expect(run()).rejects.toThrow(error);
      expect(() => execFileSync(path, { stdio: 'ignore' })).toThrow(error);
      expect(() => spawnSync(path, ['--version'], { cwd: '/' })).toThrow(error);
      expect(() => spawnSync(`.${path}`, { cwd: '/' })).toThrow(error);
    });

    describe('that was asked for', () => {
      beforeAll(() => channel('skolo.peer').publish({ name: 'it', peer: { path, version: '1' } }));

      it('is found, also by a child with a PATH of its own', () => {
        expect(isFound()).toBe(true);
        expect(isFound({ PATH: folder })).toBe(true);
      });
    });
  },
);

it('each computer has git, bash and Node', () => {
  for (const each of ['git', 'bash', 'node', 'npm', 'tar']) {
    expect(execFileSync(each, ['--version'], { stdio: 'pipe', input: '' })).toBeDefined();
  }
});
