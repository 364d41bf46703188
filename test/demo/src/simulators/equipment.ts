/** Switches, PDUs and the router of the rack, with the addresses and passwords in rack.yaml; and its machines, powered by them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Credentials, readCredentials } from '@skolo/base/secrets';
import {
  type Equipment as Entry,
  feedOf,
  formatOutlet,
  formatUsbPort,
  type Machine,
  type Outlet,
  type Rack,
  serviceUrl,
} from '@skolo/rack';
import {
  makeSshKey,
  OutletBoard,
  publicSshKey,
  type SimulatedDevice,
  type SimulatedMachine,
  startApcCard,
  startApcRpdu2,
  startEdgeos,
  startEdgeSwitch,
  startSimulatedMachine,
  type Wiring,
} from '@skolo/simulators';
import { agentMachine } from '../agent-computer.ts';
import { writeMissingSecret } from '../folder/secret-files.ts';
import { Cables } from './cables.ts';
import { type Character, isWedged, type Life, live, newLife, nextLife } from './lives.ts';
import type { Simulator, SimulatorNeeds } from './simulator.ts';

/** `hostKey`: a constant private key, because the service remembers it. `wiring`: what is plugged into it. */
type Start = (
  device: Entry,
  credentials: Credentials,
  hostKey: string,
  wiring: Wiring,
) => Promise<SimulatedDevice>;

/** The models that can be simulated. */
const models = new Map<string, Start>([
  ['edgeswitch', edgeSwitch],
  ['edgeos', edgeRouter],
  ['apc-rpdu2', apcRpdu2],
]);

/** What provides a model's configuration, if that is not the interface of its outlets. */
const cards = new Map<string, Start>([['apc-rpdu2', apcCard]]);

/** Long enough to watch it boot. */
const bootSeconds = 4;

const livesEveryMs = 1000;
/** The switch that hangs once. */
const wedging = 'switch-3';
/** A minute in the lives of simulated machines, in milliseconds; tests shorten it. */
const minuteMs = Number(process.env.SKOLO_DEMO_MINUTE_MS ?? 60_000);
const haste = 60_000 / minuteMs;
/** By the suffix of their names. */
const characters: readonly (readonly [end: string, Character])[] = [
  ['shelf2-009', 'flaps'],
  ['shelf2-013', 'drains'],
  ['shelf2-017', 'broken'],
  ['shelf2-019', 'flaps'],
];

interface Running<T> {
  simulated: T;
  /** What it is plugged into. */
  uplink?: string | undefined;
  /** What it was created from: parts of rack.yaml, and its power source. */
  made: unknown[];
}

export async function startEquipment({ onProblem, computer }: SimulatorNeeds): Promise<Simulator> {
  return new Equipment(onProblem, computer);
}

class Equipment implements Simulator {
  readonly name = 'equipment and machines';
  private readonly onProblem: SimulatorNeeds['onProblem'];
  private readonly computer: SimulatorNeeds['computer'];
  private readonly devices = new Map<string, Running<SimulatedDevice>>();
  private readonly besides = new Map<string, Running<SimulatedDevice>>();
  private readonly machines = new Map<string, Running<SimulatedMachine>>();
  private readonly cables = new Cables();
  private readonly lives = new Map<string, Life>();
  /** When all of the rack was there: on a busy computer, that takes longer than tests leave a switch well. */
  private startedAt: number | undefined;
  private hasWedged = false;
  /** While the switch is wedged: those that it affects. */
  private behind: SimulatedMachine[] | undefined;
  private unplug: (() => void)[] = [];
  /** The draw of outlets that feed something in rack.yaml; the others draw nothing. */
  private readonly watts = new Map<string, number>();
  private readonly living: NodeJS.Timeout;

  constructor(onProblem: SimulatorNeeds['onProblem'], computer: SimulatorNeeds['computer']) {
    this.onProblem = onProblem;
    this.computer = computer;
    this.living = setInterval(() => this.letLive(), livesEveryMs);
    this.living.unref();
  }

  get url(): string {
    return `${this.devices.size} pieces of equipment and ${this.machines.size} machines on loopback`;
  }

  async follow(rack: Rack, dir: string): Promise<void> {
    this.cables.follow(rack);
    await this.followDevices(rack, dir);
    await this.followMachines(rack, dir);
    this.startedAt ??= Date.now();
  }

  async close(): Promise<void> {
    clearInterval(this.living);
    this.computer?.use(undefined);
    for (const running of [this.machines, this.besides, this.devices]) {
      for (const { simulated } of running.values()) await simulated.close();
    }
  }

