/** The part of the APIs that the pages need at run time. Node evaluates it at build time. */
import {
  type Api,
  alertToPubsubApi,
  auditApi,
  consoleApi,
  machineStateApi,
  metadataServerApi,
  powerCycleDaemonApi,
  type RouteSpec,
  routerBackupApi,
} from '@skolo/api';

const apis: Readonly<Record<string, Api>> = {
  'machine-state': { ...machineStateApi, ...consoleApi },
  'alert-to-pubsub': alertToPubsubApi,
  'metadata-server': metadataServerApi,
  'power-cycle-daemon': powerCycleDaemonApi,
  'router-backup': routerBackupApi,
};

export function routesForPages() {
  return Object.fromEntries(
    Object.entries(apis).map(([service, api]) => [
      service,
      Object.fromEntries(
        Object.entries<RouteSpec>({ ...api, ...auditApi }).map(([name, { method, path }]) => [
          name,
          { method: method.toUpperCase(), path },
        ]),
      ),
    ]),
  );
}
