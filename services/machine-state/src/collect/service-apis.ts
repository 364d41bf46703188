/** The APIs of a rack's other services, and their addresses. */
import {
  type Api,
  alertToPubsubApi,
  metadataServerApi,
  powerCycleDaemonApi,
  routerBackupApi,
} from '@skolo/api';
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

export function apiUrl(rack: Rack, service: AskedService): string {
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
