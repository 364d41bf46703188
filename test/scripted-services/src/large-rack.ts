/** A rack of 200 machines: its rack.yaml, and all services and agents, some of them with problems. */
import type {
  AgentStatus,
  BackupEquipment,
  ControllerStatus,
  KnownAlert,
  MachinePower,
  MetadataClient,
} from '@skolo/api';
import { ago } from './ago.ts';
import { exampleAgents } from './example/agents.ts';
import { exampleBackups } from './example/backups.ts';
import { examplePower } from './example/power.ts';
import { startScripted } from './service.ts';

const shelves = [1, 2, 3, 4, 5];
const perShelf = 40;

interface Spot {
  name: string;
  shelf: string;
  /** Its switch and port in that rack. */
  controller: string;
  outlet: string;
  /** From 1 to 200. */
  number: number;
}

const spots: Spot[] = shelves.flatMap((shelf) =>
  Array.from({ length: perShelf }, (_, i) => ({
    name: `skia-rpi2-rack4-shelf${shelf}-${String(i + 1).padStart(3, '0')}`,
    shelf: `shelf${shelf}`,
    controller: `switch-${shelf}`,
    outlet: `switch-${shelf}/${i + 1}`,
    number: (shelf - 1) * perShelf + i + 1,
  })),
);

/** The agents of four neighbours do not respond. */
function hasAgent(number: number): boolean {
  return number <= 50 || number > 54;
}

function yamlOf(spot: Spot, agents: string): string {
  const { name, shelf, outlet, number } = spot;
  const url = hasAgent(number) ? `${agents}/${name}` : 'http://127.0.0.1:2';
  return `  ${name}:
    { kind: ${shelf === 'shelf5' ? 'host' : 'rpi'}, shelf: ${shelf}, address: 10.0.1.${number}, identity: bots,
      power: ${outlet}, uplink: ${outlet}, device: { kind: android, power: usb/1-1.2 }, swarming: { url: "${url}" } }`;
}

/** One of each kind of problem, and 16 of the 200 machines that are not well. */
function agentStatus({ name, number }: Spot): AgentStatus | undefined {
  const [well, quarantined, recovering] = exampleAgents().statuses;
  if (well === undefined || quarantined === undefined || recovering === undefined) return undefined;
  if (number % 22 === 0) return { ...quarantined, machine: name };
  if (number % 70 === 1) {
    const bot = { state: 'none' as const, since: ago(300), healthy: false, starts: 0 };
    return { ...recovering, machine: name, bot };
  }
  return { ...well, machine: name };
}

/** Two machines are off, and the switch of shelf 3 does not respond. */
function machinePower({ name, shelf, controller, outlet, number }: Spot): MachinePower {
  const isDown = controller === 'switch-3';
  const isOff = number === 7 || number === 190;
  return {
    name,
    kind: 'machine',
    shelf,
    outlets: [
      {
        outlet,
        controller,
        feeds: [name],
        state: isOff ? 'off' : isDown ? 'unknown' : 'on',
        stuckOff: false,
        watts: 3.2,
      },
    ],
    controllers: [
      isDown
        ? { name: controller, state: 'down', detail: 'no SNMP response within 5 s' }
        : { name: controller, state: 'up' },
    ],
    last: {
      id: 'c0901',
      action: 'cycle',
      outcome: 'back',
      finishedAt: ago(12.5 * 60),
      by: 'ann',
      reason: 'offline',
    },
  };
}

function controllers(): ControllerStatus[] {
  const common = {
    level: 'never seen' as const,
    queue: 0,
    lastContact: ago(20),
    since: ago(5.5 * 3600),
  };
  return Array.from({ length: 40 }, (_, i) => ({
    ...common,
    name: `switch-in-the-lab-${i + 1}`,
    model: 'edgeswitch',
    ...(i === 2
      ? { state: 'down' as const, detail: 'no SNMP response within 5 s, tried 12 times' }
      : { state: 'up' as const }),
  }));
}

