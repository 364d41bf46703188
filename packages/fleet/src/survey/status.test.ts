import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { K3sRack } from '../racks/clusters.ts';
import type { OnNextWay } from '../racks/each-rack.ts';
import { type AskableRack, statusOfRacks } from './status.ts';

const rack = (name: string): K3sRack => ({
  name,
  type: 'k3s',
  context: name,
  jumphost: `jumphost-${name}`,
  ways: [{ host: `jumphost-${name}` }],
  apiPort: 6443,
  internet: true,
  wave: 1,
  canary: false,
  overlay: '',
});

const answer = (version: string) =>
  JSON.stringify({
    data: {
      resultType: 'vector',
      result: [
        { metric: { figure: 'services', service: 'router-backup', version }, value: [0, '1'] },
      ],
    },
  });

/** For ever, unless the signal comes. */
const silent = (signal: AbortSignal | undefined) => sleep(2 ** 31 - 1, '', { signal, ref: false });

it('a hundred racks, of which some are silent at every step', async () => {
  const racks = Array.from({ length: 100 }, (_, at) => rack(`rack${at}`));
  const opened = new Set<string>();
  const asked: string[] = [];
  async function open(
    { name }: { name: string },
    signal: AbortSignal,
    onNextWay: OnNextWay,
  ): Promise<AskableRack> {
    if (name === 'rack7') onNextWay(new Error('rack7: host-a is silent; trying host-b'));
    if (name === 'rack7') return silent(signal).then(() => expect.fail());
    if (name === 'rack8') throw new Error('rack8: no such host name');
    opened.add(name);
    return {
      async kubectl([, , path = ''], options = {}) {
        asked.push(path);
        if (name === 'rack9') return await silent(options.signal);
        return name === 'rack10' ? 'no endpoints available' : answer(name);
      },
      async close() {
        opened.delete(name);
      },
    };
  }

  const { signal } = new AbortController();
  const found = await statusOfRacks(racks, open, { signal, limitMs: 200 });

  expect(found.map((each) => each.rack.name)).toEqual(racks.map(({ name }) => name));
  const failed = found.filter(({ error }) => error !== undefined);
  expect(failed.map((each) => [each.rack.name, each.error?.message])).toEqual([
    ['rack7', 'rack7: no response within 0.2 s; host-a is silent; trying host-b'],
    ['rack8', 'rack8: no such host name'],
    ['rack9', 'rack9: no response within 0.2 s'],
    ['rack10', expect.stringMatching(/^rack10: Prometheus cannot be queried: .*JSON/)],
  ]);
  expect(found[99]?.answer?.versions).toEqual({ 'router-backup': ['rack99'] });
  expect(decodeURIComponent(asked[0] ?? '')).toContain('machine="jumphost-rack0"');
  expect([...opened]).toEqual([]);
});

it('ends with the signal', async () => {
  const stop = new AbortController();
  const open = (_: unknown, signal: AbortSignal) => silent(signal).then(() => expect.fail());
  const asking = statusOfRacks([rack('rack1')], open, { signal: stop.signal });

  stop.abort(new Error('interrupted'));

  await expect(asking).rejects.toThrow('interrupted');
});
