/**
 * What stands in rack.yaml and cannot work on k3s, or not as it stands there. Nothing of it keeps a rack from starting. Each
 * sentence goes on after the place in rack.yaml.
 */
import { posix } from 'node:path';
import { hostsOf, namesOf } from '../formats/hosts.ts';
import type { Rack } from '../rack.ts';
import { jumphostServices, servicePorts } from '../service-ports.ts';
import type { RenderWarning } from './derived-file.ts';
import { lowPorts } from './extra-ports.ts';
import { contains, networkOf, overlap, podNetwork } from './networks.ts';
import type { ServiceSecret } from './secrets.ts';

/** Addresses of Services, where k3s is not told otherwise. */
const serviceNetwork = '10.43.0.0/16';

/** As in kube/base/alertmanager: what is sent to the power-cycle daemon, and how often anything is said again. */
const machineMissing = 'MachineMissing';
const repeatIntervalHours = 12;
const watchdogSeconds = 120;

/** In the order of rack.yaml, as far as possible. */
export function renderWarnings(rack: Rack, secrets: readonly ServiceSecret[]): RenderWarning[] {
  return [
    ...ofSubnet(rack),
    ...ofReaders(rack),
    ...ofVariables(secrets),
    ...ofCommands(rack),
    ...ofUrls(rack),
    ...ofDoors(rack),
    ...ofIdentity(rack),
    ...ofAlertmanager(rack),
    ...ofFolders(rack),
    ...ofAgents(rack),
  ];
}

function ofSubnet({ network: { subnet } }: Rack): RenderWarning[] {
  return Object.entries({ pods: podNetwork, Services: serviceNetwork })
    .filter(([, cidr]) => subnet !== undefined && overlap(subnet, cidr))
    .map(([what, cidr]) => ({
      where: 'network.subnet',
      message: `shares addresses with ${cidr}, where k3s has its ${what}; give k3s other networks before its first start`,
    }));
}

/** Behind a Service, the jumphost itself comes from the network of its pods. */
function ofReaders({ access: { anonymousRead }, jumphost, services }: Rack): RenderWarning[] {
  const { powerToken } = services['router-backup'];
  const letsJumphost = anonymousRead.some((cidr) => contains(cidr, networkOf(jumphost.address)));
  if (!letsJumphost || anonymousRead.some((cidr) => overlap(cidr, podNetwork))) return [];
  const backup = powerToken === undefined ? ', router-backup among them,' : '';
  return [
    {
      where: 'access.anonymousRead',
      message: `has the jumphost, but services of k3s see its own programs and pods${backup} at an address of ${podNetwork}; add that of the jumphost's pods (10.42.0.0/24, where it is the first node)`,
    },
  ];
}

function ofVariables(secrets: readonly ServiceSecret[]): RenderWarning[] {
  const warnings = new Map<string, RenderWarning>();
  for (const { name, where } of secrets.flatMap(({ variables }) => variables)) {
    const message = `is a variable, ${name}: a pod reads it when it starts and never again, and what runs in the pod can see it; a file is better`;
    for (const each of where) warnings.set(each, { where: each, message });
  }
  return [...warnings.values()];
}

function ofCommands({ infrastructure }: Rack): RenderWarning[] {
  return [...infrastructure.values()]
    .filter(({ transport }) => transport === 'command')
    .map(({ name }) => ({
      where: `infrastructure.${name}`,
      message:
        'runs programs in the pod of power-cycle-daemon, which has those of its image and no others',
    }));
}

/** Services listen on their own ports, whatever `url` says: it is where others look for them. */
function ofUrls(rack: Rack): RenderWarning[] {
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
      const said: unknown = Reflect.get(settings, key);
      if (typeof said !== 'string') return [];
      const url = new URL(said);
      const asked = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
      if (!names.includes(url.hostname.replaceAll(/[[\]]/g, '')) || asked === listens) return [];
      const message = `is port ${asked}, and on k3s ${service} is at ${listens}; leave it out, unless something in front of it answers there`;
      return [{ where: `${where}.${key}`, message }];
    });
  });
}

function ofDoors({ services }: Rack): RenderWarning[] {
  return Object.entries(services['power-cycle-daemon'].doors).flatMap(([name, door]) => {
    const where = `services.power-cycle-daemon.doors.${name}`;
    return [
      ...(door?.host === undefined
        ? []
        : [
            {
              where: `${where}.host`,
              message:
                'is no address of a pod, so the door cannot open; leave it out, `allow` is enough',
            },
          ]),
      ...(door === undefined || door.port >= lowPorts
        ? []
        : [
            {
              where: `${where}.port`,
              message: `is below ${lowPorts}, where only root may listen, and the service is not root; choose another`,
            },
          ]),
    ];
  });
}

