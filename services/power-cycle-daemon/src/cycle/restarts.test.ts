/** The daemon stops in the middle of a cycle, at each step, and another one goes on with the same state. */
import type { PowerCycle } from '@skolo/api';
import { describe, expect, it } from 'vitest';
import { type Board, Boards } from '../testing/board-driver.ts';
import { startDaemon, type TestDaemon } from '../testing/daemon.ts';
import { type PluggedMachine, plugIn } from '../testing/machine.ts';
import { waitUntil } from '../testing/wait-until.ts';

const infrastructure = `
infrastructure:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  b: { kind: host, power: pdu-1/1, offSeconds: 2 }
`;
const settings = '    atOncePerController: 1\n    softSeconds: 1';

interface Way {
  /** Where it is stopped. */
  name: string;
  mode?: 'auto' | 'hard';
  power?: string;
  offSeconds?: number;
  /** Before it is asked for. */
  before?: (board: Board, machine: PluggedMachine, daemon: TestDaemon) => unknown;
  reached: (cycle: PowerCycle) => boolean;
  /** And what the device has been told by then. */
  toldThen?: string;
  /** While no daemon runs. */
  meanwhile?: (board: Board, machine: PluggedMachine) => unknown;
  outcome: string;
  failedStep?: string;
  detail?: RegExp;
  /** All that the device was told, by both; what the first repeats counts once. */
  told: readonly string[];
  /** How often the machine was asked to reboot itself. */
  asked?: number;
  boots: number;
}

const cut = ['off 9', 'on 9 auto'];

const ways: Way[] = [
  {
    name: 'it is asked whether a task runs',
    before: (_board, machine) => machine.misbehave('agent-silent'),
    reached: ({ step }) => step === 'check',
    meanwhile: (_board, machine) => machine.behave(),
    outcome: 'back',
    told: cut,
    boots: 2,
  },
  {
    name: 'it was asked to reboot, and hangs',
    mode: 'auto',
    before: (_board, machine) => machine.misbehave('hangs-at-reboot'),
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
    before: (_board, machine) => machine.misbehave('hangs-at-reboot'),
    reached: ({ steps }) => steps.some(({ text }) => text === 'reboot requested from its agent'),
    async meanwhile(_board, machine) {
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
    name: 'its controller does not respond',
    before(board) {
      board.isWedged = true;
    },
    reached: ({ step }) => step === 'contact',
    meanwhile(board) {
      board.isWedged = false;
    },
    outcome: 'back',
    told: cut,
    boots: 2,
  },
  {
    name: 'it waits for its turn',
    before: (_board, _machine, { client }) =>
      client.requestCycles({ body: { machines: ['b'], reason: 'first', mode: 'hard' } }),
    reached: ({ steps }) => steps.some(({ text }) => text === 'pdu-1/9 is on'),
    outcome: 'back',
    told: ['off 1', 'on 1 auto', ...cut],
    boots: 2,
  },
  {
    name: 'it is turned off',
    before(board) {
      board.ignores = 'off';
    },
    reached: ({ step }) => step === 'turn-off',
    toldThen: 'off 9',
    meanwhile(board) {
      board.ignores = undefined;
    },
    outcome: 'failed',
    failedStep: 'turn-off',
    detail: /^the daemon was restarted before the outlet was reported as off$/,
    // That it reads on proves nothing: the off may still be on its way.
    told: ['off 9', 'on 9 auto'],
    boots: 1,
  },
  {
    name: 'it is off',
    offSeconds: 600,
    reached: ({ step }) => step === 'off',
    outcome: 'back',
    told: cut,
    boots: 2,
  },
  {
    name: 'it is turned on',
    before(board) {
      board.ignores = 'on';
    },
    reached: ({ step }) => step === 'turn-on',
    toldThen: 'on 9 auto',
    meanwhile(board) {
      board.ignores = undefined;
    },
    outcome: 'back',
    told: ['off 9', 'on 9 auto', 'on 9 auto'],
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
    offSeconds: 3,
    reached: ({ steps }) => steps.some(({ text }) => text.includes('turns it on automatically')),
    outcome: 'back',
    told: ['cycle 9', 'on 9 auto'],
    boots: 2,
  },
];

function withoutRepeats(commands: readonly string[]): string[] {
  return commands.filter((command, i) => command !== commands[i - 1]);
}

describe('a daemon that takes over a cycle', () => {
  it.each(ways)('while $name', async (way) => {
    const { mode = 'hard', power = 'pdu-1/9', offSeconds = 0.5, asked = 0 } = way;
    const boards = new Boards();
    const [name = ''] = power.split('/');
    const board = boards.get(name);
    const machine = await plugIn(boards, 'm', [power], { host: '127.0.1.1', bootSeconds: 0.5 });
    const yaml = `${infrastructure}  m: ${machine.entry}\n`;
    const first = await startDaemon({ yaml, boards, settings });
    await way.before?.(board, machine, first);
    const id = await first.request('m', { mode, offSeconds });
    await first.until(id, way.reached);
    const { toldThen } = way;
    if (toldThen) await waitUntil(() => (board.told.includes(toldThen) ? true : undefined));

    await first.stop();
    const toldByFirst = [...board.told];
    await way.meanwhile?.(board, machine);
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
    // A device that ignores a command gets it again, as often as there was time before the first daemon stopped.
    const toldBySecond = board.told.slice(toldByFirst.length);
    expect([...withoutRepeats(toldByFirst), ...toldBySecond]).toEqual(told);
    expect(machine.received.filter(({ text }) => text === 'POST /v1/reboot')).toHaveLength(asked);
    await machine.whenBooted(way.boots);
    expect(machine.boots).toBe(way.boots);
  });

  it('while it may have been asked to reboot, does not ask again, and does not cut it', async () => {
    const boards = new Boards();
    const machine = await plugIn(boards, 'm', ['pdu-1/9'], { host: '127.0.1.1' });
    const yaml = `${infrastructure}  m: ${machine.entry}\n`;
    const first = await startDaemon({ yaml, boards, settings });
    machine.slowMs = 500;
    await machine.misbehave('agent-slow');
    const id = await first.request('m', { mode: 'auto' });
    await first.until(id, ({ step }) => step === 'soft-reboot');

    await first.stop();
    const second = await startDaemon({ yaml, settings, previous: first });
    const early = await second.client
      .cancelCycle({ params: { id } })
      .catch((error: Error) => error.message);
    const cycle = await second.finished(id);

    expect(early).toContain('the cycle of m has begun');
    expect(['back', 'failed']).toContain(cycle.outcome);
    expect(boards.get('pdu-1').told).toEqual([]);
    const asked = machine.received.filter(({ text }) => text === 'POST /v1/reboot');
    expect(asked.length).toBeLessThanOrEqual(1);
  });

  it('that turns something off for good goes on with that', async () => {
    const boards = new Boards();
    const board = boards.get('pdu-1');
    board.isWedged = true;
    const first = await startDaemon({ yaml: infrastructure, boards });
    const { cycles } = await first.client.switchOutlets({
      body: { targets: ['b'], state: 'off', reason: 'smoke' },
    });
    const id = cycles[0]?.id ?? '';
    await first.until(id, ({ step }) => step === 'contact');
    await first.stop();

    board.isWedged = false;
    const second = await startDaemon({ yaml: infrastructure, previous: first });
    const off = await second.finished(id);

    expect(off.outcome).toBe('off');
    expect(board.outlets.isOn('1')).toBe(false);
  });
});
