/** Cycles from the request to the outcome, through the API, on devices in memory. */
import { describe, expect, it } from 'vitest';
import { startDaemon } from './testing/daemon.ts';

const yaml = `
infrastructure:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
  pdu-2: { model: synaccess, address: 127.0.2.3 }
machines:
  a: { kind: rpi, power: switch-1/1, offSeconds: 0.5 }
  b: { kind: host, power: pdu-1/1, offSeconds: 0.5 }
  c: { kind: host, power: [pdu-1/2, pdu-2/2], offSeconds: 0.5 }
  d: { kind: host, power: pdu-2/3 }
`;

function texts({ steps }: { steps: { step: string; text: string }[] }): string[] {
  return steps.map(({ step, text }) => `${step}: ${text}`);
}

describe('a cycle', () => {
  it('is off, seen off, on, seen on', async () => {
    const { client, boards, finished } = await startDaemon({ yaml });

    const { cycles } = await client.requestCycles({ body: { machines: ['b'], reason: 'dead' } });
    const cycle = await finished(cycles[0]?.id ?? '');

    expect(cycle).toMatchObject({ target: 'b', outcome: 'on', by: expect.stringMatching(/^ann/) });
    expect(boards.get('pdu-1').told).toEqual(['off 1', 'on 1 auto']);
    expect(texts(cycle)).toEqual([
      'check: no agent to ask whether a task is running',
      'soft-reboot: not rebooted by itself: rack.yaml gives it no login for ssh',
      'contact: pdu-1/1 is on',
      'turn-off: pdu-1/1 seen off',
      'turn-on: pdu-1/1 seen on',
    ]);
  });

  it('is left to a device that cycles by itself, and nothing is owed afterwards', async () => {
    const { client, boards, finished } = await startDaemon({ yaml });

    const body = { machines: ['a'], reason: 'dead', mode: 'hard' as const };
    const { cycles } = await client.requestCycles({ body });
    const cycle = await finished(cycles[0]?.id ?? '');
    const { outlets } = await client.outlets();

    expect(cycle.outcome).toBe('on');
    expect(boards.get('switch-1').told).toEqual(['cycle 1']);
    expect(outlets.filter(({ owedSince }) => owedSince)).toEqual([]);
  });
});
