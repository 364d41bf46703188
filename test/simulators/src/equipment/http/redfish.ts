/**
 * A service with Redfish: servers (`/redfish/v1/Systems/ID`) with ComputerSystem.Reset, and the outlets of a rack PDU
 * (`/redfish/v1/PowerEquipment/RackPDUs/1/Outlets/A1`) with Outlet.PowerControl. Their power changes some time after the
 * command was taken, and is told as PoweringOn or PoweringOff meanwhile. A server that is in the state asked for already
 * rejects with 409, as those of several makers do. The service root needs no sign-in; the rest takes Basic or the token of a
 * session, of which there are few. Plain http is spoken only when asked for.
 *
 * Sources: DMTF DSP0266 (protocol: sessions, actions, ActionInfo, errors), DSP2043 (mockup public-rackmount1 and that of
 * a rack PDU: targets of outlets without `/Actions/`, PowerWatts.Reading), DSP0268 (ComputerSystem, Outlet). Assumed: how
 * long a change takes, and four sessions.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  type Call,
  type HttpDevice,
  type HttpDeviceOptions,
  outletsOn,
  startHttpDevice,
  type Tls,
} from './http-device.ts';
import { type Account, type Answer, parseJson } from './http-message.ts';
import {
  type AllowableIn,
  accountDocument,
  accountService,
  accountsPath,
  collection,
  error,
  missing,
  outlet,
  type Powered,
  resetActionInfo,
  root,
  serviceRoot,
  system,
} from './redfish-documents.ts';
import { basic } from './sign-in.ts';

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
  /** How it says yes; 204 when absent. */
  success?: 200 | 202 | 204;
}

const systemsPath = `${root}/Systems`;
const outletsPath = `${root}/PowerEquipment/RackPDUs/1/Outlets`;
const sessions = `${root}/SessionService/Sessions`;
/** How long a PowerCycle leaves it off. */
const cycleSeconds = 5;
const mostSessions = 4;
const Command = z.object({ ResetType: z.string() }).or(z.object({ PowerState: z.string() }));
/** Of most controllers: 8 to 20 signs. */
const NewPassword = z.object({ Password: z.string().min(8).max(20) });
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

