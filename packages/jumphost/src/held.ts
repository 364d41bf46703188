/** Services that something else serves in place of k3s: what skolo-stand-in has noted on the jumphost. */
import { parseJson } from '@skolo/errors';
import { jumphostServices } from '@skolo/rack/ports';
import { HeldService, heldFolder } from '@skolo/rack/stand-in';
import type { Host } from './host.ts';

/** By service. A file that cannot be read is a hold of somebody. */
export async function readHeld(host: Pick<Host, 'read'>): Promise<Map<string, HeldService>> {
  const held = new Map<string, HeldService>();
  for (const service of jumphostServices) {
    const text = await host.read(`${heldFolder}/${service}.json`);
    if (text === undefined) continue;
    const { data } = HeldService.safeParse(parseJson(text));
    held.set(service, data ?? { by: 'somebody', since: 'an unknown time' });
  }
  return held;
}

/** For people: who serves instead, and how that ends. */
export function heldText(
  rack: string,
  service: string,
  { by, since, former }: HeldService,
): string {
  const who = former?.join(', ') ?? 'its unit';
  return `${service}: ${who} serves, as ${by} wanted at ${since}; skolo jumphost rollback ${rack} ${service} --forward ends that`;
}
