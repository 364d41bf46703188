import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runs, tempDir } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HostKeys } from './host-keys.ts';

const noon = Date.parse('2026-11-20T12:00:00Z');

async function loaded(path: string) {
  const keys = new HostKeys(path, () => noon);
  await keys.load();
  return keys;
}

describe('host keys', () => {
  const device = fc.constantFrom('switch-1', 'switch-2', 'pdu-1');
  const step = fc.oneof(
    fc.record({ does: fc.constant('pin'), device, key: fc.string() }),
    fc.record({ does: fc.constantFrom('pinDigest', 'forget'), device }),
  );

  it('are the same after a restart', async () => {
    const path = join(await tempDir(), 'host-keys.json');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const before = await loaded(path);
        for (const each of steps) {
          const { does, device } = each;
          const isKnown = before.get(device) !== undefined || before.usesDigest(device);
          if (does === 'pin') await before.pin(device, `SHA256:${each.key}`);
          else if (does === 'pinDigest') await before.pinDigest(device);
          else expect(await before.forget(device)).toBe(isKnown);
        }

        const after = await loaded(path);

        expect(after.list()).toEqual(before.list());
        for (const { device } of steps) {
          expect(after.usesDigest(device)).toBe(before.usesDigest(device));
        }
        expect(after.problem).toBeUndefined();
      }),
      runs(50),
    );
  });

  it('are those seen first', async () => {
    const keys = await loaded(join(await tempDir(), 'host-keys.json'));

    await keys.pin('switch-2', 'SHA256:two');
    await keys.pin('switch-1', 'SHA256:one');
    await keys.pin('switch-1', 'SHA256:other');

    const firstSeen = '2026-11-20T12:00:00.000Z';
    expect(keys.list()).toEqual([
      { device: 'switch-1', fingerprint: 'SHA256:one', firstSeen },
      { device: 'switch-2', fingerprint: 'SHA256:two', firstSeen },
    ]);
  });

  it('that are pinned at the same time are all kept', async () => {
    const path = join(await tempDir(), 'host-keys.json');
    const keys = await loaded(path);
    const devices = Array.from({ length: 20 }, (_, index) => `switch-${index}`);

    await Promise.all(devices.map((device) => keys.pin(device, `SHA256:${device}`)));

    expect((await loaded(path)).list()).toHaveLength(20);
  });

  it.each(['', '{', '[]', '{"hostKeys":{"switch-1":{"fingerprint":"md5","firstSeen":"never"}}}'])(
    'of a broken file are set aside, and nothing stops: %j',
    async (text) => {
      const dir = await tempDir();
      const path = join(dir, 'host-keys.json');
      await writeFile(path, text);

      const keys = await loaded(path);
      const { problem } = keys;
      await keys.pin('switch-1', 'SHA256:one');

      expect(problem).toContain('host keys are pinned again');
      expect(await readFile(`${path}.bad`, 'utf8')).toBe(text);
      expect((await loaded(path)).get('switch-1')).toBe('SHA256:one');
    },
  );

  it('of a file that cannot be read are not replaced', async () => {
    const path = join(await tempDir(), 'host-keys.json');
    await (await loaded(path)).pin('switch-1', 'SHA256:one');
    await rename(path, `${path}.kept`);
    await symlink(path, path);
    const keys = await loaded(path);
    await keys.pin('switch-1', 'SHA256:other');
    const { problem } = keys;
    await rename(`${path}.kept`, path);

    await keys.pin('switch-2', 'SHA256:two');

    expect(problem).toMatch(
      /host-keys.json cannot be used: .*; newly pinned host keys will be lost/,
    );
    expect(keys.get('switch-1')).toBe('SHA256:one');
    expect(keys.problem).toBeUndefined();
    const after = await loaded(path);
    expect(['switch-1', 'switch-2'].map((name) => after.get(name))).toEqual([
      'SHA256:one',
      'SHA256:two',
    ]);
  });

  it('that cannot be written are known until the end, and written once that works', async () => {
    const dir = join(await tempDir(), 'missing');
    const keys = await loaded(join(dir, 'host-keys.json'));

    await keys.pin('switch-1', 'SHA256:one');
    const { problem } = keys;
    await mkdir(dir);
    await keys.pin('switch-2', 'SHA256:two');

    expect(problem).toContain('the directory does not exist');
    expect(keys.problem).toBeUndefined();
    expect(await readdir(dir)).toEqual(['host-keys.json']);
    expect((await loaded(join(dir, 'host-keys.json'))).list()).toHaveLength(2);
  });
});
