/** Finds settings in rack.yaml that do not work on k3s. They do not stop any rack. Each message follows the path in rack.yaml. */
import { posix } from 'node:path';
import { isObject } from '@skolo/base';
import { hostsOf, namesOf } from '../formats/hosts.ts';
import type { Remark } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { jumphostServices, servicePorts } from '../schema/service-ports.ts';
import type { ServiceSecret } from '../secrets/service-secrets.ts';
import { lowPorts } from './extra-ports.ts';
import { contains, networkOf, overlap, podNetwork, portsAt } from './networks.ts';

/** The default of k3s. */
const serviceNetwork = '10.43.0.0/16';

/** From kube/base/alertmanager: the alert for the power-cycle daemon, and intervals of repetition. */
const machineMissing = 'MachineMissing';
const repeatIntervalHours = 12;
const watchdogSeconds = 120;

type Warn = (where: string, message: string) => void;

/** In the order of rack.yaml, as far as possible. */
export function renderWarnings(rack: Rack, secrets: readonly ServiceSecret[]): Remark[] {
  const remarks: Remark[] = [];
  const warn: Warn = (where, message) => remarks.push({ where, message });
  ofSubnet(rack, warn);
  ofReaders(rack, warn);
  ofVariables(secrets, warn);
  ofCommands(rack, warn);
  ofUrls(rack, warn);
  ofEndpoints(rack, warn);
  ofIdentity(rack, warn);
  ofAlertmanager(rack, warn);
  ofFolders(rack, warn);
  ofAgents(rack, warn);
  return remarks;
}

function ofSubnet({ network: { subnet } }: Rack, warn: Warn): void {
  for (const [what, cidr] of Object.entries({ pods: podNetwork, Services: serviceNetwork })) {
    const how = 'configure k3s with other networks before its first start';
    if (subnet !== undefined && overlap(subnet, cidr))
      warn('network.subnet', `overlaps ${cidr}, the k3s network for ${what}; ${how}`);
  }
}

/** Through a Service, requests from the jumphost have an address of its pods. */
function ofReaders({ access: { anonymousRead }, jumphost, services }: Rack, warn: Warn): void {
  const { powerToken } = services['router-backup'];
  const hasJumphost = anonymousRead.some((cidr) => contains(cidr, networkOf(jumphost.address)));
  if (!hasJumphost || anonymousRead.some((cidr) => overlap(cidr, podNetwork))) return;
  const backup = powerToken === undefined ? ', such as router-backup,' : '';
  warn(
    'access.anonymousRead',
    `includes the jumphost, but on k3s, requests from its programs and pods${backup} come from ${podNetwork}; add the jumphost's pod network (10.42.0.0/24 for the first node)`,
  );
}

function ofVariables(secrets: readonly ServiceSecret[], warn: Warn): void {
  const all = secrets.flatMap(({ variables }) => variables);
  const names = new Map(all.flatMap(({ name, where }) => where.map((each) => [each, name])));
  const why = 'which is read only at startup and is visible to all programs in the pod';
  for (const [where, name] of names)
    warn(where, `uses the environment variable ${name}, ${why}; prefer a file`);
}

function ofCommands({ equipment }: Rack, warn: Warn): void {
  const what = 'runs programs in the power-cycle-daemon pod; check that its image contains them';
  for (const { name, transport } of equipment.values())
    if (transport === 'command') warn(`equipment.${name}`, what);
}

/** A `url` does not change the port on which a service listens. */
function ofUrls(rack: Rack, warn: Warn): void {
  const jumphost = hostsOf(rack)
    .slice(0, 1)
    .flatMap((host) => [host.address, ...namesOf(host, rack.network.domain)]);
  const found = [
    ...jumphostServices.map((service) => ({
      service,
      where: `services.${service}`,
      settings: rack.services[service],
      names: jumphost,
    })),
    ...[...rack.machines.values()].map(({ name, address, swarming }) => ({
      service: 'swarming-client' as const,
      where: `machines.${name}.swarming`,
      settings: swarming,
      names: [address, name, `${name}.${rack.network.domain}`],
    })),
  ];
  for (const { service, where, settings, names } of found) {
    const { port, metricsPort } = servicePorts[service];
    for (const [key, listens] of Object.entries({ url: port, metricsUrl: metricsPort })) {
      const value: unknown = Reflect.get(settings, key);
      for (const asked of typeof value === 'string' ? portsAt(value, names) : []) {
        if (asked === listens) continue;
        warn(
          `${where}.${key}`,
          `specifies port ${asked}, but on k3s ${service} listens on ${listens}; remove the port, unless a proxy listens on it`,
        );
      }
    }
  }
}

function ofEndpoints({ services }: Rack, warn: Warn): void {
  const { endpoints } = services['power-cycle-daemon'];
  for (const [name, endpoint] of Object.entries(endpoints)) {
    if (endpoint === undefined) continue;
    const where = `services.power-cycle-daemon.endpoints.${name}`;
    const change = 'remove it, because `allow` already restricts access';
    if (endpoint.host !== undefined)
      warn(`${where}.host`, `applies to the pod, whose address changes; ${change}`);
    if (endpoint.port < lowPorts)
      warn(`${where}.port`, `is below ${lowPorts}, which requires root; choose another port`);
  }
}

