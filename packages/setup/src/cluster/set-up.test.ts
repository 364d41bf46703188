/** Computers that are not there, and limits of one that is. Others are booted in set-up.slow.test.ts. */
import type { Host } from '@skolo/setup/engine';
import { k3sVersion } from '@skolo/setup/k3s';
import { describe, expect, it } from 'vitest';
import { k3s } from './k3s.ts';
import { atMost, setUp } from './set-up.ts';
import { statesOf } from './testing/states-of.ts';

const { signal } = new AbortController();

describe('a cluster', () => {
  it('says of each computer why it failed, and lets none join without its server', async () => {
    const open = async (name: string) => {
      throw new Error(`${name}: is off`);
    };
    const deps = { isCheck: false, report() {}, open, by: 'a test', signal, now: Date.now };
    const plan = {
      distribution: k3s,
      server: { name: 'host01', address: '192.0.2.1' },
      version: k3sVersion,
    };
    const agents = [{ name: 'host02' }, { name: 'host03' }];

    const results = await setUp(
      { ...plan, agents },
      { ...deps, download: () => Promise.reject(new Error()), accounts: async () => '' },
    );

    expect(statesOf(results)).toEqual({
      host01: 'host01: is off',
      host02: 'host02: is off',
      host03: 'host03: is off',
    });
    await expect(
      setUp(
        { ...plan, agents: [{ name: 'host01' }] },
        { ...deps, download: () => Promise.reject(new Error()), accounts: async () => '' },
      ),
    ).rejects.toThrow('host01: listed twice; list it only once');
  });

  it('runs so many commands at once on a computer, and no more', async () => {
    let running = 0;
    let most = 0;
    const host: Host = {
      name: 'host01',
      async run() {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return { code: 0, stdout: '', stderr: '' };
      },
      need: async () => '',
      write: async () => {},
      read: async () => undefined,
    };
    const limited = atMost(host, 3);

    await Promise.all(Array.from({ length: 10 }, () => limited.run('true')));

    expect(most).toBe(3);
  });
});
