/** `acts: false`: nothing is written to anything in the rack, and the history names what would have been done. */

import { ApiError } from '@skolo/api';
import { isLong, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import type { SimulatedMachine } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { ObservedWeek } from './observed-week.ts';

const hours = isLong ? 7 * 24 : 4;
const faults = isLong ? 40 : 6;
/** Three tries an hour apart, with time to spare, and more than the ladder of a phone takes. */
const faultSteps = 18;
const title = `300 machines that are only observed have ${faults} faults in ${hours} h: nothing is written, and each is in the history`;

interface Fault {
  machine: SimulatedMachine;
  isPhone: boolean;
  begins: number;
}

it(title, async () => {
  const start = '2026-11-16T00:00:00Z';
  const week = new ObservedWeek(fakeClock(start));
  onTestFinished(() => week.close());
  await week.open(300);
  const random = seeded(testSeed());
  const steps = hours * 6;
  const plan = plannedFaults(week.machines, steps, random);
  const rejected: (number | string)[] = [];

  for (let step = 0; step < steps; step += 1) {
    for (const { machine, isPhone } of plan.filter(({ begins }) => begins === step)) {
      if (isPhone) week.losePhone(machine);
      else week.die(machine);
    }
    for (const { machine, isPhone } of plan.filter(({ begins }) => begins + faultSteps === step)) {
      if (isPhone) await week.findPhone(machine);
      else await week.revive(machine);
    }
    week.isOnline = step % 36 > 2;
    await expect.poll(() => week.silent()).toEqual([]);
    await week.tenMinutes();
    if (step % 12 === 0) rejected.push(...(await ordersOf(week, `rpi-${step % 300}`)));
  }

  expect(writesOf(week)).toEqual([]);
  expect(new Set(rejected)).toEqual(new Set([409]));
  const { cycles } = await week.power.cycles({ query: { limit: 1000 } });
  expect(new Set(cycles.map(({ outcome }) => outcome))).toEqual(new Set(['would-have']));
  const expected = plan
    .filter(({ isPhone }) => !isPhone)
    .flatMap(({ machine }) => [...Array<string>(3).fill(machine.name)]);
  const noted = cycles.filter(({ origin }) => origin === 'repair').map(({ target }) => target);
  expect(noted.sort()).toEqual(expected.sort());
  expect(cycles.filter(({ target }) => target === 'router').length).toBeGreaterThan(0);
  expect(week.logged.filter(({ msg }) => msg === 'would have power-cycled')).toHaveLength(
    cycles.length,
  );
  for (const { machine, isPhone } of plan) {
    const actions = isPhone ? phoneSteps : Array<string>(3).fill('power-cycle');
    await expect.poll(() => historyOf(week, machine.name)).toEqual(actions);
  }
});

/** A round of what the phone's kind has, twice. */
const round = ['adb-reconnect', 'device-reboot', 'usb-cycle', 'power-cycle'];
const phoneSteps = [...round, ...round];

function plannedFaults(
  machines: readonly SimulatedMachine[],
  steps: number,
  random: () => number,
): Fault[] {
  const left = [...machines];
  return Array.from({ length: faults }, (_, i) => {
    const [machine] = left.splice(Math.floor(random() * left.length), 1);
    if (machine === undefined) throw new RangeError('more faults than machines');
    return {
      machine,
      isPhone: i % 4 === 3,
      begins: Math.floor(random() * (steps - faultSteps - 1)),
    };
  });
}

/** People try what they always could; the status of each answer. */
async function ordersOf({ power, machineState }: ObservedWeek, name: string) {
  const reason = 'try';
  const params = { name };
  const attempts = await Promise.allSettled([
    power.requestCycles({ body: { machines: [name], reason, force: true } }),
    power.switchOutlets({ body: { targets: [name], state: 'off', reason, force: true } }),
    power.switchOutlets({ body: { targets: ['pdu-2/7'], state: 'on', reason } }),
    machineState.reboot({ params, body: { reason } }),
    machineState.repair({ params, body: { step: 'usb-cycle', reason } }),
  ]);
  return attempts.map((attempt) => {
    if (attempt.status === 'fulfilled') return 'accepted';
    return attempt.reason instanceof ApiError ? attempt.reason.status : String(attempt.reason);
  });
}

/** Whatever equipment and machines received that is no reading, and what has changed. */
function writesOf({ equipment, machines, touched }: ObservedWeek): string[] {
  const isReading = (text: string) =>
    /^get(next|bulk)? /.test(text) || /^GET \/relay\/\d+\/value/.test(text);
  const written = equipment.flatMap(({ received }) => {
    expect(received.length).toBeGreaterThan(0);
    return received.map(({ text }) => text).filter((text) => !isReading(text));
  });
  const ordered = machines.flatMap(({ received }) =>
    received.map(({ text }) => text).filter((text) => text !== 'GET /v1/status'),
  );
  return [...written, ...ordered, ...touched];
}

/** What would have been done, the oldest first. */
async function historyOf({ machineState }: ObservedWeek, name: string): Promise<string[]> {
  const query = { kind: 'would-have', from: '2026-11-15T00:00:00Z', limit: 1000 };
  const { entries } = await machineState.history({ params: { name }, query });
  return entries.toReversed().map((entry) => ('action' in entry ? entry.action : entry.kind));
}