function clients(): MetadataClient[] {
  return [
    { name: '10.0.77.7', kind: 'unknown', address: '10.0.77.7', lastAsked: ago(150), requests: 3 },
    ...spots.map(({ name, number }) => ({
      name,
      kind: 'machine' as const,
      identity: 'bots',
      address: `10.0.1.${number}`,
      requests: 12,
      ...(number % 50 !== 0 && { lastAsked: ago(150), lastTokenAsked: ago(12.5 * 60) }),
    })),
  ];
}

function backups(): BackupEquipment[] {
  const many = Array.from({ length: 60 }, (_, i) => ({
    name: `switch-in-the-lab-${i + 1}`,
    model: 'edgeswitch',
    state: 'ok' as const,
    versions: 3,
    reading: false,
    offsite: 'stored' as const,
    lastSuccess: ago(4.5 * 3600),
    changedAt: ago(40.5 * 86_400),
    size: 12_345,
  }));
  return [...exampleBackups.equipment(), ...many];
}

function alerts(): KnownAlert[] {
  return spots.map(({ name, number }) => ({
    annotations: { summary: `${name} was not seen for 15 min, and nothing near it was` },
    endpoint: 'webhook',
    fingerprint: String(number).padStart(16, '0'),
    status: 'firing',
    labels: {
      alertname: number % 9 === 0 ? 'MachineMissingForLong' : 'MachineMissing',
      severity: number % 9 === 0 ? 'critical' : 'warning',
      machine: name,
    },
    startsAt: ago(20.5 * 60),
    first: ago(20.5 * 60),
    last: ago(2.5 * 60),
    count: 21,
  }));
}

function holds() {
  return spots.slice(0, 30).map(({ name, number }) => ({
    id: `h${number}`,
    target: name,
    by: 'ann',
    since: ago(60),
    until: ago(-30.5 * 3600),
    reason: 'waits for a new PoE hat from the store',
  }));
}

export async function startLargeRack() {
  const power = await startScripted('power-cycle-daemon', {
    machines: () => ({ machines: spots.map(machinePower) }),
    controllers: () => ({ controllers: controllers() }),
    holds: () => ({ holds: holds() }),
    cycles: () => ({ cycles: examplePower.cycles() }),
  });
  const metadata = await startScripted('metadata-server', {
    clients: () => ({ clients: clients() }),
  });
  const backup = await startScripted('router-backup', {
    allEquipment: () => ({ equipment: backups(), offsite: exampleBackups.offsite(), lost: [] }),
  });
  const alerting = await startScripted('alert-to-pubsub', {
    alerts: () => ({ alerts: alerts() }),
  });
  const agents = await startScripted('swarming-client', {});
  // All at one address, by name.
  agents.instead = ({ url = '' }, response) => {
    const spot = spots.find(({ name }) => url.startsWith(`/${name}/`));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(spot && agentStatus(spot)));
  };
  const machines = spots.map((spot) => yamlOf(spot, agents.url));
  return {
    yaml: `rack: rack4
network: { subnet: 10.0.0.0/16, domain: lan }
jumphost: { name: jumphost-rack4, address: 10.0.0.8 }
identities:
  bots: { project: my-project, email: bots@my-project.iam.gserviceaccount.com, credentials: { serviceAccountKey: k } }
logins: { switches: { username: ubnt, password: { file: s } } }
equipment:
  switch-[1-5]: { model: edgeswitch, portCount: 48, address: "10.0.0.1[1-5]", login: switches }
machines:
${machines.join('\n')}
services:
  metadata-server: { metricsUrl: "${metadata.url}" }
  power-cycle-daemon: { url: "${power.url}" }
  router-backup: { url: "${backup.url}" }
  alert-to-pubsub: { url: "${alerting.url}", project: my-project }
`,
    async close() {
      for (const { close } of [power, metadata, backup, alerting, agents]) await close();
    },
  };
}
