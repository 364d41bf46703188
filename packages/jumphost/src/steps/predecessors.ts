/** A former system serves until it is handed over, service by service: two power controllers never run at once. */

import { type Host, linesOf, type Step } from '@skolo/computers';
import type { HeldService } from '@skolo/rack/jumphost';
import { jumphostServices } from '@skolo/rack/light';
import { handOver } from '../existing/hand-over.ts';
import { heldText, readHeld, whyNotServing } from '../existing/held.ts';
import { findPredecessors, type Predecessor } from '../existing/predecessors.ts';

interface Found {
  /** In the way of ours, and nobody has decided that they serve. */
  loose: Predecessor[];
  held: Map<string, HeldService>;
  /** Services that k3s runs. */
  ours: Set<string>;
  /** Why each service that is held for an existing system is not served. */
  silent: Map<string, string[]>;
}

/** @param rack its name, for the commands that people type */
export function predecessorsStep(rack: string): Step {
  return {
    name: 'predecessors',
    about: 'a former service serves until it is handed over, and ours does not beside it',
    async check(host) {
      const found = await find(host);
      const silent = [...found.silent].map(
        ([service, why]) =>
          `${service}: held for an existing system, but ${why.join(', ')}; repair it, or let k3s serve: skolo jumphost rollback ${rack} ${service} --forward`,
      );
      const texts = (isNoted: boolean) =>
        found.loose
          .filter((each) => canNote(each, found) === isNoted)
          .map((each) => textOf(rack, each, found));
      return {
        differs: [...texts(true), ...silent],
        byHand: texts(false),
        note: [...found.held].map(([service, held]) => heldText(rack, service, held)).join('; '),
      };
    },
    // Nothing that serves is interrupted: they are noted, ours does not start, and they start with the computer.
    async apply(host) {
      const found = await find(host);
      const { loose, held, silent } = found;
      const noted = loose.filter((each) => canNote(each, found));
      const units = Map.groupBy(noted, ({ service }) => service);
      for (const service of new Set([...units.keys(), ...silent.keys()])) {
        const all = (units.get(service) ?? []).flatMap(({ unit }) => unit ?? []);
        const former = [...(held.get(service)?.former ?? []), ...all];
        await handOver(host, { service, units: former, verb: 'former' });
      }
    },
  };
}

async function find(host: Host): Promise<Found> {
  const [found, held, ours] = await Promise.all([
    findPredecessors(host),
    readHeld(host),
    servicesOfCluster(host),
  ]);
  const isHeld = ({ service, unit = '' }: Predecessor) => held.get(service)?.former?.includes(unit);
  const silent = new Map<string, string[]>();
  for (const service of jumphostServices) {
    const former = held.get(service)?.former;
    const why = former && (await whyNotServing(host, service, former));
    if (why !== undefined && why.length > 0) silent.set(service, why);
  }
  return { held, ours, silent, loose: found.filter((each) => !isHeld(each)) };
}

/** Whether it goes on serving, and ours does not start. What serves beside ours, or was started by hand, a person has to end. */
function canNote({ service, unit }: Predecessor, { ours }: Found): boolean {
  return unit !== undefined && !ours.has(service);
}

/** Names of the Deployments that want pods; none where there is no cluster. */
async function servicesOfCluster(host: Host): Promise<Set<string>> {
  const { stdout } = await host.run(
    `k3s kubectl get deployments -A --no-headers -o custom-columns=NAME:.metadata.name,PODS:.spec.replicas 2>/dev/null`,
  );
  const rows = linesOf(stdout).map((line) => line.split(/ +/));
  return new Set(rows.flatMap(([name = '', pods]) => (pods === '0' ? [] : [name])));
}

function textOf(rack: string, { service, unit, why }: Predecessor, { ours }: Found): string {
  if (unit === undefined) return `${service}: ${why}; end it`;
  const command = `skolo jumphost rollback ${rack} ${service}`;
  return ours.has(service)
    ? `${service}: ${why}, and so does ours; \`${command} --forward\` ends ${unit}, and \`${command}\` ends ours`
    : `${service}: ${why}; it goes on serving until \`${command} --forward\``;
}
