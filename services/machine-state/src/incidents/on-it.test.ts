import type { MachinePower } from '@skolo/api';
import { fakeClock } from '@skolo/common/testing';
import { expect, it } from 'vitest';
import type { Silence } from '../history/silence.ts';
import { OnIt } from './on-it.ts';

const silence = (id: string, incident = id): Silence => ({
  ...{ id, incident, machine: 'rpi-1', at: 0, causes: [], traits: [], lost: [] },
});

function start(named: string[], current: Silence[], past: Silence[] | Error) {
  const clock = fakeClock();
  const warned: unknown[] = [];
  const log = { warn: (facts: object) => warned.push(facts) };
  const ended: string[] = [];
  let failure: Error | undefined;
  const time = new Date(clock.now()).toISOString();
  const power = (): MachinePower => ({
    ...{ name: 'rpi-1', kind: 'machine', outlets: [], controllers: [] },
    onIt: named
      .filter((each) => !ended.includes(each))
      .map((incident) => ({ id: incident, by: 'ann', since: time, until: time, incident })),
  });
  const onIt = new OnIt({
    clock,
    log,
    services: {
      views: () => ({
        power: { machines: new Map([['rpi-1', power()]]), controllers: new Map() },
      }),
    },
    incidents: { known: () => current },
    history: {
      knownSilences: async (ids) => {
        if (past instanceof Error) throw past;
        return ids.filter((id) => past.some((each) => each.id === id));
      },
    },
    end: async (incident) => {
      if (failure) throw failure;
      ended.push(incident);
    },
  });
  return {
    ended,
    warned,
    onIt,
    fail: (error: Error | undefined) => {
      failure = error;
    },
    async pass() {
      clock.pass(61_000);
      await onIt.tick();
    },
  };
}

it('ends the holds of incidents that are over, and of no other', async () => {
  const merged = silence('merged', 'open');
  const past = [silence('over'), silence('also-over', 'over'), merged];
  const named = ['over', 'open', 'merged', 'unknown', 'rpi-7'];
  const { ended, pass } = start(named, [silence('open'), merged], past);

  await pass();
  await pass();

  expect(ended).toEqual(['over']);
});

it('ends nothing while the history cannot be read', async () => {
  const { ended, pass } = start(['over'], [], new Error('the disk hangs'));

  await pass();

  expect(ended).toEqual([]);
});

it('tries again, and says once why it may not', async () => {
  const { ended, pass, fail, warned } = start(['over'], [], [silence('over')]);
  fail(new Error('this needs the role operate'));
  await pass();
  await pass();
  fail(undefined);
  await pass();

  expect(warned).toEqual([{ why: 'this needs the role operate' }]);
  expect(ended).toEqual(['over']);
});
