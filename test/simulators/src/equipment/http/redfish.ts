/**
 * A service with Redfish: servers (`/redfish/v1/Systems/ID`) with ComputerSystem.Reset, and the outlets of a rack PDU
 * (`/redfish/v1/PowerEquipment/RackPDUs/1/Outlets/A1`) with Outlet.PowerControl. Their power changes some time after the
 * command was taken, and is told as PoweringOn or PoweringOff meanwhile. A server that is in the state asked for already
 * refuses with 409, as those of several makers do. The service root needs no sign-in; the rest takes Basic or the token of a
 * session, of which there are few. Plain http is spoken only when asked for.
 *
 * Sources: DMTF DSP0266 (protocol: sessions, actions, ActionInfo, errors), DSP2043 (mockup public-rackmount1 and that of
 * a rack PDU: targets of outlets without `/Actions/`, PowerWatts.Reading), DSP0268 (ComputerSystem, Outlet). Assumed: how
 * long a change takes, and four sessions.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { HttpDevice, type HttpDeviceOptions, outletsOn, type Tls } from './http-device.ts';
import type { Account, Answer, Asked } from './http-message.ts';
import {
  type AllowableIn,
  collection,
  error,
  missing,
  outlet,
  parsed,
  resetActionInfo,
  root,
  serviceRoot,
  system,
} from './redfish-documents.ts';
import { basicFits } from './sign-in.ts';

export interface RedfishOptions extends HttpDeviceOptions {
  /** Ids of its servers; one, `1`, when absent. */
  systems?: readonly string[];
  /** Ids of the outlets of rack PDU `1`; none when absent. */
  outlets?: readonly string[];
  /** root/calvin when absent. */
  account?: Account;
  /** https, with a certificate that it signed itself, when absent. */
  tls?: Tls;
  /** Until a command shows; 2 when absent. */
  delaySeconds?: number;
  /** How long a PowerCycle leaves it off; 5 when absent. */
  cycleSeconds?: number;
  /** What ComputerSystem.Reset and Outlet.PowerControl allow. */
  allowable?: readonly string[];
  /** Where that is told: in the action (when absent), in its ActionInfo, or nowhere. */
  allowableIn?: AllowableIn;
  /** How it says yes; 204 when absent. */
  success?: 200 | 202 | 204;
}

const systemsPath = `${root}/Systems`;
const outletsPath = `${root}/PowerEquipment/RackPDUs/1/Outlets`;
const systemAction = new RegExp(`^${systemsPath}/([^/]+)/Actions/ComputerSystem.Reset$`);
const outletAction = new RegExp(`^${outletsPath}/([^/]+)/Outlet.PowerControl$`);
const sessions = `${root}/SessionService/Sessions`;
const mostSessions = 4;
const Command = z.object({ ResetType: z.string() }).or(z.object({ PowerState: z.string() }));
const SignIn = z.object({ UserName: z.string(), Password: z.string() });

const resetTypes = [
  'On',
  'ForceOff',
  'GracefulShutdown',
  'GracefulRestart',
  'ForceRestart',
  'Nmi',
  'PushPowerButton',
  'PowerCycle',
] as const;

export async function startRedfish(options: RedfishOptions = {}): Promise<SimulatedRedfish> {
  const device = new SimulatedRedfish(options);
  await device.start();
  return device;
}

export class SimulatedRedfish extends HttpDevice {
  readonly model = 'redfish';
  private readonly options: RedfishOptions;
  private readonly systems: readonly string[];
  private readonly outlets: readonly string[];
  private readonly tokens = new Map<string, string>();
  private readonly underWay = new Map<string, 'PoweringOn' | 'PoweringOff'>();

  constructor(options: RedfishOptions) {
    const { systems = ['1'], outlets = [], tls = true } = options;
    super(outletsOn([...systems, ...outlets]), { ...options, tls });
    this.options = options;
    this.systems = systems;
    this.outlets = outlets;
  }

  /** How many sessions are open by POST to the session service; not connections. */
  get tokenCount(): number {
    return this.tokens.size;
  }

  protected isSignedIn(asked: Asked): boolean {
    const open = [root, `${root}/`, '/redfish', '/redfish/'].includes(asked.path);
    if (open || (asked.method === 'POST' && asked.path === sessions)) return true;
    const token = asked.headers['x-auth-token'];
    if (typeof token === 'string') return [...this.tokens.values()].includes(token);
    return basicFits(asked, this.account());
  }

  protected refusal(): Answer {
    const headers = { 'www-authenticate': 'Basic realm="Redfish"' };
    return { ...error(401, 'Base.1.8.NoValidSession', 'There is no valid session.'), headers };
  }

  protected override tell(asked: Asked): string {
    return asked.path === sessions ? `${asked.method} ${asked.path}` : super.tell(asked);
  }

