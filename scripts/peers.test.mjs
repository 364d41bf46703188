import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findPeers } from './peers.mjs';

/**
 * @param {string} script
 * @param {number} mode
 */
function program(script, mode = 0o755) {
  const folder = mkdtempSync(join(tmpdir(), 'skolo-peers-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'program');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, mode);
  return path;
}

/** @param {string[]} commands */
function kind(...commands) {
  return { name: 'it', commands, requires: [], version: ['--version'], debian: [] };
}

describe('peers', () => {
  it.each([
    ['prints its version', 'echo "it 1.22.333-rc1 (linux)"', '1.22.333'],
    ['prints it to stderr', 'echo "it, version 2.42.0+ds" >&2', '2.42.0'],
    ['prints it and fails', 'echo "it debian/4.1.0-3 [epoll]"; exit 1', '4.1.0'],
  ])('one that %s is here', async (_what, script, version) => {
    const path = program(script);

    expect(await findPeers([kind(path)])).toEqual({ it: { path, version } });
  });

  it.each([
    ['says nothing', 'exit 0'],
    ['fails', 'echo "Error: no module called 1.2" >&2; exit 1'],
    ['crashes', 'echo "it 1.2"; kill -SEGV $$'],
  ])('one that %s is not', async (_what, script) => {
    expect(await findPeers([kind(program(script))])).toEqual({});
  });

  it('one that may not be run is not', async () => {
    expect(await findPeers([kind(program('echo 1.0', 0o644))])).toEqual({});
  });

  it('the first command that answers is taken', async () => {
    const path = program('echo 1.0');

    const found = await findPeers([kind('/nowhere/it', program('exit 1'), path)]);

    expect(found.it?.path).toBe(path);
  });

  it('one without a program that belongs to it is not', async () => {
    const path = program('echo 1.0');

    expect(await findPeers([{ ...kind(path), requires: ['sh'] }])).toMatchObject({ it: { path } });
    expect(await findPeers([{ ...kind(path), requires: ['no-such-program'] }])).toEqual({});
  });

  it('are found by PATH', async () => {
    const found = await findPeers([{ ...kind('node'), version: ['--version'] }]);

    expect(found.it).toMatchObject({ path: expect.stringMatching(/^\/.*\/node$/) });
  });
});
