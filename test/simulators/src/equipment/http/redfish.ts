/**
 * A service with Redfish: servers (`/redfish/v1/Systems/ID`) with ComputerSystem.Reset, and the outlets of a rack PDU
 * (`/redfish/v1/PowerEquipment/RackPDUs/1/Outlets/A1`) with Outlet.PowerControl. Their power changes some time after the
 * command was taken, and is told as PoweringOn or PoweringOff meanwhile. A server that is in the state asked for already
 * rejects with 409, as those of several makers do. The service root needs no sign-in; the rest takes Basic, or with `sessionsOnly` a session. Plain http is
 * spoken only when asked for.
 *
 * Sources: DMTF DSP0266 (protocol: actions, ActionInfo, errors), DSP2043 (mockup public-rackmount1 and that of
 * a rack PDU: targets of outlets without `/Actions/`, PowerWatts.Reading), DSP0268 (ComputerSystem, Outlet, PowerRestorePolicy). Assumed: how
 * long a change takes.
 *
 * No recording: its state matters, because power changes some time after a command, and sessions are counted.
 */
import { randomUUID } from 'node:crypto';
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import {
  type Call,
  type HttpDevice,
  type HttpDeviceOptions,
  type HttpModel,
  outletsOn,
  startHttpDevice,
  type Tls,
} from './http-device.ts';
import type { Account, Answer } from './http-message.ts';
import {
  type AllowableIn,
  collection,
  error,
  manager,
  managerPath,
  missing,
  outlet,
  type Powered,
  rackPdu,
  rackPduPath,
  resetActionInfo,
  root,
  serviceRoot,
  system,
} from './redfish-documents.ts';
import { basic, type SignIn } from './sign-in.ts';

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
  /** What ComputerSystem.Reset and Outlet.PowerControl allow. */
  allowable?: readonly string[];
  /** Where that is told: in the action (when absent), in its ActionInfo, or nowhere. */
  allowableIn?: AllowableIn;
  /** After a power failure: `AlwaysOn` (when absent), `AlwaysOff`, `LastState`. */
  restorePolicy?: string;
  /** How it says yes; 204 when absent. */
  success?: 200 | 202 | 204;
  /** Basic is switched off: it takes sessions only. */
  sessionsOnly?: RedfishSessions;
}

export interface RedfishSessions {
  /** Tokens of sessions that were not deleted yet, with their ids; the test may take one away. */
  open: Map<string, string>;
  /** How many there have been at a time. */
  mostOpen: number;
  /** How many it allows; 1 when absent. */
  slots?: number;
  /** `WWW-Authenticate` of its 401; none when absent. */
  challenge?: string;
  /** Status and text when all are in use; 400 when absent. */
  full?: readonly [status: number, text: string];
  /** Leaves the host out of `Location`, or leaves it away. */
  location?: 'path' | 'none';
}

const systemsPath = `${root}/Systems`;
const sessionsPath = `${root}/SessionService/Sessions`;
const NewSession = z.object({ UserName: z.string(), Password: z.string() });
const outletsPath = `${rackPduPath}/Outlets`;
/** How long a PowerCycle leaves it off. */
const cycleSeconds = 5;
const Command = z.object({ ResetType: z.string() }).or(z.object({ PowerState: z.string() }));

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

export function startRedfish(options: RedfishOptions = {}): Promise<HttpDevice> {
  const { tls = true } = options;
  return startHttpDevice(new RedfishService(options).model(), { ...options, tls });
}

function bySession(
  { open, challenge }: RedfishSessions,
  noSession: Answer,
  anybody: readonly string[],
): SignIn {
  const headers = challenge === undefined ? {} : { 'www-authenticate': challenge };
  return {
    fits: ({ method, path, headers: { 'x-auth-token': token } }) =>
      anybody.includes(path) ||
      (method === 'POST' && path === sessionsPath) ||
      open.has(String(token)),
    rejection: () => ({ ...noSession, headers }),
  };
}

