/** All controllers of the rack: switches and PDUs from rack.yaml, and machines' hubs when they are first needed. */
import { isDeepStrictEqual } from 'node:util';
import { readCredentials, usualSignInSeconds } from '@skolo/base/secrets';
import { models } from '@skolo/equipment/models';
import type { DriverDeps, DriverKind, PowerDriver } from '@skolo/equipment/models/outlets';
import { type HostKeys, SessionPool } from '@skolo/equipment/transports';
import { type Equipment, loginToRead, type Machine, type Rack, serviceUrl } from '@skolo/rack';
import { agentSigner } from '../machines/agent.ts';
import { usedOutlets } from '../rules/targets.ts';
import {
  Controller,
  type ControllerDeps,
  type ControllerFacts,
  type UnfinishedOutlet,
} from './controller.ts';
import { SignInPause } from './sign-in-pause.ts';
import type { UsbHubDeps } from './usb-hub.ts';

export interface ControllersDeps extends ControllerDeps {
  rack: () => Rack;
  drivers: ReadonlyMap<string, DriverKind>;
  hostKeys: HostKeys;
  /** The driver of a machine's own USB hub. */
  createUsbHub: CreateUsbHub;
  /** Outlets of a controller that cycles in progress have turned off or are turning on. */
  unfinished: (controller: string) => readonly UnfinishedOutlet[];
}

export type CreateUsbHub = (machine: Machine, deps: UsbHubDeps) => PowerDriver;

interface Entry {
  controller: Controller;
  /** What it was created from; a different value creates a new controller. */
  made: object;
}

/** With the name of the login that reads its outlets. */
interface ReadEquipment {
  equipment: Equipment;
  reader: string | undefined;
}

export class Controllers {
  private readonly deps: ControllersDeps;
  private readonly entries = new Map<string, Entry>();
  private readonly sessions = new SessionPool();
  private readonly closing: Promise<unknown>[] = [];
  private isClosed = false;

  constructor(deps: ControllersDeps) {
    this.deps = deps;
    this.follow();
  }

  /** Applies the current rack.yaml. An unchanged device keeps its queue and its session. */
  follow(): void {
    const { rack } = this.deps;
    const { equipment, machines } = rack();
    for (const [name, { controller, made }] of this.entries) {
      const [item, machine] = [equipment.get(name), machines.get(name)];
      const now = item ? this.withReader(item) : machine;
      if (now !== undefined && isDeepStrictEqual(now, made)) continue;
      this.entries.delete(name);
      this.closing.push(controller.close());
    }
    for (const item of equipment.values()) {
      if (models.get(item.model)?.power !== undefined) this.get(item.name);
    }
  }

  /** Undefined if rack.yaml has no such equipment, or nothing can switch it. */
  get(name: string): Controller | undefined {
    const known = this.entries.get(name);
    if (known !== undefined || this.isClosed) return known?.controller;
    const { equipment, machines } = this.deps.rack();
    const item = equipment.get(name);
    const machine = machines.get(name);
    const read = item && this.withReader(item);
    const controller = read ? this.ofEquipment(read) : machine && this.ofMachine(machine);
    if (controller === undefined) return undefined;
    this.entries.set(name, { controller, made: read ?? machine ?? {} });
    return controller;
  }

  /** Switches and PDUs in the order of rack.yaml, then hubs that have been used. */
  all(): Controller[] {
    const { equipment } = this.deps.rack();
    const order = [...equipment.keys()];
    return [...this.entries.values()]
      .map(({ controller }) => controller)
      .sort((a, b) => rank(order, a.name) - rank(order, b.name));
  }

  /** Ends what runs on them and removes them. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const { controller } of this.entries.values()) this.closing.push(controller.close());
    this.entries.clear();
    await Promise.all(this.closing);
    await this.sessions.close();
  }

  private withReader(equipment: Equipment): ReadEquipment {
    return { equipment, reader: loginToRead(this.deps.rack(), equipment, 'outlets') };
  }

  private ofEquipment({ equipment, reader }: ReadEquipment): Controller | undefined {
    const kind = this.deps.drivers.get(equipment.model);
    if (kind === undefined) return undefined;
    const { name, model, login, transport, options } = equipment;
    const { automaticRepair: known } = kind;
    const automaticRepair = typeof known === 'boolean' ? known : known(equipment);
    const { signInSeconds = usualSignInSeconds } = this.deps.rack().logins.get(login ?? '') ?? {};
    const hasCommandLine = transport === 'ssh' || transport === 'telnet';
    const facts = {
      name,
      model,
      automaticRepair,
      signInSeconds: hasCommandLine ? signInSeconds : 0,
      stepSeconds: Number(options.timeoutSeconds ?? 0),
      mayToggle: models.get(model)?.power?.description !== undefined,
      outlets: () => outletsOf(this.deps.rack(), equipment),
      unfinished: this.deps.unfinished(name),
    };
    const driver = kind.create(equipment, this.driverDeps(login));
    if (reader === login) return this.controller(facts, driver, login);
    const { read } = kind.create(equipment, this.driverDeps(reader));
    return this.controller(facts, { ...driver, read }, login, reader);
  }

  private ofMachine(machine: Machine): Controller {
    const { rack } = this.deps;
    const agentUrl =
      machine.address === undefined ? undefined : serviceUrl(rack(), 'swarming-client', machine);
    const signer = () => agentSigner(rack(), machine.name);
    const deps = { ...this.driverDeps(machine.login), agentUrl, signer };
    const driver = this.deps.createUsbHub(machine, deps);
    const facts = { name: machine.name, model: 'usb-hub', automaticRepair: false };
    return this.controller(facts, driver, machine.login);
  }

  private controller(
    facts: ControllerFacts,
    driver: PowerDriver,
    login: string | undefined,
    reader = login,
  ) {
    const { rack, clock } = this.deps;
    const pauseOf = (name: string | undefined) =>
      new SignInPause({ credentials: () => readCredentials(rack(), name), clock });
    const toSwitch = pauseOf(login);
    const toRead = reader === login ? toSwitch : pauseOf(reader);
    return new Controller(facts, driver, { toRead, toSwitch }, this.deps);
  }

  private driverDeps(login: string | undefined): DriverDeps {
    const { rack, hostKeys, emit } = this.deps;
    const credentials = () => readCredentials(rack(), login);
    const onConnected: DriverDeps['onConnected'] = (connection) =>
      emit({ type: 'ssh', connection });
    return { credentials, sessions: this.sessions, hostKeys, onConnected };
  }
}

/** Those that feed something, and then all others that its model counts. */
function outletsOf(rack: Rack, { name, model, options }: Equipment): string[] {
  const all = models.get(model)?.power?.outlets.all?.(options) ?? [];
  return [...new Set([...usedOutlets(rack, name), ...all])];
}

function rank(order: readonly string[], name: string): number {
  const index = order.indexOf(name);
  return index < 0 ? order.length : index;
}
