/** Values of parameters that ask for more than there is, or for what cannot be counted, in any parameter of any route that reads. */
import {
  alertToPubsubApi,
  auditApi,
  enrolmentsApi,
  machineStateApi,
  powerCycleDaemonApi,
  routerBackupApi,
  swarmingClientApi,
} from '@skolo/api';
import type { RouteSpec } from '@skolo/api/route';
import type { Sender, ServerName } from './servers.ts';

const values: readonly string[] = [
  ...['', '0', '-1', '1e308', '9007199254740993', 'NaN', 'latest~999999999'],
  ...['0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '9999-12-31', '9999-99.999999999999999'],
  ...['rpi-[1-9999]', `${'x'.repeat(7000)}[1-9999]`],
  `x[${'1-9999,'.repeat(1000)}1]`,
  'x[1-9999],'.repeat(700),
  'r p i '.repeat(1200),
];

const apis: readonly [ServerName, Sender, readonly Readonly<Record<string, RouteSpec>>[]][] = [
  ['machine-state', 'admin', [machineStateApi, enrolmentsApi, auditApi]],
  ['router-backup', 'admin', [routerBackupApi]],
  ['alert-to-pubsub', 'admin', [alertToPubsubApi]],
  ['power-cycle-daemon', 'admin', [powerCycleDaemonApi]],
  ['agent status', 'services', [swarmingClientApi]],
];

interface Extreme {
  at: ServerName;
  sender: Sender;
  /** The route and the parameter. */
  where: string;
  paths: string[];
}

/** Each parameter of each route, with all values. */
export const extremes: readonly Extreme[] = apis.flatMap(([at, sender, ofServer]) =>
  ofServer
    .flatMap((api) => Object.values(api))
    .filter(({ method, events }) => method === 'get' && events === undefined)
    .flatMap(({ path, params, query }) => [
      ...keysOf(params).map((name) => ({
        ...{ at, sender, where: path },
        paths: values.map((value) => filled(path, { [name]: value || ' ' })),
      })),
      ...keysOf(query).map((name) => ({
        ...{ at, sender, where: `${path}?${name}=` },
        paths: values.map((value) => `${filled(path)}?${new URLSearchParams([[name, value]])}`),
      })),
    ]),
);

function keysOf(schema: RouteSpec['query']): string[] {
  return Object.keys(schema?.shape ?? {});
}

function filled(path: string, given: Record<string, string> = {}): string {
  const all: Record<string, string> = { name: 'rpi-1', equipment: 'pdu-1', ...given };
  return path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(all[name] ?? '1'));
}
