/** Ways into a rack, with a real sshd. */
import { appendFile } from 'node:fs/promises';
import { startWorkstation } from '@skolo/fleet/testing';
import { lacks } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { testWays } from './ways.ts';

it.skipIf(lacks('sshd', 'ssh'))(
  'tests every way once a day, and one that fails more often',
  async () => {
    const { rack, jumphost, env, close } = await startWorkstation();
    onTestFinished(close);
    await appendFile(jumphost.sshConfig, 'Host router-rack4\n  HostName 127.0.0.1\n  Port 1\n');
    const racks = [{ ...rack, ways: [...rack.ways, { host: 'router-rack4' }] }];
    let time = Date.parse('2026-11-23T12:00:00Z');
    const { signal } = new AbortController();
    const test = async () => {
      const remarks = await testWays(racks, { env, now: () => time }, signal);
      return remarks.map(({ text }) => /^way (\S+): /.exec(text)?.[1]);
    };

    expect(await test()).toEqual(['router-rack4']);
    await jumphost.relay.close();
    time += 23 * 3_600_000;
    expect(await test()).toEqual(['router-rack4']);
    time += 2 * 3_600_000;
    expect(await test()).toEqual(['jumphost-rack4', 'router-rack4']);
    await jumphost.relay.open();
    time += 600_000;
    expect(await test()).toEqual(['router-rack4']);
  },
);