/** Pods ask from addresses of their own, and not from the jumphost's. */
function ofIdentity({ defaultIdentity, services }: Rack): RenderWarning[] {
  const { callers, defaultIdentity: sameDefault } = services['metadata-server'];
  const alerts = services['alert-to-pubsub'];
  const { upload, uploadKey } = services['router-backup'];
  const warnings: RenderWarning[] = [];
  if (alerts.pubsub && alerts.credentials === 'default') {
    warnings.push({
      where: 'services.alert-to-pubsub.credentials',
      message:
        'is `default`, which finds nothing in a pod; say `metadata`, or { keyFile: secrets/NAME }',
    });
  }
  const askers = [
    ...(alerts.pubsub && alerts.credentials === 'metadata'
      ? ['services.alert-to-pubsub.credentials']
      : []),
    ...(upload?.startsWith('gs://') && uploadKey === undefined
      ? ['services.router-backup.upload']
      : []),
  ];
  const gets = callers.some(
    ({ cidr, identity }) => identity !== 'none' && overlap(cidr, podNetwork),
  );
  if (gets || (defaultIdentity ?? sameDefault) !== undefined) return warnings;
  return [
    ...askers.map((where) => ({
      where,
      message:
        'gets no token: pods of the jumphost have an identity only where services.metadata-server.callers says so; add { cidr: 10.42.0.0/24, identity: NAME }',
    })),
    ...warnings,
  ];
}

/** Where rack.yaml and kube/base/alertmanager do not go together. */
function ofAlertmanager({ services }: Rack): RenderWarning[] {
  const { tls, auth, repeatHours, watchdog } = services['alert-to-pubsub'];
  const { tls: powerTls, repair } = services['power-cycle-daemon'];
  const plainHttp = 'is not what Alertmanager of kube/base expects, which speaks plain http';
  const other = repair.alerts.filter((name) => name !== machineMissing);
  const found: Record<string, string | false> = {
    'alert-to-pubsub.tls': tls !== undefined && plainHttp,
    'alert-to-pubsub.auth':
      auth.username !== undefined &&
      auth.bearer === undefined &&
      'is a password, and Alertmanager of kube/base sends a token; add `bearer`',
    'alert-to-pubsub.repeatHours':
      repeatHours <= repeatIntervalHours &&
      `is no longer than the ${repeatIntervalHours} hours after which Alertmanager of kube/base repeats: alerts expire in between`,
    'alert-to-pubsub.watchdog.withinSeconds':
      watchdog.withinSeconds <= watchdogSeconds &&
      `is no longer than the ${watchdogSeconds} s after which Alertmanager of kube/base repeats the watchdog`,
    'power-cycle-daemon.tls': repair.enabled && powerTls !== undefined && plainHttp,
    'power-cycle-daemon.repair.alerts':
      repair.enabled &&
      other.length > 0 &&
      `has ${other.join(', ')}, and Alertmanager of kube/base sends ${machineMissing} only`,
  };
  return Object.entries(found).flatMap(([key, message]) =>
    message === false
      ? []
      : [{ where: `services.${key}`, message: `${message}; or change its configuration, too` }],
  );
}

/** A pod has rack.yaml, its secrets and its own state, and nothing else of the jumphost's disk. */
function ofFolders({ services }: Rack): RenderWarning[] {
  const { upload, git, jumphost } = services['router-backup'];
  const { handover } = services['metadata-server'];
  const { sinks } = services['alert-to-pubsub'];
  const places = [
    {
      service: 'metadata-server',
      key: 'handover',
      // The jumphost's memory is the pod's, too.
      path: handover?.startsWith('/dev/shm/') ? undefined : handover,
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
  const unseen = jumphost.paths.filter((path) => !isState('router-backup', path));
  return [
    ...places.flatMap(({ service, key, path }) => {
      if (path === undefined || isState(service, path)) return [];
      const message = `is outside of /var/lib/skolo/${service}, and the pod has no other place to write to; add a volume for it in the overlay`;
      return [{ where: `services.${service}.${key}`, message }];
    }),
    ...(jumphost.backup && unseen.length > 0
      ? [
          {
            where: 'services.router-backup.jumphost.paths',
            message: `a pod sees nothing of ${unseen.join(', ')} but its own state: the rest is left out of the backup of the jumphost; copy it from there`,
          },
        ]
      : []),
  ];
}

function isState(service: string, path: string): boolean {
  return `${posix.resolve('/etc/skolo', path)}/`.startsWith(`/var/lib/skolo/${service}/`);
}

/** Paths on the machine: the pod there has the bot's folder, and no secret of the rack. */
function ofAgents({ services, machines }: Rack): RenderWarning[] {
  const all = [
    { where: 'services.swarming-client', settings: services['swarming-client'] },
    ...[...machines.values()].map(({ name, swarming }) => ({
      where: `machines.${name}.swarming`,
      settings: swarming,
    })),
  ];
  return all.flatMap(({ where, settings }) => {
    const ssh: unknown = Reflect.get(settings, 'ssh');
    const files = {
      tls: Reflect.get(settings, 'tls') !== undefined,
      'ssh.privateKey':
        typeof ssh === 'object' && ssh !== null && Reflect.get(ssh, 'privateKey') !== undefined,
    };
    return Object.entries(files)
      .filter(([, isSaid]) => isSaid)
      .map(([key]) => ({
        where: `${where}.${key}`,
        message:
          'is a file of the machine that the pod of its agent does not see; add a volume for it in the overlay',
      }));
  });
}
