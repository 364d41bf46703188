import { powerCycleDaemonApi } from '@skolo/api';
import type { ServiceName } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes, failureOf } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { connectTo, type Service } from '../../service-client.ts';

const { hostKeys, forgetHostKey } = powerCycleDaemonApi;
/** What a service that signs in to equipment has in its API, each the same. */
const hostKeysApi = { hostKeys, forgetHostKey };

/** Those that pin host keys, each its own. */
const services = ['power-cycle-daemon', 'router-backup'] as const satisfies readonly ServiceName[];

interface KeyKeeper {
  /** The service, or with `--url` what stands there. */
  name: string;
  service: Pick<Service<typeof hostKeysApi>, 'ask'>;
}

/** All of the rack, or the one at `--url`. */
export async function keyKeepers(command: SkoloCommand): Promise<KeyKeeper[]> {
  const { url } = command.globals();
  return Promise.all(
    (url === undefined ? services : services.slice(0, 1)).map(async (service) => ({
      name: url ?? service,
      service: await connectTo(command, { api: hostKeysApi, service }),
    })),
  );
}

/**
 * Asks each service that keeps host keys, and gives the answers. One that does not answer does not hide what the others
 * say: then the exit code is 3.
 *
 * @throws The error of the first, where none answers.
 */
export async function askKeepers<Keeper, T>(
  io: Pick<Io, 'err' | 'exitCode'>,
  keepers: readonly Keeper[],
  ask: (keeper: Keeper) => Promise<T>,
): Promise<T[]> {
  const answers = await Promise.allSettled(keepers.map(ask));
  const good = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  if (good.length === 0) throw errors[0];
  for (const line of errors.flatMap((error) => failureOf(error).lines)) io.err(line);
  if (errors.length > 0) io.exitCode = exitCodes.partlyFailed;
  return good;
}
