/** Reads which services another program serves instead of k3s, as recorded by skolo-fallback on the jumphost. */
import { parseJson, shellWord } from '@skolo/base';
import { FailedOver, failedOverFolder } from '@skolo/rack/jumphost';
import { type JumphostService, jumphostServices, servicePorts } from '@skolo/rack/light';
import { type Host, linesOf } from '@skolo/setup/engine';

/** By service, including those whose file cannot be read. */
export async function readFailedOver(host: Pick<Host, 'read'>): Promise<Map<string, FailedOver>> {
  const failedOver = new Map<string, FailedOver>();
  for (const service of jumphostServices) {
    const text = await host.read(`${failedOverFolder}/${service}.json`);
    if (text === undefined) continue;
    const { data } = FailedOver.safeParse(parseJson(text));
    failedOver.set(service, data ?? { by: 'somebody', since: 'an unknown time' });
  }
  return failedOver;
}

/**
 * Why the existing units that a service has failed over to do not serve it: the record is written before they start, and
 * they may have exited since. Empty if they serve it. A power controller does not necessarily listen on a port.
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
  systemctl is-active -q "$each" || { echo "$each is not running (see journalctl -u $each)"; exit 0; }
done
${listens} || echo 'nothing listens on port ${port} or ${metricsPort}'`),
  );
}

/** As text: which program serves instead, and how to end that. */
export function failedOverText(
  rack: string,
  service: string,
  { by, since, existing }: FailedOver,
): string {
  const who = existing?.join(', ') ?? 'its systemd unit';
  return `${service}: served by ${who} since ${since} (requested by ${by}); run skolo jumphost rollback ${rack} ${service} --cut-over to return to k3s`;
}
