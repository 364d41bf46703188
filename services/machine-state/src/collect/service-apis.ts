/** The APIs of a rack's other services, their addresses and clients. */
import {
  type Api,
  alertToPubsubApi,
  type Client,
  createClient,
  metadataServerApi,
  powerCycleDaemonApi,
  routerBackupApi,
} from '@skolo/api';
import { readSecret } from '@skolo/base/secrets';
import { type Rack, type ServiceName, serviceMetricsUrl, serviceUrl } from '@skolo/rack';

export type AskedService = Exclude<ServiceName, 'swarming-client' | 'machine-state'>;

export const serviceApis = {
  'metadata-server': metadataServerApi,
  'power-cycle-daemon': powerCycleDaemonApi,
  'router-backup': routerBackupApi,
  'alert-to-pubsub': alertToPubsubApi,
} satisfies Record<AskedService, Api>;

export const askedServices = [
  'metadata-server',
  'power-cycle-daemon',
  'router-backup',
  'alert-to-pubsub',
] as const satisfies readonly AskedService[];

function apiUrl(rack: Rack, service: AskedService): string {
  // Its public port only speaks Google's protocol.
  return service === 'metadata-server'
    ? serviceMetricsUrl(rack, service)
    : serviceUrl(rack, service);
}

/** What the console's pages may request; undefined: there is no such service. */
export function serviceNamed(rack: Rack, wanted: string): { api: Api; url: string } | undefined {
  const name = askedServices.find((each) => each === wanted);
  return name && { api: serviceApis[name], url: apiUrl(rack, name) };
}

interface ClientOptions {
  timeoutMs: number;
  mostBytes: number;
  /** Default: this service's own. */
  token?: string | undefined;
}

/** A client that signs in. @throws SecretError The token cannot be read. */
export async function serviceClient<A extends Api>(
  rack: Rack,
  service: AskedService,
  api: A,
  options: ClientOptions,
): Promise<Client<A>> {
  const { servicesToken } = rack.services['machine-state'];
  const own = async () => servicesToken && (await readSecret(rack, servicesToken)).reveal().trim();
  const token = options.token ?? (await own());
  return createClient(api, { ...options, baseUrl: apiUrl(rack, service), token, rack: rack.name });
}