  /** Starts it unless it already runs with the same settings. One whose port is not available is missing, and reported. */
  private async renew<T extends { close(): Promise<void> }>(
    running: Map<string, Running<T>>,
    { name, made, uplink }: { name: string; made: unknown[]; uplink?: string | undefined },
    start: () => Promise<T>,
  ) {
    const previous = running.get(name);
    if (previous !== undefined && isSame(previous.made, made)) return;
    await previous?.simulated.close();
    running.delete(name);
    try {
      running.set(name, { simulated: await start(), made, uplink });
    } catch (error) {
      this.onProblem(`${name} is not simulated: ${error instanceof Error ? error.message : error}`);
    }
  }

  private async followDevices(rack: Rack, dir: string) {
    for (const device of rack.equipment.values()) {
      const { name, model, login } = device;
      const made = [device, login === undefined ? undefined : rack.logins.get(login)];
      for (const [running, start] of [
        [this.devices, models.get(model)],
        [this.besides, cards.get(model)],
      ] as const) {
        if (start === undefined) continue;
        await this.renew(running, { name, made }, async () => {
          const credentials = await readCredentials(rack, login);
          const hostKey = await hostKeyOf(dir, name, credentials.legacySsh);
          return start(device, credentials, hostKey, this.cables.wiringOf(name));
        });
      }
    }
    for (const running of [this.devices, this.besides]) await closeOthers(running, rack.equipment);
    for (const end of this.unplug) end();
    this.unplug = [];
    for (const { name, power } of rack.equipment.values()) this.feed(name, power);
    this.followLoads(rack);
  }

  private followLoads({ jumphost, equipment, machines }: Rack) {
    const things = [jumphost, ...equipment.values(), ...machines.values()];
    const used = new Set(things.flatMap(({ power }) => power.map(formatOutlet)));
    for (const [device, { simulated }] of this.devices) {
      const { board } = simulated;
      for (const outlet of board.names()) {
        const name = formatOutlet({ device, outlet });
        const watts = this.watts.get(name) ?? board.get(outlet).watts;
        this.watts.set(name, watts);
        board.setWatts(outlet, used.has(name) ? watts : 0);
      }
    }
  }

  /** A device without power, and its card, close their ports, and boot when their power comes back. */
  private feed(name: string, power: readonly Outlet[]) {
    const parts = [this.devices, this.besides].flatMap((all) => all.get(name)?.simulated ?? []);
    const feeds = this.feedsOf(power);
    if (parts.length === 0 || feeds.length === 0) return;
    const look = () => {
      const hasPower = feeds.some(([board, outlet]) => board.isOn(outlet));
      for (const part of parts) {
        if (hasPower === !part.faults.has('down')) continue;
        part.faults.set('down', !hasPower);
        if (hasPower) void part.reboot();
      }
    };
    for (const [board] of feeds) {
      board.on('change', look);
      this.unplug.push(() => board.off('change', look));
    }
  }

  private async followMachines(rack: Rack, dir: string) {
    const agentKey = rack.access.agents?.publicKey;
    for (const machine of rack.machines.values()) {
      const { name, address, power, uplink } = machine;
      if (!address?.startsWith('127.')) continue;
      const feeds = this.feedsOf(power);
      const made = [machine, agentKey, ...feeds.map(([board]) => board)];
      const hasRealAgent = this.computer !== undefined && name === agentMachine;
      if (hasRealAgent && !isSame(this.machines.get(name)?.made ?? [], made))
        this.computer.use(undefined);
      await this.renew(this.machines, { name, made, uplink: uplink?.device }, async () => {
        const credentials = await readCredentials(rack, machine.login);
        return startSimulatedMachine({
          name,
          host: address,
          sshPort: machine.ports.ssh ?? 22,
          agentPort:
            !hasRealAgent && Number(new URL(serviceUrl(rack, 'swarming-client', machine)).port),
          ...account(credentials),
          hostKey: await hostKeyOf(dir, name),
          ...(agentKey !== undefined && { agentKey }),
          feeds,
          bootSeconds,
          phones: phonesOf(machine),
        });
      });
      if (hasRealAgent) this.computer.use(this.machines.get(name)?.simulated);
    }
    if (!rack.machines.has(agentMachine)) this.computer?.use(undefined);
    await closeOthers(this.machines, rack.machines);
  }

  /** A step of all machines except the one with the real agent. */
  private letLive(): void {
    const { startedAt } = this;
    if (startedAt === undefined) return;
    const now = startedAt + (Date.now() - startedAt) * haste;
    const wallClock = (time: number) => startedAt + (time - startedAt) / haste;
    for (const [name, { simulated }] of this.machines) {
      if (simulated.agentPort === undefined || !simulated.isUp()) continue;
      const previous = this.lives.get(name);
      const life = previous
        ? nextLife(previous, now, livesEveryMs * haste, Math.random)
        : newLife(characterOf(name), now, Math.random);
      this.lives.set(name, life);
      live(life, simulated, wallClock);
    }
    this.wedge(now - startedAt);
  }

