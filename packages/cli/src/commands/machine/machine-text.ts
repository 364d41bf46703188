/** Texts and styles of machines, as reported by machine-state. Machines are not trusted: see agent-text.ts. */
import { type Machine, MachineCondition } from '@skolo/api';
import { beganAt } from '@skolo/api/silence';
import type { Remark } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import type { Style } from '../../output/text.ts';
import { age } from '../../output/time.ts';
import { botState, botStyle, cell, deviceColumn, sentence } from './agent-text.ts';

/** Most urgent first. */
export const conditions = MachineCondition.options.toReversed();

const styles: Record<MachineCondition, Style | undefined> = {
  ok: undefined,
  recovering: 'yellow',
  maintenance: 'yellow',
  quarantined: 'red',
  stale: 'yellow',
  gone: 'red',
  'never-reported': 'red',
};

/** Machines that need attention first, then by condition. */
export function byUrgency(a: Machine, b: Machine): number {
  const rank = ({ needsAttention, condition }: Machine) =>
    conditions.indexOf(condition) + (needsAttention === undefined ? conditions.length : 0);
  return rank(a) - rank(b);
}

export function columns(now: number): Column<Machine>[] {
  return [
    { title: 'NAME', cell: ({ name }) => name, shrinkTo: 20 },
    { title: 'SHELF', cell: ({ shelf }) => shelf, leaveOut: 1 },
    {
      title: 'CONDITION',
      cell: ({ condition }) => condition,
      style: ({ condition }) => styles[condition],
    },
    {
      title: 'FOR',
      cell: (machine) => {
        const begun = beganAt(machine);
        return begun && age(begun, now);
      },
      leaveOut: 4,
    },
    {
      title: 'BOT',
      cell: ({ bot }) => bot && botState(bot),
      style: ({ bot }) => botStyle(bot),
      leaveOut: 2,
    },
    {
      title: 'TASK',
      cell: ({ task }) => task && cell(task.id ?? 'running'),
      shrinkTo: 8,
      leaveOut: 3,
    },
    deviceColumn(({ devices }) => devices),
    { title: 'CAUSE', cell: ({ cause }) => cause && cell(cause), style: () => 'red', leaveOut: 5 },
  ];
}

/** Why a machine takes no tasks, and what a person must do. */
export function remarksOf(machine: Machine): Remark[] {
  const { name, condition, needsAttention, flapping } = machine;
  const texts = [
    ...(condition === 'ok' ? [] : [`${condition}: ${sentence(machine.sentence)}`]),
    ...(flapping === undefined
      ? []
      : [`flapping: the condition changed ${flapping.changes} times within an hour`]),
    ...(needsAttention === undefined || needsAttention === machine.sentence
      ? []
      : [`needs attention: ${sentence(needsAttention)}`]),
  ];
  return texts.map((text) => ({ name, text }));
}