class RedfishService {
  private readonly options: RedfishOptions;
  private readonly systems: readonly string[];
  private readonly outlets: readonly string[];
  private sessionsMade = 0;
  private readonly underWay = new Map<string, 'PoweringOn' | 'PoweringOff'>();
  private readonly byPassword: SignIn;
  private readonly account: Account;

  constructor(options: RedfishOptions) {
    this.options = options;
    this.systems = options.systems ?? ['1'];
    this.outlets = options.outlets ?? [];
    const account = { username: 'root', password: 'calvin', ...options.account };
    const noSession = error(401, 'Base.1.8.NoValidSession', 'There is no valid session.');
    const open = [root, `${root}/`, '/redfish', '/redfish/'];
    const { sessionsOnly } = options;
    this.account = account;
    this.byPassword =
      sessionsOnly === undefined
        ? basic(account, 'Redfish', { body: noSession.body ?? '', open })
        : bySession(sessionsOnly, noSession, open);
  }

  model(): HttpModel {
    return {
      model: 'redfish',
      board: outletsOn([...this.systems, ...this.outlets]),
      signIn: this.byPassword,
      routes: this.routes(),
      notFound: ({ path }) => missing(path),
      logged: ({ method, target, body }) =>
        target === sessionsPath ? `${method} ${target}` : `${method} ${target} ${body}`.trimEnd(),
      afterPowerFailure: () => {
        this.underWay.clear();
        this.options.sessionsOnly?.open.clear();
      },
    };
  }

  private routes(): HttpModel['routes'] {
    const { allowableIn = 'action', restorePolicy = 'AlwaysOn' } = this.options;
    const systemOf = (call: Call) =>
      system(this.powered(call), this.allowable(call.outlet), allowableIn, restorePolicy);
    return {
      [`POST ${sessionsPath}`]: (call) => this.createSession(call),
      [`DELETE ${sessionsPath}/:id`]: ({ parts: [id] }) => this.deleteSession(id),
      [`GET ${root}/?`]: () => ({ body: serviceRoot() }),
      [`GET ${systemsPath}/?`]: () => ({ body: collection(systemsPath, this.systems) }),
      [`GET ${outletsPath}/?`]: () => ({ body: collection(outletsPath, this.outlets) }),
      [`GET ${systemsPath}/:outlet/?`]: (call) =>
        this.isSystem(call) ? { body: systemOf(call) } : undefined,
      [`GET ${managerPath}/?`]: () => ({ body: manager() }),
      [`GET ${rackPduPath}/?`]: () => ({ body: rackPdu() }),
      [`GET ${systemsPath}/:outlet/ResetActionInfo/?`]: (call) =>
        this.isSystem(call) && allowableIn === 'action-info'
          ? { body: resetActionInfo(this.powered(call).path, this.allowable(call.outlet)) }
          : undefined,
      [`GET ${outletsPath}/:outlet/?`]: (call) => this.ofOutlet(call),
      [`POST ${systemsPath}/:outlet/Actions/ComputerSystem.Reset`]: (call) => this.command(call),
      [`POST ${outletsPath}/:outlet/Outlet.PowerControl`]: (call) => this.command(call),
    };
  }

  private createSession({ body, headers: { host } }: Call): Answer | undefined {
    const { sessionsOnly } = this.options;
    if (sessionsOnly === undefined) return undefined;
    const { UserName, Password } = NewSession.parse(parseJson(body));
    const { username, password } = this.account;
    if (UserName !== username || Password !== password)
      return error(401, 'Base.1.8.NoValidSession', 'The credentials are invalid.');
    const { open, slots = 1, full, location } = sessionsOnly;
    const [status, text] = full ?? [400, 'The number of sessions exceeds the limit.'];
    if (open.size >= slots) return error(status, 'Base.1.8.SessionLimitExceeded', text);
    const [token, id] = [randomUUID(), String(++this.sessionsMade)];
    open.set(token, id);
    sessionsOnly.mostOpen = Math.max(sessionsOnly.mostOpen, open.size);
    const path = `${sessionsPath}/${id}`;
    const at = { path, none: undefined, host: `http://${host}${path}` }[location ?? 'host'];
    const headers = { 'x-auth-token': token, ...(at !== undefined && { location: at }) };
    return { status: 201, headers, body: { '@odata.id': path, Id: id } };
  }

