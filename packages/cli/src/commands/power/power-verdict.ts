/** Decides the state of a machine's power, for totals, order and filters. */
import type { MachinePower, OutletStatus } from '@skolo/api';
import type { Filter } from '../../filters.ts';
import { isGood } from './cycle-text.ts';

/** Most urgent first. */
export const powerStates = [
  'needs-attention',
  'stuck-off',
  'fault',
  'off',
  'failed',
  'controller-failing',
  'controller-down',
  'cycling',
  'held',
  'switched-off',
  'no-load',
  'unknown',
  'no-outlet',
  'on',
] as const;

export type PowerState = (typeof powerStates)[number];

const conditions: Record<PowerState, (machine: MachinePower) => boolean> = {
  'needs-attention': ({ needsAttention }) => needsAttention !== undefined,
  'stuck-off': some(({ stuckOff }) => stuckOff),
  fault: some(({ fault }) => fault !== undefined),
  off: some(({ state, switchedOff, stuckOff }) => state === 'off' && !switchedOff && !stuckOff),
  failed: ({ cycle, last }) =>
    cycle === undefined &&
    last?.outcome !== undefined &&
    last.outcome !== 'would-have' &&
    !isGood(last),
  'controller-failing': ({ controllers }) => controllers.some(({ state }) => state === 'failing'),
  'controller-down': ({ controllers }) => controllers.some(({ state }) => state === 'down'),
  cycling: ({ cycle }) => cycle !== undefined,
  held: ({ hold }) => hold !== undefined,
  'switched-off': some(({ switchedOff }) => switchedOff !== undefined),
  'no-load': some(({ state, delivering }) => state === 'on' && delivering === false),
  unknown: some(({ state }) => state === 'unknown'),
  'no-outlet': ({ outlets }) => outlets.length === 0,
  on: ({ outlets }) => outlets.length > 0 && outlets.every(({ state }) => state === 'on'),
};

function some(isSo: (outlet: OutletStatus) => boolean): (machine: MachinePower) => boolean {
  return ({ outlets }) => outlets.some(isSo);
}

/** All applicable states, most urgent first. */
function powerStatesOf(machine: MachinePower): PowerState[] {
  return powerStates.filter((state) => conditions[state](machine));
}

/** The most urgent one. */
export function powerVerdict(machine: MachinePower): PowerState {
  return powerStatesOf(machine)[0] ?? 'unknown';
}

export const powerFilters: Filter<MachinePower>[] = [
  { name: 'shelf', description: 'show only these shelves', of: ({ shelf }) => shelf },
  {
    name: 'kind',
    description: 'show only these kinds; `phone` includes other devices attached to a machine',
    values: ['machine', 'phone', 'equipment'],
    of: ({ kind }) => kind,
  },
  {
    name: 'state',
    description: 'show only these states; a machine can be in several',
    values: powerStates,
    of: powerStatesOf,
  },
];
