/** A rack of 200 machines: its rack.yaml, and all services and agents at one address, some of them with problems. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
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

export function largeRackYaml(url: string): string {
  const machines = spots.map(
    ({ name, shelf, outlet, number }) => `  ${name}:
    { kind: ${shelf === 'shelf5' ? 'host' : 'rpi'}, shelf: ${shelf}, address: 10.0.1.${number}, identity: bots,
      power: ${outlet}, uplink: ${outlet}, device: { kind: android, power: usb/1-1.2 },
      swarming: { url: "${hasAgent(number) ? `${url}/agents/${name}` : 'http://127.0.0.1:2'}" } }`,
  );
  return `rack: rack4
network: { subnet: 10.0.0.0/16, domain: lan }
jumphost: { name: jumphost-rack4, address: 10.0.0.8 }
identities:
  bots: { project: my-project, email: bots@my-project.iam.gserviceaccount.com, credentials: { serviceAccountKey: k } }
logins: { switches: { username: ubnt, password: { file: s } } }
infrastructure:
  switch-[1-5]: { model: edgeswitch, portCount: 48, address: "10.0.0.1[1-5]", login: switches }
machines:
${machines.join('\n')}
services:
  metadata-server: { metricsUrl: "${url}" }
  power-cycle-daemon: { url: "${url}" }
  router-backup: { url: "${url}" }
  alert-to-pubsub: { url: "${url}/alerts", project: my-project }
`;
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

function bodyOf({ pathname }: URL): unknown {
  switch (pathname) {
    case '/v1/machines':
      return { machines: spots.map(machinePower) };
    case '/v1/controllers':
      return { controllers: controllers() };
    case '/v1/holds':
      return { holds: holds() };
    case '/v1/power-cycles':
      return { cycles: examplePower.cycles() };
    case '/v1/clients':
      return { clients: clients() };
    case '/v1/equipment':
      return { equipment: backups(), offsite: exampleBackups.offsite(), lost: [] };
    case '/alerts/v1/alerts':
      return { alerts: alerts() };
    default:
      return undefined;
  }
}

/** The status of the agent at an address: `HOST/NAME/v1/status`. */
function agentBody({ pathname }: URL): unknown {
  const [, name] = /^\/agents\/([^/]+)\/v1\/status$/.exec(pathname) ?? [];
  const spot = spots.find((each) => each.name === name);
  return spot && agentStatus(spot);
}

interface LargeRack {
  url: string;
  close(): Promise<void>;
}

export async function startLargeRack(): Promise<LargeRack> {
  const server = createServer(({ url = '/' }: IncomingMessage, response) => {
    const asked = new URL(url, 'http://rack4');
    const body = bodyOf(asked) ?? agentBody(asked);
    const type = body === undefined ? 'application/problem+json' : 'application/json';
    const problem = { type: 'about:blank', title: 'Service Unavailable', status: 503 };
    response
      .writeHead(body === undefined ? 503 : 200, { 'content-type': type })
      .end(JSON.stringify(body ?? { ...problem, detail: 'nothing is known yet' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
