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

/** In the order of rack.yaml, as far as possible. */
export function renderWarnings(rack: Rack, secrets: readonly ServiceSecret[]): Remark[] {
  return [
    ...ofSubnet(rack),
    ...ofReaders(rack),
    ...ofVariables(secrets),
    ...ofCommands(rack),
    ...ofUrls(rack),
    ...ofEndpoints(rack),
    ...ofIdentity(rack),
    ...ofAlertmanager(rack),
    ...ofFolders(rack),
    ...ofAgents(rack),
  ];
}

function ofSubnet({ network: { subnet } }: Rack): Remark[] {
  return Object.entries({ pods: podNetwork, Services: serviceNetwork })
    .filter(([, cidr]) => subnet !== undefined && overlap(subnet, cidr))
    .map(([what, cidr]) => ({
      where: 'network.subnet',
      message: `overlaps ${cidr}, the k3s network for ${what}; configure k3s with other networks before its first start`,
    }));
}

/** Through a Service, requests from the jumphost have an address of its pods. */
function ofReaders({ access: { anonymousRead }, jumphost, services }: Rack): Remark[] {
  const { powerToken } = services['router-backup'];
  const hasJumphost = anonymousRead.some((cidr) => contains(cidr, networkOf(jumphost.address)));
  if (!hasJumphost || anonymousRead.some((cidr) => overlap(cidr, podNetwork))) return [];
  const backup = powerToken === undefined ? ', such as router-backup,' : '';
  return [
    {
      where: 'access.anonymousRead',
      message: `includes the jumphost, but on k3s, requests from its programs and pods${backup} come from ${podNetwork}; add the jumphost's pod network (10.42.0.0/24 for the first node)`,
    },
  ];
}

function ofVariables(secrets: readonly ServiceSecret[]): Remark[] {
  const warnings = new Map<string, Remark>();
  for (const { name, where } of secrets.flatMap(({ variables }) => variables)) {
    const message = `uses the environment variable ${name}, which is read only at startup and is visible to all programs in the pod; prefer a file`;
    for (const each of where) warnings.set(each, { where: each, message });
  }
  return [...warnings.values()];
}

function ofCommands({ equipment }: Rack): Remark[] {
  return [...equipment.values()]
    .filter(({ transport }) => transport === 'command')
    .map(({ name }) => ({
      where: `equipment.${name}`,
      message: 'runs programs in the power-cycle-daemon pod; check that its image contains them',
    }));
}

/** A `url` does not change the port on which a service listens. */
function ofUrls(rack: Rack): Remark[] {
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
  return found.flatMap(({ service, where, settings, names }) => {
    const { port, metricsPort } = servicePorts[service];
    return Object.entries({ url: port, metricsUrl: metricsPort }).flatMap(([key, listens]) => {
      const value: unknown = Reflect.get(settings, key);
      if (typeof value !== 'string') return [];
      return portsAt(value, names)
        .filter((asked) => asked !== listens)
        .map((asked) => ({
          where: `${where}.${key}`,
          message: `specifies port ${asked}, but on k3s ${service} listens on ${listens}; remove the port, unless a proxy listens on it`,
        }));
    });
  });
}

function ofEndpoints({ services }: Rack): Remark[] {
  return Object.entries(services['power-cycle-daemon'].endpoints).flatMap(([name, endpoint]) => {
    const where = `services.power-cycle-daemon.endpoints.${name}`;
    return [
      ...(endpoint?.host === undefined
        ? []
        : [
            {
              where: `${where}.host`,
              message:
                'applies to the pod, whose address changes; remove it, because `allow` already restricts access',
            },
          ]),
      ...(endpoint === undefined || endpoint.port >= lowPorts
        ? []
        : [
            {
              where: `${where}.port`,
              message: `is below ${lowPorts}, which requires root; choose another port`,
            },
          ]),
    ];
  });
}