  protected answer(asked: Asked): Answer {
    const { method, path } = asked;
    if (path.startsWith(sessions)) return this.session(asked);
    if (method === 'GET') {
      const found = this.resource(path.replace(/\/$/, ''));
      return found ? { body: found } : missing(path);
    }
    const [, ofSystem] = systemAction.exec(path) ?? [];
    const [, ofOutlet] = outletAction.exec(path) ?? [];
    const target = ofSystem ?? ofOutlet;
    if (method !== 'POST' || target === undefined || !this.board.has(target)) return missing(path);
    return this.command(target, asked.body);
  }

  protected override afterPowerFailure(): void {
    this.tokens.clear();
    this.underWay.clear();
  }

  private account(): Account {
    return this.options.account ?? { username: 'root', password: 'calvin' };
  }

  private resource(path: string): object | undefined {
    if (path === root) return serviceRoot();
    if (path === systemsPath) return collection(path, this.systems);
    if (path === outletsPath) return collection(path, this.outlets);
    const { allowableIn = 'action' } = this.options;
    const [, parent, name = '', info] =
      /^(.*\/(?:Systems|Outlets))\/([^/]+)(\/ResetActionInfo)?$/.exec(path) ?? [];
    const powered = { path, name, powerState: this.powerState(name) };
    if (parent === systemsPath && this.systems.includes(name)) {
      if (info === undefined) return system(powered, this.allowable(name), allowableIn);
      return allowableIn === 'action-info'
        ? resetActionInfo(path, this.allowable(name))
        : undefined;
    }
    if (parent !== outletsPath || info !== undefined || !this.outlets.includes(name))
      return undefined;
    return outlet(powered, this.allowable(name), this.board.watts(name));
  }

  private allowable(name: string): readonly string[] {
    if (!this.systems.includes(name)) return ['On', 'Off', 'PowerCycle'];
    return this.options.allowable ?? resetTypes;
  }

  private powerState(name: string): string {
    if (!this.board.has(name)) return '';
    return this.underWay.get(name) ?? (this.board.isOn(name) ? 'On' : 'Off');
  }

  private command(name: string, body: string): Answer {
    const command = Command.safeParse(parsed(body));
    if (!command.success) {
      return error(400, 'Base.1.8.ActionParameterMissing', 'The action requires a parameter.');
    }
    const isSystem = 'ResetType' in command.data;
    const value = 'ResetType' in command.data ? command.data.ResetType : command.data.PowerState;
    if (isSystem !== this.systems.includes(name) || !this.allowable(name).includes(value)) {
      return error(400, 'Base.1.8.ActionParameterNotSupported', `${value} is not supported.`);
    }
    const isOn = this.board.isOn(name);
    const already = value === 'On' ? isOn : !isOn && value !== 'PushPowerButton';
    if (isSystem && already) {
      return error(
        409,
        'Base.1.8.ResourceInUse',
        `The system is ${this.powerState(name)} already.`,
      );
    }
    this.carryOut(name, value);
    const { success = 204 } = this.options;
    if (success === 204) return { status: 204 };
    if (success === 200) return { body: error(200, 'Base.1.8.Success', 'Done.').body ?? '' };
    const task = `${root}/TaskService/Tasks/1`;
    const headers = { location: `${task}/Monitor` };
    return { status: 202, headers, body: { '@odata.id': task, Id: '1', TaskState: 'Running' } };
  }

  private carryOut(name: string, value: string): void {
    const { delaySeconds = 2, cycleSeconds = 5 } = this.options;
    this.act();
    switch (value) {
      case 'On':
        this.change(name, true, delaySeconds);
        break;
      case 'Off':
      case 'ForceOff':
      case 'GracefulShutdown':
        this.change(name, false, delaySeconds);
        break;
      case 'PushPowerButton':
        this.change(name, !this.board.isOn(name), delaySeconds);
        break;
      case 'PowerCycle':
        this.change(name, false, delaySeconds);
        this.after(delaySeconds + cycleSeconds, () => this.change(name, true, 0));
        break;
    }
  }

  private change(name: string, on: boolean, seconds: number): void {
    if (this.faults.has('ignores-commands')) return;
    this.underWay.set(name, on ? 'PoweringOn' : 'PoweringOff');
    this.after(seconds, () => {
      this.underWay.delete(name);
      this.turn(name, on);
    });
  }

  private session({ method, path, body }: Asked): Answer {
    if (method === 'DELETE') {
      const id = path.slice(sessions.length + 1);
      return this.tokens.delete(id) ? { status: 204 } : missing(path);
    }
    const { username, password } = this.account();
    const given = SignIn.safeParse(parsed(body)).data;
    if (given?.UserName !== username || given.Password !== password) return this.refusal();
    if (this.tokens.size >= mostSessions) {
      return error(503, 'Base.1.8.SessionLimitExceeded', 'The session limit is reached.');
    }
    const id = randomBytes(4).toString('hex');
    const token = randomBytes(16).toString('hex');
    this.tokens.set(id, token);
    const headers = { 'x-auth-token': token, location: `${sessions}/${id}` };
    return { status: 201, headers, body: { '@odata.id': `${sessions}/${id}`, Id: id } };
  }
}
