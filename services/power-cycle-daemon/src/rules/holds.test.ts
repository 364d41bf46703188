/** The table of who may keep whom off a machine: that of the decision is that of the code, and what a running daemon does. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HoldKind } from '@skolo/api';
import { newAgentKey } from '@skolo/base/secrets';
import { describe, expect, it } from 'vitest';
import { colleagueOf, problem } from '../testing/daemon.ts';
import { sendAsMachine } from '../testing/machine-request.ts';
import { startRepairLab } from '../testing/repair-lab.ts';
import { holdRules } from './holds.ts';

const decision = join(import.meta.dirname, '../../../../docs/decisions/2026-11-29-holds.md');

interface Row {
  kind: HoldKind;
  newTasks: string;
  repair: string;
  others: string;
  mostHours: string;
}

const rows = (await readFile(decision, 'utf8'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| kind') && !line.startsWith('| -'))
  .map((line): Row => {
    const [, kind = '', newTasks = '', repair = '', others = '', mostHours = ''] = line
      .split('|')
      .map((cell) => cell.trim());
    if (!isKind(kind)) throw new TypeError(`${kind} is no kind of hold`);
    return { kind, newTasks, repair, others, mostHours };
  });

function isKind(text: string): text is HoldKind {
  return Object.hasOwn(holdRules, text);
}

const yaml = `
equipment:
  router: { model: edgeos, address: 127.0.2.9, ports: { ssh: 1 }, uplink: internet }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  a: { kind: host, address: 127.0.1.1, seenBack: { ssh: 1, timeoutSeconds: 1 }, power: pdu-1/1, offSeconds: 0.5 }
  b: { kind: host, power: pdu-1/2, offSeconds: 0.5 }
`;
const settings = '    repair: { enabled: true, internet: { enabled: true } }';

/** A daemon in which ann has set a hold of this kind, and bob has not. */
async function withHold(kind: HoldKind) {
  const lab = await startRepairLab({ yaml, settings });
  const reason = 'nightly';
  if (kind === 'busy') {
    await lab.client.setBusy({ params: { name: 'a' }, body: { text: reason } });
  } else {
    const incident = kind === 'on-it' ? { incident: 'i-1' } : {};
    await lab.client.hold({ body: { kind, targets: ['a'], reason, ...incident } });
  }
  return { ...lab, bob: await colleagueOf(lab) };
}

describe('the table of holds', () => {
  it('is that of the decision', () => {
    const ofCode = Object.entries(holdRules).map(
      ([kind, { newTasks, repair, others, mostHours }]) => ({
        kind,
        newTasks,
        repair,
        others,
        mostHours: `${mostHours ?? '`holds.maxHours`'}`,
      }),
    );

    expect(rows).toEqual(ofCode);
  });

  it.each(rows)('decides about new tasks: $kind $newTasks', async ({ kind, newTasks }) => {
    const { url } = await withHold(kind);

    const answer = await sendAsMachine({
      url,
      from: '127.0.1.1',
      machine: 'a',
      key: newAgentKey(),
      path: '/v1/own-holds',
    });

    const holds = newTasks === 'no' ? [expect.objectContaining({ target: 'a' })] : [];
    const noRepair = newTasks === 'no' ? [] : [expect.objectContaining({ kind })];
    expect(answer.body).toEqual({ holds, noRepair });
  });

  it.each(rows)('decides about repair: $kind $repair', async ({ kind, repair }) => {
    const { hear, cycles, client, untilCycled, who } = await withHold(kind);

    await hear('a', 20);
    const during = await cycles();
    if (kind === 'busy') await client.endBusy({ params: { name: 'a' } });
    else {
      const { holds } = await client.holds();
      expect(holds).toMatchObject([{ kind, by: who }]);
      await client.release({ params: { id: holds[0]?.id ?? '' }, query: {} });
    }
    await hear('a', 21);
    await untilCycled(1);

    expect(['no', 'waits']).toContain(repair);
    expect(during).toEqual([]);
    // Whatever was in its way cost no try.
    expect(await cycles()).toMatchObject([{ reason: 'missing; try 1' }]);
  });

  it.each(rows)('decides about cycles of others: $kind $others', async ({ kind, others }) => {
    const { bob, boards, finished } = await withHold(kind);
    const ask = (more: object) =>
      bob.requestCycles({ body: { machines: ['a'], mode: 'hard', reason: 'dead', ...more } });
    const outcome = async (more: object) => {
      const { cycles } = await ask(more);
      return (await finished(cycles[0]?.id ?? '')).outcome;
    };
    const { told } = boards.get('pdu-1');

    if (others === 'no') {
      for (const more of [{}, { force: true }, { alongside: true }]) {
        expect(await problem(ask(more))).toMatchObject({ rejected: [{ code: 'held' }] });
      }
      expect(told).toEqual([]);
    } else if (others === 'asked') {
      for (const more of [{}, { force: true }]) {
        expect(await problem(ask(more))).toMatchObject({ rejected: [{ code: 'on-it' }] });
      }
      expect(told).toEqual([]);
      await outcome({ alongside: true });
      expect(told).toEqual(['off 1', 'on 1 auto']);
    } else {
      expect(others).toBe('force');
      for (const more of [{}, { alongside: true }]) expect(await outcome(more)).toBe('busy');
      expect(told).toEqual([]);
      await outcome({ force: true });
      expect(told).toEqual(['off 1', 'on 1 auto']);
    }
  });

  it.each(rows)(
    'leaves the person who set it, and their offs and ons, alone: $kind',
    async ({ kind }) => {
      const { request, finished, turn, boards } = await withHold(kind);

      await finished(await request('a'));
      await turn('off', 'a');
      await turn('on', 'a');

      expect(boards.get('pdu-1').told.map((each) => each.slice(0, 4))).toEqual([
        'off ',
        'on 1',
        'off ',
        'on 1',
      ]);
    },
  );
});
