/** `skolo equipment keys` and `forget`: host keys that services pinned. */

import { powerCycleDaemonApi } from '@skolo/api';
import type { ServiceName } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes, failureOf } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { byNumber } from '../../names.ts';
import { printTable } from '../../output/table.ts';
import { timestamp } from '../../output/time.ts';
import { connectTo, type Service } from '../../reach/service-client.ts';

/** `skolo equipment keys`: lists pinned ssh host keys. */
export function keys(command: SkoloCommand): void {
  command
    .description(
      'Lists the SSH host keys that services pinned when they first connected to equipment, but not those in rack.yaml. Services do not sign in to equipment that presents a different key.',
    )
    .summary('list pinned SSH host keys')
    .option('--json', 'print JSON')
    .example('skolo equipment keys --rack racks/rack4/rack.yaml');

  command.action(async ({ json }: { json?: true }) => {
    const services = hostKeyServices(command);
    const answers = await askServices(command.io, services, async ({ name, service }) => {
      const { hostKeys } = await service.ask((client) => client.hostKeys());
      return hostKeys.map((key) => ({ ...key, service: name }));
    });
    const hostKeys = answers.flat().sort((a, b) => byNumber(a.equipment, b.equipment));
    if (json) return printJson(command.io, { hostKeys });
    return printTable(
      command.io,
      [
        { title: 'NAME', cell: ({ equipment }) => equipment, shrinkTo: 12 },
        { title: 'FINGERPRINT', cell: ({ fingerprint }) => fingerprint, shrinkTo: 16 },
        {
          title: 'FIRST SEEN',
          cell: ({ firstSeen }) => timestamp(firstSeen),
          leaveOut: 2,
        },
        { title: 'PINNED BY', cell: ({ service }) => service, leaveOut: 1 },
      ],
      hostKeys,
    );
  });
}

/** `skolo equipment forget`: forgets the host key of replaced equipment, and that its description has on and off inverted. */
export function forget(command: SkoloCommand): void {
  command
    .description(
      'Makes services forget the keys that they pinned for replaced equipment, or for a machine with a new SD card. The router backup also forgets the serial number and host name. Services then pin the next key that they receive. Use this command only if you know that it was replaced; otherwise, an attacker could impersonate it. If a cycle has ended as inverted, the power-cycle daemon sends commands to the equipment again, and tries its description with the next cycle.',
    )
    .summary('forget the host key of replaced equipment, or a verdict')
    .argument('<equipment>', 'name in rack.yaml')
    .option('--reason <text>', 'reason to record in the audit log')
    .example("skolo equipment forget switch-1 --reason 'swapped, ticket 4711'");

  command.action(async (equipment: string, { reason }: { reason?: string }) => {
    const services = hostKeyServices(command);
    const query = { why: reason };
    const answers = await askServices(command.io, services, async ({ name, service }) => {
      const params = { equipment };
      const answer = await service.ask((client) => client.forgetHostKey({ params, query }));
      return { ...answer, name };
    });
    const forgot = answers.filter(({ forgotten }) => forgotten);
    for (const { name, lifted } of forgot) {
      const verdict = `that on and off are inverted in the description of ${equipment}, and its host key, if any`;
      command.io.err(`${name}: forgot ${lifted ? verdict : `the host key of ${equipment}`}`);
    }
    if (forgot.length > 0) return;
    const who = answers.length < services.length ? 'no service that responded' : 'no service';
    throw new CliError(
      `${equipment}: ${who} has pinned a host key for it; to list pinned keys, run skolo equipment keys`,
    );
  });
}

const { hostKeys, forgetHostKey } = powerCycleDaemonApi;
/** Both services have these routes. */
const hostKeysApi = { hostKeys, forgetHostKey };

/** Each service pins host keys separately. */
const services = ['power-cycle-daemon', 'router-backup'] as const satisfies readonly ServiceName[];

interface HostKeyService {
  /** Name of the service, or `--url`. */
  name: string;
  service: Pick<Service<typeof hostKeysApi>, 'ask'>;
}

/** All services of the rack that pin host keys, or the one at `--url`. */
function hostKeyServices(command: SkoloCommand): HostKeyService[] {
  const { url } = command.globals();
  return (url === undefined ? services : services.slice(0, 1)).map((service) => ({
    name: url ?? service,
    service: connectTo(command, { api: hostKeysApi, service }),
  }));
}

/**
 * Asks each service and returns the responses. Sets exit code 3 if only some respond.
 *
 * @throws The first error, if no service responds.
 */
export async function askServices<Target, T>(
  io: Pick<Io, 'err' | 'exitCode'>,
  services: readonly Target[],
  ask: (service: Target) => Promise<T>,
): Promise<T[]> {
  const answers = await Promise.allSettled(services.map(ask));
  const good = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  if (good.length === 0) throw errors[0];
  for (const line of errors.flatMap((error) => failureOf(error).lines)) io.err(line);
  if (errors.length > 0) io.exitCode = exitCodes.partlyFailed;
  return good;
}
