/**
 * Lists the actions that people can take with machines, when a reason is required, and when people must type how many machines they
 * chose. Each says what it will do first.
 */
import type { Machine, RackView } from '@skolo/api/machine-state';
import { machineState, powerCycleDaemon } from '../live/api.ts';
import { fedWith, type RepairChoice, repairChoices } from './repair-steps.ts';

export type ActionName =
  | 'note'
  | 'maintenance'
  | 'quarantine'
  | 'clear'
  | 'cycle'
  | 'repair'
  | 'reboot'
  | 'hold';

interface Input {
  reason: string;
  until?: string;
  count?: number;
  force: boolean;
  alongside: boolean;
  choice?: RepairChoice;
  /** For `Idempotency-Key`: sending the same input again has no second effect. */
  key: string;
}

interface Action {
  title: string;
  /** The page's button. */
  short: string;
  key: string;
  /** The effect, for the person who decides. */
  effect: string;
  hasUntil?: true;
  /** It cuts power or ends tasks. */
  isDangerous?: true;
  /** It requires one of these devices, so it is for a single machine. */
  choices?(machine: Machine, rack: RackView | undefined): RepairChoice[];
  /** @throws CallFailed */
  run(names: string[], input: Input): Promise<unknown>;
}

function order(kind: 'maintenance' | 'quarantine'): Action['run'] {
  return (machines, { reason, until, count, key }) =>
    machineState.order({
      ...keyed(key),
      body: { machines, kind, reason, ...(until && { until }), ...(count && { count }) },
    });
}

function keyed(key: string) {
  return { headers: { 'idempotency-key': key } };
}

/** One call per machine, because each agent responds separately. */
function forEach(
  run: (name: string, reason: string, key: string) => Promise<unknown>,
): Action['run'] {
  return async (names, { reason, key }) => {
    const done = await Promise.allSettled(names.map((name) => run(name, reason, `${key} ${name}`)));
    const failed = done.flatMap((each, i) =>
      each.status === 'rejected' ? [`${names[i]}: ${each.reason.message}`] : [],
    );
    if (failed.length > 0) throw new Error(failed.join('\n'));
  };
}

export const actions: Readonly<Record<ActionName, Action>> = {
  note: {
    title: 'Add a note',
    short: 'Note',
    key: 'n',
    effect: 'The note is added to the history with your name and the time.',
    run: (machines, { reason, key }) =>
      machineState.addNote({ ...keyed(key), body: { machines, text: reason } }),
  },
  maintenance: {
    title: 'Maintenance',
    short: 'Maintenance',
    key: 'm',
    effect: 'A running task continues, but no other task starts. Alerts are silenced.',
    hasUntil: true,
    run: order('maintenance'),
  },
  quarantine: {
    title: 'Quarantine',
    short: 'Quarantine',
    key: 'q',
    effect: 'A running task continues, but no other task starts. Alerts are not silenced.',
    hasUntil: true,
    run: order('quarantine'),
  },
  clear: {
    title: 'Clear',
    short: 'Clear',
    key: 'c',
    effect: 'Ends a forced quarantine, and restarts automatic repair.',
    run: forEach((name, reason) => machineState.clear({ params: { name }, body: { reason } })),
  },
  cycle: {
    title: 'Power cycle',
    short: 'Power cycle',
    key: 'p',
    effect: 'Turns the outlets off and on again, but not while a task is running.',
    isDangerous: true,
    run: (machines, { reason, force, alongside, key }) =>
      powerCycleDaemon.requestCycles({
        ...keyed(key),
        body: { machines, reason, force, alongside },
      }),
  },
  repair: {
    title: 'Repair step',
    short: 'Repair step',
    key: 's',
    effect:
      'Performs one repair step, even if the phone works. It is rejected while a task is running, and stops if one starts.',
    isDangerous: true,
    choices: repairChoices,
    run: async ([name = ''], { reason, choice, key }) => {
      if (!choice) return;
      const { device, step } = choice;
      const body = { device, step, reason };
      await machineState.repair({ ...keyed(key), params: { name }, body });
    },
  },
  reboot: {
    title: 'Reboot',
    short: 'Reboot',
    key: 'b',
    effect: 'The agent reboots the machine, but not while a task is running.',
    isDangerous: true,
    run: forEach((name, reason, key) =>
      machineState.reboot({ ...keyed(key), params: { name }, body: { reason } }),
    ),
  },
  hold: {
    title: 'Hold power',
    short: 'Hold',
    key: 'h',
    effect:
      'Blocks power cycles, including automatic repair. A running task continues, but no other task starts.',
    hasUntil: true,
    run: (targets, { reason, until }) =>
      powerCycleDaemon.hold({ body: { targets, reason, ...(until && { until }) } }),
  },
};

/** What else loses power with these machines' outlets. */
export function takesDown(machines: readonly Machine[], rack: RackView | undefined): string[] {
  const names = machines.map(({ name }) => name);
  const isDevice = (target: string) => names.some((name) => target.startsWith(`${name}-`));
  return fedWith(names, rack).filter((target) => !isDevice(target));
}

/** For more than this fraction of the rack, the number must be typed. */
export function needsCount(machines: number, ofRack: number): boolean {
  return machines > ofRack / 10;
}