  private deleteSession(id: string | undefined): Answer | undefined {
    const { open = new Map<string, string>() } = this.options.sessionsOnly ?? {};
    const token = [...open].find(([, each]) => each === id)?.[0];
    if (token === undefined) return undefined;
    open.delete(token);
    return { status: 204 };
  }

  private isSystem({ outlet: name }: Call): boolean {
    return this.systems.includes(name);
  }

  private ofOutlet(call: Call): Answer | undefined {
    const { outlet: name, device } = call;
    if (!this.outlets.includes(name)) return undefined;
    const { restorePolicy = 'AlwaysOn' } = this.options;
    const watts = device.board.watts(name);
    return { body: outlet(this.powered(call), this.allowable(name), watts, restorePolicy) };
  }

  private allowable(name: string): readonly string[] {
    if (!this.systems.includes(name)) return ['On', 'Off', 'PowerCycle'];
    return this.options.allowable ?? resetTypes;
  }

  private powered({ path, outlet: name, device: { board } }: Call): Powered {
    const powerState = this.underWay.get(name) ?? (board.isOn(name) ? 'On' : 'Off');
    return { path: path.replace(/\/$/, ''), name, powerState };
  }

  private change(device: HttpDevice, name: string, on: boolean, seconds: number): void {
    if (device.faults.has('ignores-commands')) return;
    this.underWay.set(name, on ? 'PoweringOn' : 'PoweringOff');
    device.after(seconds, () => {
      this.underWay.delete(name);
      device.turn(name, on);
    });
  }

  private carryOut(device: HttpDevice, name: string, value: string): void {
    const { delaySeconds = 2 } = this.options;
    device.act();
    const isOn = device.board.isOn(name);
    const wanted: Readonly<Record<string, boolean>> = {
      On: true,
      Off: false,
      ForceOff: false,
      GracefulShutdown: false,
      PushPowerButton: !isOn,
      PowerCycle: false,
    };
    const on = wanted[value];
    if (on !== undefined) this.change(device, name, on, delaySeconds);
    if (value !== 'PowerCycle') return;
    device.after(delaySeconds + cycleSeconds, () => this.change(device, name, true, 0));
  }

  private command(call: Call): Answer {
    const { device, outlet: name, body } = call;
    const given = Command.safeParse(parseJson(body)).data;
    if (given === undefined) {
      return error(400, 'Base.1.8.ActionParameterMissing', 'The action requires a parameter.');
    }
    const isSystem = 'ResetType' in given;
    const value = 'ResetType' in given ? given.ResetType : given.PowerState;
    if (isSystem !== this.systems.includes(name) || !this.allowable(name).includes(value)) {
      return error(400, 'Base.1.8.ActionParameterNotSupported', `${value} is not supported.`);
    }
    const isOn = device.board.isOn(name);
    const already = value === 'On' ? isOn : !isOn && value !== 'PushPowerButton';
    if (isSystem && already) {
      const { powerState } = this.powered(call);
      return error(409, 'Base.1.8.ResourceInUse', `The system is ${powerState} already.`);
    }
    this.carryOut(device, name, value);
    const { success = 204 } = this.options;
    if (success === 204) return { status: 204 };
    if (success === 200) return { body: error(200, 'Base.1.8.Success', 'Done.').body ?? '' };
    const task = `${root}/TaskService/Tasks/1`;
    const headers = { location: `${task}/Monitor` };
    return { status: 202, headers, body: { '@odata.id': task, Id: '1', TaskState: 'Running' } };
  }
}
