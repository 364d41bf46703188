/**
 * Decides whether an existing system or skolo serves on a jumphost: the existing one serves until each service is cut over. Two power
 * controllers never run at the same time.
 */

import type { FailedOver } from '@skolo/rack/jumphost';
import { jumphostServices } from '@skolo/rack/light';
import { type Host, linesOf, type Step } from '@skolo/setup/engine';
import { failOver } from '../existing/fail-over.ts';
import { failedOverText, readFailedOver, whyNotServing } from '../existing/failed-over.ts';
import { type ExistingUnit, findExisting } from '../existing/find.ts';

interface Found {
  /** Units that conflict with ours, without a decision that they should serve. */
  loose: ExistingUnit[];
  failedOver: Map<string, FailedOver>;
  /** Services that k3s runs. */
  ours: Set<string>;
  /** Why services that have failed over are not served. */
  silent: Map<string, string[]>;
}

/** @param rack its name, for the commands that people type */
export function existingSystemStep(rack: string): Step {
  return {
    name: 'existing-system',
    about: 'either the existing service or the skolo service runs, but not both',
    async check(host) {
      const found = await find(host);
      const silent = [...found.silent].map(
        ([service, why]) =>
          `${service}: failed over, but ${why.join(', ')}; repair the unit, or run skolo jumphost rollback ${rack} ${service} --cut-over to return to k3s`,
      );
      const texts = (isNoted: boolean) =>
        found.loose
          .filter((each) => canNote(each, found) === isNoted)
          .map((each) => textOf(rack, each, found));
      return {
        differs: [...texts(true), ...silent],
        byHand: texts(false),
        note: [...found.failedOver]
          .map(([service, failedOver]) => failedOverText(rack, service, failedOver))
          .join('; '),
      };
    },
    // Running services are not interrupted: they are recorded, ours does not start, and they start at boot.
    async apply(host) {
      const found = await find(host);
      const { loose, failedOver, silent } = found;
      const noted = loose.filter((each) => canNote(each, found));
      const units = Map.groupBy(noted, ({ service }) => service);
      for (const service of new Set([...units.keys(), ...silent.keys()])) {
        const all = (units.get(service) ?? []).flatMap(({ unit }) => unit ?? []);
        const existing = [...(failedOver.get(service)?.existing ?? []), ...all];
        const by = 'skolo jumphost prepare';
        // Without these, skolo-fallback starts skolo's unit.
        if (existing.length > 0)
          await failOver(host, { service, units: existing, by, verb: 'existing' });
      }
    },
  };
}

async function find(host: Host): Promise<Found> {
  const [found, failedOver, ours] = await Promise.all([
    findExisting(host),
    readFailedOver(host),
    servicesOfCluster(host),
  ]);
  const isKnown = ({ service, unit = '' }: ExistingUnit) =>
    failedOver.get(service)?.existing?.includes(unit);
  const silent = new Map<string, string[]>();
  for (const service of jumphostServices) {
    const found = failedOver.get(service);
    if (found === undefined) continue;
    const units = found.existing ?? [`skolo-${service}.service`];
    const why = await whyNotServing(host, service, units);
    if (why.length > 0) silent.set(service, why);
  }
  return { failedOver, ours, silent, loose: found.filter((each) => !isKnown(each)) };
}

/** Whether it continues and ours does not start. An operator must stop units that run beside ours or were started manually. */
function canNote({ service, unit }: ExistingUnit, { ours }: Found): boolean {
  return unit !== undefined && !ours.has(service);
}

/** Names of the Deployments with replicas; empty without a cluster. */
async function servicesOfCluster(host: Host): Promise<Set<string>> {
  const { stdout } = await host.run(
    `k3s kubectl get deployments -A --no-headers -o custom-columns=NAME:.metadata.name,PODS:.spec.replicas 2>/dev/null`,
  );
  const rows = linesOf(stdout).map((line) => line.split(/ +/));
  return new Set(rows.flatMap(([name = '', pods]) => (pods === '0' ? [] : [name])));
}

function textOf(rack: string, { service, unit, why }: ExistingUnit, { ours }: Found): string {
  if (unit === undefined) return `${service}: ${why}; stop it`;
  const command = `skolo jumphost rollback ${rack} ${service}`;
  return ours.has(service)
    ? `${service}: ${why}, and the skolo service is also deployed; run \`${command} --cut-over\` to stop ${unit}, or \`${command}\` to stop the skolo service`
    : `${service}: ${why}; it continues until you run \`${command} --cut-over\``;
}
