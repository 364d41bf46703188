/** A machine's conditions: a word and a shape for each, so that none relies on colour. */
import type { MachineCondition } from '@skolo/api/machine-state';
import { conditionWord } from '@skolo/api/silence';

/** Paths in a 12×12 box. From best to worst, as in `@skolo/api`. */
const shapes: Readonly<Record<MachineCondition, string>> = {
  ok: 'M2.5 6.5 5 9l4.5-6',
  unknown: 'M2.5 6h.1M6 6h.1M9.5 6h.1',
  recovering: 'M9.8 4.2A4.2 4.2 0 1 0 10.2 7M10 1.8v2.6H7.4',
  maintenance:
    'M10 3.2 8.2 5 7 3.8 8.8 2A2.6 2.6 0 0 0 5.4 5.4L2 8.8 3.2 10l3.4-3.4A2.6 2.6 0 0 0 10 3.2Z',
  quarantined: 'M3.9 1.5h4.2l2.4 2.4v4.2l-2.4 2.4H3.9L1.5 8.1V3.9ZM3.8 6h4.4',
  stale: 'M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM6 3.5V6l1.8 1.2',
  gone: 'M2.5 2.5l7 7M9.5 2.5l-7 7',
  'never-reported': 'M4 4.4a2 2 0 1 1 2.6 2c-.4.2-.6.5-.6 1M6 9.6v.1',
};

export const conditions = Object.keys(shapes) as MachineCondition[];

export function ConditionIcon({ condition }: { condition: MachineCondition }) {
  return (
    <svg class={`icon c-${condition}`} viewBox="0 0 12 12" aria-hidden="true">
      <path d={shapes[condition]} />
    </svg>
  );
}

export function Condition({ condition }: { condition: MachineCondition }) {
  return (
    <span class={`condition c-${condition}`}>
      <ConditionIcon condition={condition} />
      {conditionWord(condition)}
    </span>
  );
}
