import { powerCycleDaemonApi } from '@skolo/api';
import type { ServiceName } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { connectTo, type Service } from '../../service-client.ts';

const { hostKeys, forgetHostKey } = powerCycleDaemonApi;
/** What a service that signs in to equipment has in its API, each the same. */
const hostKeysApi = { hostKeys, forgetHostKey };

/** Those that pin host keys, each its own. */
const services = ['power-cycle-daemon', 'router-backup'] as const satisfies readonly ServiceName[];

export interface KeyKeeper {
  /** The service, or with `--url` what stands there. */
  name: string;
  service: Pick<Service<typeof hostKeysApi>, 'ask'>;
}

/** All of the rack, or the one at `--url`. */
export async function keyKeepers(command: SkoloCommand): Promise<KeyKeeper[]> {
  const globals = command.globals();
  const { url } = globals;
  return Promise.all(
    (url === undefined ? services : services.slice(0, 1)).map(async (service) => ({
      name: url ?? service,
      service: await connectTo({ api: hostKeysApi, service, port: 'public', globals }),
    })),
  );
}
