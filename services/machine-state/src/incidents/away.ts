/** The machines of an incident that are silent now, in the order in which a person walks along the shelves. Pure. */
import type { Away, Evidence, Incident, Machine, RackView } from '@skolo/api';
import { awayIn } from '@skolo/api/incident-text';
import { isSilent } from '@skolo/api/silence';
import { words } from '@skolo/api/words';
import { type EvidenceSources, evidenceOf } from './evidence.ts';

interface Now {
  shelves: RackView['shelves'];
  machine(name: string): Machine | undefined;
  evidence(name: string): EvidenceSources;
}

/** By the first piece of evidence. */
const todos: Record<Evidence['kind'], string> = {
  'switched-off': 'turn the outlet on',
  'outlet-off': 'turn the outlet on',
  'outlet-fault': 'check the outlet and its cable',
  'equipment-down': 'repair that first',
  'no-link': 'check its cables and its power supply',
  'agent-silent': 'restart its agent',
  'no-answer': 'power-cycle it',
};

export function away({ machines }: Pick<Incident, 'machines'>, now: Now): Away[] {
  const names = new Set(awayIn({ machines }).map(({ name }) => name));
  return now.shelves.flatMap(({ name: shelf, machines: here }) =>
    here.flatMap((name, at) => {
      const machine = names.has(name) ? now.machine(name) : undefined;
      if (machine === undefined || !isSilent(machine)) return [];
      const evidence = evidenceOf(machine, now.evidence(name));
      const todo = words(todos[evidence[0]?.kind ?? 'no-answer']);
      return [{ name, shelf, place: at + 1, evidence, todo }];
    }),
  );
}
