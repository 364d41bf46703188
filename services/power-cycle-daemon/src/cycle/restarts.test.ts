/** The daemon stops in the middle of a cycle, and another one continues: what only a machine shows. cycle.test.ts and kill.test.ts have each step. */
import type { PowerCycle } from '@skolo/api';
import { describe, expect, it } from 'vitest';
import { Boards } from '../testing/board-driver.ts';
import { startDaemon } from '../testing/daemon.ts';
import { type PluggedMachine, plugIn } from '../testing/machine.ts';
import { waitUntil } from '../testing/wait-until.ts';

const equipment = `
equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
`;

interface Way {
  /** Where it is stopped. */
  name: string;
  mode?: 'auto' | 'hard';
  power?: string;
  offSeconds?: number;
  softSeconds?: number;
  /** Before it is asked for. */
  before?: (machine: PluggedMachine) => unknown;
  reached: (cycle: PowerCycle) => boolean;
  /** While no daemon runs. */
  meanwhile?: (machine: PluggedMachine) => unknown;
  outcome: string;
  failedStep?: string;
  detail?: RegExp;
  /** All that the device was told, by both. */
  told: readonly string[];
  /** How often the machine was asked to reboot itself. */
  asked?: number;
  boots: number;
}

const cut = ['off 9', 'on 9 auto'];

const ways: Way[] = [
  {
    name: 'it was asked to reboot, and hangs',
    mode: 'auto',
    before: (machine) => machine.misbehave('hangs-at-reboot'),
    reached: ({ steps }) => steps.some(({ text }) => text === 'reboot requested from its agent'),
    outcome: 'failed',
    failedStep: 'soft-reboot',
    detail: /^did not go down within 1 s$/,
    told: [],
    asked: 1,
    boots: 1,
  },
  {
    name: 'it was asked to reboot, and does so unseen',
    mode: 'auto',
    // The first daemon has to stop within this time.
    softSeconds: 30,
    before: (machine) => machine.misbehave('hangs-at-reboot'),
    reached: ({ steps }) => steps.some(({ text }) => text === 'reboot requested from its agent'),
    async meanwhile(machine) {
      await machine.behave();
      const body = JSON.stringify({ why: 'as it was asked to' });
      await fetch(`${machine.agentUrl}/v1/reboot`, { method: 'POST', body });
      await machine.whenBooted(2);
    },
    outcome: 'back',
    told: [],
    asked: 2,
    boots: 2,
  },
  {
    name: 'it boots',
    reached: ({ step }) => step === 'see-back',
    outcome: 'back',
    told: cut,
    boots: 2,
  },
  {
    name: 'the device cycles it by itself',
    power: 'switch-1/9',
    // The first daemon has to stop within this time.
    offSeconds: 15,
    reached: ({ steps }) => steps.some(({ text }) => text.includes('turns it on automatically')),
    outcome: 'back',
    told: ['cycle 9', 'on 9 auto'],
    boots: 2,
  },
];

describe('a daemon that takes over a cycle', () => {
  it.each(ways)('while $name', async (way) => {
    const { mode = 'hard', power = 'pdu-1/9', offSeconds = 0.5, softSeconds = 1, asked = 0 } = way;
    const settings = `    softSeconds: ${softSeconds}`;
    const boards = new Boards();
    const [name = ''] = power.split('/');
    const board = boards.get(name);
    const machine = await plugIn(boards, 'm', [power], { host: '127.0.1.1', bootSeconds: 0.5 });
    const yaml = `${equipment}  m: ${machine.entry}\n`;
    const first = await startDaemon({ yaml, boards, settings });
    await way.before?.(machine);
    const id = await first.request('m', { mode, offSeconds });
    await first.until(id, way.reached);

    await first.stop();
    await way.meanwhile?.(machine);
    const second = await startDaemon({ yaml, settings, previous: first });
    const cycle = await second.finished(id);
    const { outlets } = await waitUntil(async () => {
      const shown = await second.client.outlets();
      return shown.outlets.some(({ pendingOnSince }) => pendingOnSince) ? undefined : shown;
    });

    const { outcome, failedStep, detail = /./, told } = way;
    expect(cycle).toMatchObject({ outcome, detail: expect.stringMatching(detail) });
    expect(cycle.failedStep).toBe(failedStep);
    expect(board.outlets.isOn('9')).toBe(true);
    expect(outlets.filter(({ stuckOff }) => stuckOff)).toEqual([]);
    expect(board.told).toEqual(told);
    expect(machine.received.filter(({ text }) => text === 'POST /v1/reboot')).toHaveLength(asked);
    await machine.whenBooted(way.boots);
    expect(machine.boots).toBe(way.boots);
  });
});
