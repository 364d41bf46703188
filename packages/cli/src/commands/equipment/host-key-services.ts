import { powerCycleDaemonApi } from '@skolo/api';
import type { ServiceName } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes, failureOf } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { connectTo, type Service } from '../../service-client.ts';

const { hostKeys, forgetHostKey } = powerCycleDaemonApi;
/** Both services have these routes. */
const hostKeysApi = { hostKeys, forgetHostKey };

/** Each pins its own host keys. */
const services = ['power-cycle-daemon', 'router-backup'] as const satisfies readonly ServiceName[];

interface HostKeyService {
  /** Name of the service, or `--url`. */
  name: string;
  service: Pick<Service<typeof hostKeysApi>, 'ask'>;
}

/** All services of the rack that pin host keys, or the one at `--url`. */
export async function hostKeyServices(command: SkoloCommand): Promise<HostKeyService[]> {
  const { url } = command.globals();
  return Promise.all(
    (url === undefined ? services : services.slice(0, 1)).map(async (service) => ({
      name: url ?? service,
      service: await connectTo(command, { api: hostKeysApi, service }),
    })),
  );
}

/**
 * Asks each service and gives the responses. Sets exit code 3 if only some answer.
 *
 * @throws The first error, if no service answers.
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
