import { join } from 'node:path';
import type { AlertMessage } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import { Spool } from '@skolo/base/durable';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { smallRack } from '../testing/small-rack.ts';
import { ArrivedFile } from './arrived.ts';
import type { Tracked } from './known-alerts.ts';
import { carefulLimits, type ReadLimits, usualLimits } from './records.ts';
import { Store } from './store.ts';

const at = '2026-11-20T07:00:00.000Z';

function messageOf(n: number, over: Partial<AlertMessage['alert']> = {}): AlertMessage {
  const fingerprint = n.toString(16).padStart(16, '0');
  const labels = { alertname: `A${n}` };
  const alert = { fingerprint, status: 'firing' as const, labels, annotations: {}, startsAt: at };
  const about = { endpoint: 'v2' as const, first: at, last: at, count: 1 };
  const id = fingerprint.padStart(32, '0');
  return { kind: 'transition', id, at, alert: { ...alert, ...over }, ...about };
}

/** A state directory whose spool an earlier version has written. */
async function startStore(messages: readonly AlertMessage[]) {
  const stateDir = await tempDir();
  const spool = await Spool.open(join(stateDir, 'spool'));
  for (const message of messages) await spool.append([JSON.stringify(message)]);
  await spool.close();
  const letters: DeadLetter[] = [];
  async function open(limits: ReadLimits) {
    const store = new Store({
      stateDir,
      settings: () => smallRack().services['alert-to-pubsub'],
      deadLetters: { add: async (added) => void letters.push(...added) },
      arrived: new ArrivedFile(stateDir),
      clock: fakeClock(at),
    });
    const known = { alerts: new Map<string, Tracked>(), next: 1 };
    const opened = await store.open(known, limits);
    onTestFinished(() => store.close());
    const names = [...known.alerts.values()].map(({ known: { alert } }) => alert.labels.alertname);
    return { ...opened, store, known, names };
  }
  return { letters, open };
}

describe('Store', () => {
  const large: [string, Partial<AlertMessage['alert']>][] = [
    ['a text', { annotations: { text: 'x'.repeat(2_000_000) } }],
    ['a field of objects', { more: { junk: Array.from({ length: 60_000 }, () => ({})) } }],
  ];
  it.each(large)(
    'shortens an alert of an earlier version that waits, until the process has died twice: %s',
    async (_, over) => {
      const { letters, open } = await startStore([messageOf(1, over), messageOf(2)]);
      const first = await open(usualLimits);
      await first.store.close();
      const letter = letters.length;
      const third = await open(carefulLimits);

      expect(first).toMatchObject({ names: ['A1', 'A2'], oversize: [], isSnapshotLost: false });
      expect(first.known.alerts.get('0000000000000001')?.bytes).toBeLessThan(2 ** 20 + 1000);
      expect(letter).toBe(0);
      expect(third.names).toEqual(['A2']);
      expect(letters).toMatchObject([{ from: 'spool' }]);
    },
  );

  const texts = (length: number) => ({ annotations: { text: 'x'.repeat(length) } });
  it.each<[string, AlertMessage[], string[], boolean]>([
    ['all that fire', [1, 2, 3, 4].map((n) => messageOf(n, texts(40_000))), ['A1', 'A2'], true],
    [
      'those that are over',
      [1, 2, 3, 4].map((n) => messageOf(n, { ...texts(40_000), status: 'resolved', endsAt: at })),
      ['A3', 'A4'],
      false,
    ],
    [
      'those that fire rather than those that are over',
      [
        messageOf(1, texts(40_000)),
        messageOf(2, { ...texts(40_000), status: 'resolved' }),
        messageOf(3, texts(40_000)),
      ],
      ['A1', 'A3'],
      false,
    ],
    ['the latest of each', [10, 20, 30].map((n) => messageOf(1, texts(n * 1000))), ['A1'], false],
  ])('knows at most what there is room for: %s', async (_, messages, names, isSnapshotLost) => {
    const { letters, open } = await startStore(messages);

    const opened = await open({ ...usualLimits, known: 100_000 });

    expect(opened).toMatchObject({ names, isSnapshotLost, oversize: [] });
    expect(opened.spool.next).toBe(messages.length + 1);
    expect(letters).toEqual([]);
  });
});