/** Requests of pods have their own addresses, not the jumphost's. */
function ofIdentity({ defaultIdentity, services }: Rack, warn: Warn): void {
  const { callers } = services['metadata-server'];
  const { pubsub, credentials } = services['alert-to-pubsub'];
  const { upload, uploadKey } = services['router-backup'];
  const ofAlerts = 'services.alert-to-pubsub.credentials';
  const hasIdentity =
    defaultIdentity !== undefined ||
    callers.some(({ cidr, identity }) => identity !== 'none' && overlap(cidr, podNetwork));
  const lacksToken = (where: string) => {
    const how =
      'pods on the jumphost require an entry in services.metadata-server.callers; add { cidr: 10.42.0.0/24, identity: NAME }';
    if (!hasIdentity) warn(where, `does not receive a token: ${how}`);
  };
  if (pubsub && credentials === 'metadata') lacksToken(ofAlerts);
  if (upload?.startsWith('gs://') && uploadKey === undefined)
    lacksToken('services.router-backup.upload');
  if (pubsub && credentials === 'default') {
    const how = 'use `metadata` or { keyFile: secrets/NAME }';
    warn(ofAlerts, `is \`default\`, which finds no credentials in a pod; ${how}`);
  }
}

/** Settings that do not match kube/base/alertmanager. */
function ofAlertmanager({ services }: Rack, warn: Warn): void {
  const { tls, auth, repeatHours, watchdog } = services['alert-to-pubsub'];
  const { tls: powerTls, repair } = services['power-cycle-daemon'];
  const plainHttp = 'does not match Alertmanager in kube/base, which uses plain HTTP; remove it';
  const other = repair.alerts.filter((name) => name !== machineMissing);
  const found: Record<string, string | false> = {
    'alert-to-pubsub.tls': tls !== undefined && plainHttp,
    'alert-to-pubsub.auth':
      auth.username !== undefined &&
      auth.bearer === undefined &&
      'has a password, but Alertmanager in kube/base sends a token; add `bearer`',
    'alert-to-pubsub.repeatHours':
      repeatHours <= repeatIntervalHours &&
      `must exceed ${repeatIntervalHours} hours, the interval at which Alertmanager in kube/base repeats alerts; otherwise, alerts expire before they are repeated`,
    'alert-to-pubsub.watchdog.withinSeconds':
      watchdog.withinSeconds <= watchdogSeconds &&
      `must exceed ${watchdogSeconds} s, the interval at which Alertmanager in kube/base repeats the watchdog alert`,
    'power-cycle-daemon.tls': repair.enabled && powerTls !== undefined && plainHttp,
    'power-cycle-daemon.repair.alerts':
      repair.enabled &&
      other.length > 0 &&
      `contains ${other.join(', ')}, but Alertmanager in kube/base sends only ${machineMissing}; remove the other alerts`,
  };
  for (const [key, message] of Object.entries(found)) {
    if (message === false) continue;
    warn(`services.${key}`, `${message}, or change Alertmanager's configuration`);
  }
}

/** A pod mounts only rack.yaml, its secrets and its own state. */
function ofFolders({ services }: Rack, warn: Warn): void {
  const { upload, git } = services['router-backup'];
  const { tokenFolder } = services['metadata-server'];
  const warnOf = (service: string, key: string, path: string | undefined) => {
    if (path === undefined) return;
    const state = `/var/lib/skolo/${service}`;
    if (`${posix.resolve('/etc/skolo', path)}/`.startsWith(`${state}/`)) return;
    const how = 'add a volume for it in the overlay';
    warn(
      `services.${service}.${key}`,
      `is outside ${state}, the pod's persistent directory; ${how}`,
    );
  };
  // The pod mounts the jumphost's /dev/shm.
  if (!tokenFolder?.startsWith('/dev/shm/')) warnOf('metadata-server', 'tokenFolder', tokenFolder);
  if (upload?.startsWith('/')) warnOf('router-backup', 'upload', upload);
  const remote = /^(?:file:\/\/)?(\/.*)/.exec(git.remote ?? '')?.[1];
  warnOf('router-backup', 'git.remote', remote);
  services['alert-to-pubsub'].sinks.forEach((sink, i) => {
    if (sink.kind === 'file') warnOf('alert-to-pubsub', `sinks[${i}].file`, sink.file);
  });
}

/** Files on the machine: the agent's pod mounts the bot's directory, but no secrets of the rack. */
function ofAgents({ services, machines }: Rack, warn: Warn): void {
  const all = [
    { where: 'services.swarming-client', settings: services['swarming-client'] },
    ...[...machines.values()].map(({ name, swarming }) => ({
      where: `machines.${name}.swarming`,
      settings: swarming,
    })),
  ];
  const what =
    "is a file on the machine, but the agent's pod cannot access it; add a volume for the file in the overlay";
  for (const { where, settings } of all) {
    const { tls, ssh }: { tls?: unknown; ssh?: unknown } = settings;
    if (tls !== undefined) warn(`${where}.tls`, what);
    if (isObject(ssh) && ssh.privateKey !== undefined) warn(`${where}.ssh.privateKey`, what);
  }
}
