/** Services that something else serves in place of k3s: what skolo-fallback has noted on the jumphost. */
import { parseJson, shellWord } from '@skolo/base';
import { type Host, linesOf } from '@skolo/computers';
import { HeldService, heldFolder } from '@skolo/rack/jumphost';
import { type JumphostService, jumphostServices, servicePorts } from '@skolo/rack/light';

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

/**
 * Why the units of an existing system that hold a service do not serve it: the hold is written before they start, and they may
 * have ended since. Empty when they serve. A power controller may listen on no port.
 */
export async function whyNotServing(
  host: Pick<Host, 'need'>,
  service: JumphostService,
  units: readonly string[],
): Promise<string[]> {
  const { port, metricsPort } = servicePorts[service];
  const listens =
    service === 'power-cycle-daemon'
      ? 'true'
      : `ss -Hltn '( sport = :${port} or sport = :${metricsPort} )' | grep -q .`;
  return linesOf(
    await host.need(`for each in ${units.map(shellWord).join(' ')}; do
  systemctl is-active -q "$each" || { echo "$each does not run: journalctl -u $each"; exit 0; }
done
${listens} || echo 'nothing listens on port ${port} or ${metricsPort}'`),
  );
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
