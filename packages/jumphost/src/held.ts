/** Services that something else serves in place of k3s: what skolo-stand-in has noted on the jumphost. */
import { parseJson } from '@skolo/errors';
import { jumphostServices } from '@skolo/rack/ports';
import { z } from 'zod';
import type { Host } from './host.ts';

const HeldFile = z.object({
  by: z.string(),
  since: z.string(),
  former: z.array(z.string()).exactOptional(),
});
export type Held = z.infer<typeof HeldFile>;

/** By service. A file that cannot be read is a hold of somebody. */
export async function readHeld(host: Pick<Host, 'read'>): Promise<Map<string, Held>> {
  const held = new Map<string, Held>();
  for (const service of jumphostServices) {
    const text = await host.read(`/var/lib/skolo/stand-in/held/${service}.json`);
    if (text === undefined) continue;
    const { data } = HeldFile.safeParse(parseJson(text));
    held.set(service, data ?? { by: 'somebody', since: 'an unknown time' });
  }
  return held;
}

/** For people: who serves instead, and how that ends. */
export function heldText(rack: string, service: string, { by, since, former }: Held): string {
  const who = former?.join(', ') ?? 'its unit';
  return `${service}: ${who} serves, as ${by} wanted at ${since}; skolo jumphost rollback ${rack} ${service} --forward ends that`;
}
