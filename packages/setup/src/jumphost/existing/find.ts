/** Finds services that already run on the jumphost: units and ports of the existing system. */
import { script, stripSecrets, withArguments } from '@skolo/base';
import { jumphostServices, servicePorts } from '@skolo/rack/light';
import { type Host, linesOf } from '@skolo/setup/engine';
import { z } from 'zod';
import { commandOf } from './command-of.ts';

export interface ExistingUnit {
  /** The service that it conflicts with. */
  service: string;
  /** Its systemd unit; absent for a process that somebody started manually. */
  unit?: string;
  /** For people. */
  why: string;
}

/** Ports that our services require exclusively. */
export const exclusivePorts = new Map(
  jumphostServices.flatMap((service) => {
    const { port, metricsPort } = servicePorts[service];
    return [port, metricsPort].map((each) => [each, service] as const);
  }),
);

/**
 * A power controller is also found by its name, because it may have no port, and two of them switch the same outlets. `pdudaemon` and the
 * `powercycle` units of existing systems are examples.
 */
export const controllers = /power-?cycle|powercycle|pdudaemon|power-?controller/i;

const findServices = script(new URL('./find-services.sh', import.meta.url));

const Port = z.tuple([z.literal('port'), z.coerce.number(), z.string()]).rest(z.string());

/** Units that conflict with our services. */
export async function findExisting(host: Host): Promise<ExistingUnit[]> {
  const found = new Map<string, ExistingUnit>();
  const find = `${commandOf}${withArguments(findServices, controllers.source)}`;
  for (const line of linesOf(await host.need(find))) {
    const words = line.split(' ');
    const port = Port.safeParse(words).data;
    const [kind, name = ''] = words;
    if (kind === 'unit') {
      const why = `${name} is running and may switch the same outlets`;
      found.set(`power-cycle-daemon ${name}`, { service: 'power-cycle-daemon', unit: name, why });
      continue;
    }
    const service = port && exclusivePorts.get(port[1]);
    if (port === undefined || service === undefined) continue;
    const [, number, unit, ...command] = port;
    const who = unit === '-' ? `the program ${stripSecrets(command.join(' '))}` : unit;
    const key = `${service} ${who}`;
    if (found.has(key)) continue;
    const why = `${who} uses port ${number}`;
    found.set(key, { service, why, ...(unit !== '-' && { unit }) });
  }
  return [...found.values()];
}

/** cron lines that concern racks, for operators to judge. */
export async function findCronLines(host: Host): Promise<string[]> {
  const { stdout } = await host.run(
    `grep -rhiE '^[^#].*(power|metadata|router|backup|alert|swarming|skia)' /etc/crontab /etc/cron.d /var/spool/cron/crontabs 2>/dev/null`,
  );
  return linesOf(stdout);
}

/** Directories that an existing NFS server exports, from its exports files: `/opt/images 192.168.1.0/24(ro)`. */
export async function findExports(host: Host): Promise<string[]> {
  const { stdout } = await host.run(
    `find /etc/exports /etc/exports.d -name 'exports' -o -name '*.exports' -not -name skolo.exports | xargs -r grep -hE '^[[:space:]]*[^#[:space:]]'`,
  );
  return linesOf(stdout);
}