export async function startRedfish(
  options: RedfishOptions = {},
): Promise<HttpDevice & { readonly tokenCount: number }> {
  const { systems = ['1'], outlets = [], tls = true, allowableIn = 'action' } = options;
  const account = { username: 'root', password: 'calvin', ...options.account };
  const tokens = new Map<string, string>();
  const underWay = new Map<string, 'PoweringOn' | 'PoweringOff'>();
  const byPassword = basic(account, 'Redfish', {
    body: error(401, 'Base.1.8.NoValidSession', 'There is no valid session.').body ?? '',
    open: [root, `${root}/`, '/redfish', '/redfish/'],
  });

  function allowable(name: string): readonly string[] {
    if (!systems.includes(name)) return ['On', 'Off', 'PowerCycle'];
    return options.allowable ?? resetTypes;
  }

  function powered({ path, outlet: name, device: { board } }: Call): Powered {
    const powerState = underWay.get(name) ?? (board.isOn(name) ? 'On' : 'Off');
    return { path: path.replace(/\/$/, ''), name, powerState };
  }

  function change(device: HttpDevice, name: string, on: boolean, seconds: number): void {
    if (device.faults.has('ignores-commands')) return;
    underWay.set(name, on ? 'PoweringOn' : 'PoweringOff');
    device.after(seconds, () => {
      underWay.delete(name);
      device.turn(name, on);
    });
  }

  function carryOut(device: HttpDevice, name: string, value: string): void {
    const { delaySeconds = 2 } = options;
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
    if (on !== undefined) change(device, name, on, delaySeconds);
    if (value !== 'PowerCycle') return;
    device.after(delaySeconds + cycleSeconds, () => change(device, name, true, 0));
  }

  function command(call: Call): Answer {
    const { device, outlet: name, body } = call;
    const given = Command.safeParse(parseJson(body)).data;
    if (given === undefined) {
      return error(400, 'Base.1.8.ActionParameterMissing', 'The action requires a parameter.');
    }
    const isSystem = 'ResetType' in given;
    const value = 'ResetType' in given ? given.ResetType : given.PowerState;
    if (isSystem !== systems.includes(name) || !allowable(name).includes(value)) {
      return error(400, 'Base.1.8.ActionParameterNotSupported', `${value} is not supported.`);
    }
    const isOn = device.board.isOn(name);
    const already = value === 'On' ? isOn : !isOn && value !== 'PushPowerButton';
    if (isSystem && already) {
      const { powerState } = powered(call);
      return error(409, 'Base.1.8.ResourceInUse', `The system is ${powerState} already.`);
    }
    carryOut(device, name, value);
    const { success = 204 } = options;
    if (success === 204) return { status: 204 };
    if (success === 200) return { body: error(200, 'Base.1.8.Success', 'Done.').body ?? '' };
    const task = `${root}/TaskService/Tasks/1`;
    const headers = { location: `${task}/Monitor` };
    return { status: 202, headers, body: { '@odata.id': task, Id: '1', TaskState: 'Running' } };
  }

  function openSession({ body }: Call): Answer {
    const given = SignIn.safeParse(parseJson(body)).data;
    if (given?.UserName !== account.username || given.Password !== account.password) {
      return byPassword.rejection();
    }
    if (tokens.size >= mostSessions) {
      return error(503, 'Base.1.8.SessionLimitExceeded', 'The session limit is reached.');
    }
    const id = randomBytes(4).toString('hex');
    const token = randomBytes(16).toString('hex');
    tokens.set(id, token);
    const headers = { 'x-auth-token': token, location: `${sessions}/${id}` };
    return { status: 201, headers, body: { '@odata.id': `${sessions}/${id}`, Id: id } };
  }

  const isSystem = ({ outlet: name }: Call) => systems.includes(name);
  const ofSystem = (call: Call) =>
    isSystem(call)
      ? { body: system(powered(call), allowable(call.outlet), allowableIn) }
      : undefined;
  const ofOutlet = (call: Call) => {
    const { outlet: name, device } = call;
    if (!outlets.includes(name)) return undefined;
    return { body: outlet(powered(call), allowable(name), device.board.watts(name)) };
  };
  const device = await startHttpDevice(
    {
      model: 'redfish',
      board: outletsOn([...systems, ...outlets]),
      signIn: {
        fits(asked) {
          if (asked.method === 'POST' && asked.path === sessions) return true;
          const token = asked.headers['x-auth-token'];
          if (typeof token === 'string') return [...tokens.values()].includes(token);
          return byPassword.fits(asked);
        },
        rejection: () => byPassword.rejection(),
      },
      routes: {
        [`GET ${root}/?`]: () => ({ body: serviceRoot() }),
        [`GET ${systemsPath}/?`]: () => ({ body: collection(systemsPath, systems) }),
        [`GET ${outletsPath}/?`]: () => ({ body: collection(outletsPath, outlets) }),
        [`GET ${systemsPath}/:outlet/?`]: ofSystem,
        [`GET ${systemsPath}/:outlet/ResetActionInfo/?`]: (call) =>
          isSystem(call) && allowableIn === 'action-info'
            ? { body: resetActionInfo(powered(call).path, allowable(call.outlet)) }
            : undefined,
        [`GET ${outletsPath}/:outlet/?`]: ofOutlet,
        [`POST ${systemsPath}/:outlet/Actions/ComputerSystem.Reset`]: command,
        [`POST ${outletsPath}/:outlet/Outlet.PowerControl`]: command,
        [`GET ${root}/AccountService/?`]: () => ({ body: accountService() }),
        [`GET ${accountsPath}/?`]: () => ({ body: collection(accountsPath, ['1']) }),
        [`GET ${accountsPath}/1/?`]: () => ({ body: accountDocument(account.username) }),
        [`PATCH ${accountsPath}/1/?`]({ body }) {
          const given = NewPassword.safeParse(parseJson(body)).data;
          if (given === undefined) {
            return error(400, 'Base.1.8.PropertyValueError', 'The password was not accepted.');
          }
          account.password = given.Password;
          return { body: accountDocument(account.username) };
        },
        [`POST ${sessions}`]: openSession,
        [`DELETE ${sessions}/:id`]: ({ path, parts: [id = ''] }) =>
          tokens.delete(id) ? { status: 204 } : missing(path),
      },
      notFound: ({ path }) => missing(path),
      logged: ({ method, target, path, body }) =>
        path === sessions || method === 'PATCH'
          ? `${method} ${path}`
          : `${method} ${target}${body && ` ${body}`}`,
      afterPowerFailure() {
        tokens.clear();
        underWay.clear();
      },
    },
    { ...options, tls },
  );
  /** How many sessions are open by POST to the session service; not connections. */
  return Object.defineProperty(device, 'tokenCount', {
    get: () => tokens.size,
  }) as typeof device & {
    readonly tokenCount: number;
  };
}