/** Requests of pods have their own addresses, not the jumphost's. */
function ofIdentity({ defaultIdentity, services }: Rack): Remark[] {
  const { callers } = services['metadata-server'];
  const alerts = services['alert-to-pubsub'];
  const { upload, uploadKey } = services['router-backup'];
  const warnings: Remark[] = [];
  if (alerts.pubsub && alerts.credentials === 'default') {
    warnings.push({
      where: 'services.alert-to-pubsub.credentials',
      message:
        'is `default`, which finds no credentials in a pod; use `metadata` or { keyFile: secrets/NAME }',
    });
  }
  const clients = [
    ...(alerts.pubsub && alerts.credentials === 'metadata'
      ? ['services.alert-to-pubsub.credentials']
      : []),
    ...(upload?.startsWith('gs://') && uploadKey === undefined
      ? ['services.router-backup.upload']
      : []),
  ];
  const hasIdentity = callers.some(
    ({ cidr, identity }) => identity !== 'none' && overlap(cidr, podNetwork),
  );
  if (hasIdentity || defaultIdentity !== undefined) return warnings;
  return [
    ...clients.map((where) => ({
      where,
      message:
        'does not receive a token: pods on the jumphost require an entry in services.metadata-server.callers; add { cidr: 10.42.0.0/24, identity: NAME }',
    })),
    ...warnings,
  ];
}

/** Settings that do not match kube/base/alertmanager. */
function ofAlertmanager({ services }: Rack): Remark[] {
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
  return Object.entries(found).flatMap(([key, message]) =>
    message === false
      ? []
      : [
          {
            where: `services.${key}`,
            message: `${message}, or change Alertmanager's configuration`,
          },
        ],
  );
}

/** A pod mounts only rack.yaml, its secrets and its own state. */
function ofFolders({ services }: Rack): Remark[] {
  const { upload, git } = services['router-backup'];
  const { tokenFolder } = services['metadata-server'];
  const { sinks } = services['alert-to-pubsub'];
  const places = [
    {
      service: 'metadata-server',
      key: 'tokenFolder',
      // The pod mounts the jumphost's /dev/shm.
      path: tokenFolder?.startsWith('/dev/shm/') ? undefined : tokenFolder,
    },
    {
      service: 'router-backup',
      key: 'upload',
      path: upload?.startsWith('/') ? upload : undefined,
    },
    {
      service: 'router-backup',
      key: 'git.remote',
      path: /^(?:file:\/\/)?(\/.*)/.exec(git.remote ?? '')?.[1],
    },
    ...sinks.map((sink, i) => ({
      service: 'alert-to-pubsub',
      key: `sinks[${i}].file`,
      path: sink.kind === 'file' ? sink.file : undefined,
    })),
  ];
  return places.flatMap(({ service, key, path }) => {
    if (path === undefined || isState(service, path)) return [];
    const message = `is outside /var/lib/skolo/${service}, the pod's persistent directory; add a volume for it in the overlay`;
    return [{ where: `services.${service}.${key}`, message }];
  });
}

function isState(service: string, path: string): boolean {
  return `${posix.resolve('/etc/skolo', path)}/`.startsWith(`/var/lib/skolo/${service}/`);
}

/** Files on the machine: the agent's pod mounts the bot's directory, but no secrets of the rack. */
function ofAgents({ services, machines }: Rack): Remark[] {
  const all = [
    { where: 'services.swarming-client', settings: services['swarming-client'] },
    ...[...machines.values()].map(({ name, swarming }) => ({
      where: `machines.${name}.swarming`,
      settings: swarming,
    })),
  ];
  return all.flatMap(({ where, settings }) => {
    const { tls, ssh }: { tls?: unknown; ssh?: unknown } = settings;
    const files = {
      tls: tls !== undefined,
      'ssh.privateKey': isObject(ssh) && ssh.privateKey !== undefined,
    };
    return Object.entries(files)
      .filter(([, isSet]) => isSet)
      .map(([key]) => ({
        where: `${where}.${key}`,
        message:
          "is a file on the machine, but the agent's pod cannot access it; add a volume for the file in the overlay",
      }));
  });
}