  /** Its machines become unreachable with it, and boot when it does, because it powers them. */
  private wedge(sinceStartMs: number): void {
    const isDown = this.devices.get(wedging)?.simulated.faults;
    if (isDown === undefined) return;
    if (!this.hasWedged && isWedged(sinceStartMs)) {
      this.hasWedged = true;
      isDown.set('down', true);
      this.behind = [...this.machines.values()].flatMap(({ simulated, uplink }) =>
        uplink === wedging ? [simulated] : [],
      );
      for (const machine of this.behind) void machine.misbehave('dead');
    } else if (this.behind !== undefined && (!isDown.has('down') || !isWedged(sinceStartMs))) {
      isDown.set('down', false);
      for (const machine of this.behind) void machine.behave('dead');
      this.behind = undefined;
    }
  }

  private feedsOf(power: readonly Outlet[]) {
    return power.flatMap(({ device, outlet }) => {
      const board = this.devices.get(device)?.simulated.board;
      return board?.has(outlet) ? [[board, outlet] as const] : [];
    });
  }
}

function characterOf(machine: string): Character {
  return characters.find(([end]) => machine.endsWith(end))?.[1] ?? 'usual';
}

function isSame(previous: unknown[], now: unknown[]): boolean {
  const isBoard = (part: unknown) => part instanceof OutletBoard;
  return (
    previous.length === now.length &&
    now.every((part, i) =>
      isBoard(part) ? part === previous[i] : isDeepStrictEqual(part, previous[i]),
    )
  );
}

async function closeOthers(
  running: Map<string, Running<{ close(): Promise<void> }>>,
  wanted: ReadonlyMap<string, unknown>,
) {
  for (const [name, { simulated }] of running) {
    if (wanted.has(name)) continue;
    running.delete(name);
    await simulated.close();
  }
}

/** The same after each start. RSA only if old software supports nothing else, because generating it is slow. */
async function hostKeyOf(dir: string, name: string, isLegacy = false): Promise<string> {
  const file = `secrets/host-keys/${name}${isLegacy ? '-rsa' : ''}`;
  await writeMissingSecret(dir, file, () => makeSshKey(isLegacy ? 'rsa' : 'ed25519').private);
  return await readFile(join(dir, file), 'utf8');
}

function phonesOf(machine: Machine) {
  return machine.devices.flatMap((device) => {
    const { power } = device;
    if (power === undefined || !('hub' in power) || feedOf(machine.name, device) === undefined)
      return [];
    return [{ name: device.name, port: formatUsbPort(power) }];
  });
}

function edgeSwitch(device: Entry, credentials: Credentials, hostKey: string, wiring: Wiring) {
  const { enablePassword } = credentials;
  return startEdgeSwitch({
    ...place(device, 'ssh', 22),
    ...account(credentials),
    hostKey,
    wiring,
    ports: Number(device.options.portCount),
    ...(enablePassword && { enablePassword: enablePassword.reveal().trim() }),
    legacyOnly: credentials.legacySsh,
  });
}

function edgeRouter(device: Entry, credentials: Credentials, hostKey: string, wiring: Wiring) {
  return startEdgeos({ ...place(device, 'ssh', 22), ...account(credentials), hostKey, wiring });
}

function apcRpdu2(device: Entry, { snmp }: Credentials) {
  const { authKey, privKey, user: name = 'nobody', authProtocol = 'sha' } = snmp ?? {};
  return startApcRpdu2({
    ...place(device, 'snmp', 161),
    outlets: Number(device.options.outlets),
    metered: true,
    users: [
      {
        name,
        access: 'write',
        authProtocol,
        authKey: authKey?.reveal().trim() ?? '',
        ...(privKey && { privKey: privKey.reveal().trim() }),
      },
    ],
  });
}

function apcCard(device: Entry, credentials: Credentials, hostKey: string) {
  return startApcCard({ ...place(device, 'ssh', 22), ...account(credentials), hostKey });
}

function place({ address, ports }: Entry, kind: 'ssh' | 'snmp', usual: number) {
  return { host: address ?? '127.0.0.1', port: ports[kind] ?? usual };
}

function account({ username = 'nobody', password, privateKey }: Credentials) {
  return {
    username,
    ...(password && { password: password.reveal().trim() }),
    ...(privateKey && { authorizedKeys: [publicSshKey(privateKey.reveal())] }),
  };
}
