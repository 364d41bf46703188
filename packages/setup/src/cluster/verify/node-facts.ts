/** Facts about a node, read over SSH. */
import { script } from '@skolo/base';
import { countsMemory } from '@skolo/setup/debian';
import { factsIn, type Host } from '@skolo/setup/engine';
import { z } from 'zod';

const facts = script(new URL('./node-facts.sh', import.meta.url));

const optionalNumber = z
  .string()
  .transform((text) => (text === '' ? undefined : Number(text)))
  .pipe(z.number().optional());

const Facts = z.object({
  time: z.coerce.number(),
  synchronized: z.string(),
  userland: z.string(),
  swapKib: z.coerce.number(),
  cgroupMemory: z.enum(['yes', 'no']),
  throttled: optionalNumber.pipe(z.int().optional()),
  celsius: optionalNumber,
  freeMib: z.coerce.number(),
  usedPercent: z.coerce.number(),
  unit: z.string(),
  restarts: optionalNumber,
  tlsTimeouts: z.coerce.number(),
  notYetValid: z.coerce.number(),
  slowDatabase: z.coerce.number(),
});

export interface NodeFacts extends z.output<typeof Facts> {
  name: string;
  /** Seconds by which its clock is ahead of this computer's, ± `uncertain`. */
  skew: number;
  uncertain: number;
}

/** @param name of its node @throws ComputerError It cannot be reached. */
export async function factsOf(host: Host, now: () => number, name = host.name): Promise<NodeFacts> {
  const before = now() / 1000;
  const text = await host.need(`${countsMemory}${facts}`, { deadlineMs: 90_000 });
  const after = now() / 1000;
  const read = Facts.parse(factsIn(text));
  const middle = (before + after) / 2;
  return {
    ...read,
    name,
    skew: read.time - middle,
    uncertain: (after - before) / 2,
  };
}
