/** The part of the APIs that the pages need at run time. Node evaluates it at build time. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

const folder = join(import.meta.dirname, 'src');

/** Whatever a page calls, it names. The other routes would cost a tenth of the pages' size. */
function namedInPages(): (route: string) => boolean {
  const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  const words = new Set(texts.join('\n').match(/\w+/g));
  return (route) => words.has(route);
}

export function routesForPages() {
  const isNamed = namedInPages();
  return Object.fromEntries(
    Object.entries(apis).map(([service, api]) => [
      service,
      Object.fromEntries(
        Object.entries<RouteSpec>({ ...api, ...auditApi })
          .filter(([name]) => isNamed(name))
          .map(([name, { method, path }]) => [name, { method: method.toUpperCase(), path }]),
      ),
    ]),
  );
}
