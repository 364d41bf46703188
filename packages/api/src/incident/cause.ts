/** What machines that are silent at the same time have in common. */
import { z } from 'zod';
import { type Words, words } from './words.ts';

/** As {@link Words}: a string for all other programs. */
export const text = z.string() as z.ZodType as z.ZodType<Words, Words>;

export const Cause = z
  .object({
    kind: z
      .enum(['equipment', 'shelf', 'model', 'version', 'planned'])
      .describe(
        '`equipment`: a switch, PDU or router; `planned`: an order of maintenance; otherwise what the machines have in common',
      ),
    equipment: z
      .array(z.string())
      .describe('switches, PDUs or routers, each of which explains all its machines'),
    code: z
      .string()
      .describe('identifies the cause: `switch-1`, `pdu-1+switch-1`, `model:pixel 7`'),
    text: text.describe('such as `switch-1`, or `pdu-1 or switch-1` if both explain the machines'),
  })
  .meta({ id: 'Cause' });
export type Cause = z.output<typeof Cause>;

/** @param names in the order in which they are suspected: any one of them explains the machines */
export function equipmentCause(names: readonly string[]): Cause {
  const text = [names.slice(0, -1).join(', '), ...names.slice(-1)].filter(Boolean).join(' or ');
  const code = names.toSorted().join('+');
  return { kind: 'equipment', equipment: [...names], code, text: words(text) };
}

/** @param name of equipment and shelves from rack.yaml; an agent may report any model or version, even `switch-1 or pdu-2` */
export function sharedCause(kind: Cause['kind'], name: string): Cause {
  if (kind === 'equipment') return equipmentCause([name]);
  const noun = { shelf: '', model: 'model ', version: 'agent ', planned: 'maintenance: ' }[kind];
  return { kind, equipment: [], code: `${kind}:${name}`, text: words(`${noun}${name}`) };
}
