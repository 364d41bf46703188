/**
 * A server, or the outlets of a rack PDU, with Redfish.
 *
 *     bmc-1: { model: redfish, address: 192.168.1.40, login: bmcs }
 *     pdu-2: { model: redfish, address: 192.168.1.41, rackPdu: '1', login: pdus }
 *
 * Verified with: our simulator, which fence_redfish (4.12.1) reads, turns off and on, and redfishtool (1.1.5) cycles, each in
 * a test. Outlets of PDUs: written from DMTF's mockup, spoken by nobody else.
 *
 * Quirks. A command is answered long before the power changes: PoweringOff counts as still on, PoweringOn as still off, and the reading
 * shows when it is done; tasks are not followed. Servers refuse to be turned off that are off (fence-agents issue 596): then what they
 * report of themselves counts. Where a reset is sent, and which values are allowed, is read. A service that does not report it is told to
 * turn on or off as in the standard's examples, but not to cycle; both are sent even if they are not listed. Requests sign in by Basic, or
 * in one session if the device does not offer Basic, see sign-in.ts.
 *
 * Source: DSP0266, DSP0268 (ComputerSystem, Outlet, PowerDistribution, Manager, ActionInfo), DSP2043.
 */

import { parseJson } from '@skolo/base';
import { DeviceRejected, readJson } from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import {
  CannotCycle,
  type DriverDeps,
  driverKind,
  type OutletDriver,
  type OutletState,
  type OwnReport,
  oneByOne,
  readBriefly,
} from '../contract/outlets.ts';
import { unneeded } from '../families/unneeded.ts';
import { redfish } from './facts.ts';
import { Path, type Send, signedInTo } from './sign-in.ts';

export const outlets = driverKind({
  model: 'redfish',
  automaticRepair: ({ options }) => options.rackPdu === undefined,
  create,
});

const Options = z.object(redfish.options);

const Link = z.object({ '@odata.id': Path });
/** As `viaOf` returns it. */
const known = /^\/(?!\/)[\w./~%:@+-]* \w+$/;
const Values = unneeded(z.array(z.string()));
const Action = z.object({
  target: Path,
  'ResetType@Redfish.AllowableValues': Values,
  'PowerState@Redfish.AllowableValues': Values,
  '@Redfish.ActionInfo': unneeded(Path),
});
type Action = z.infer<typeof Action>;
const Resource = z.object({
  Id: unneeded(z.string()),
  '@odata.id': unneeded(z.string()),
  PowerState: unneeded(z.string()),
  PowerWatts: unneeded(z.object({ Reading: z.number() })),
  PowerRestorePolicy: unneeded(z.string()),
  Model: unneeded(z.string()),
  Links: unneeded(z.object({ ManagedBy: z.array(Link) })),
  Actions: unneeded(
    z.object({
      '#ComputerSystem.Reset': unneeded(Action),
      '#Outlet.PowerControl': unneeded(Action),
    }),
  ),
});
type Resource = z.infer<typeof Resource>;
/** A server's manager, or a PDU. */
const Maker = z.object({ Model: unneeded(z.string()), FirmwareVersion: unneeded(z.string()) });
const ActionInfo = z.object({
  Parameters: z.array(z.object({ Name: z.string(), AllowableValues: Values })),
});
const ErrorBody = z.object({
  error: z.object({
    message: z.string().optional(),
    '@Message.ExtendedInfo': z
      .array(z.object({ Message: z.string().optional(), MessageId: z.string().optional() }))
      .optional(),
  }),
});
/** PiKVM's own form (kvmd, htserver.py). */
const KvmdError = z.object({ result: z.object({ error_msg: z.string() }) });

const pdus = '/redfish/v1/PowerEquipment/RackPDUs';

/** The actions of servers and outlets. */
const kinds = {
  system: {
    action: '#ComputerSystem.Reset',
    path: 'Actions/ComputerSystem.Reset',
    parameter: 'ResetType',
    values: { on: ['On', 'ForceOn'], off: ['ForceOff'], cycle: ['PowerCycle'] },
  },
  outlet: {
    action: '#Outlet.PowerControl',
    path: 'Actions/Outlet.PowerControl',
    parameter: 'PowerState',
    values: { on: ['On'], off: ['Off'], cycle: ['PowerCycle'] },
  },
} as const;

type Verb = 'on' | 'off' | 'cycle';

/** During a transition, the previous state. */
const states: ReadonlyMap<string, OutletState> = new Map([
  ['on', 'on'],
  ['paused', 'on'],
  ['poweringoff', 'on'],
  ['off', 'off'],
  ['poweringon', 'off'],
]);

/** Its resources, and commands to them. */
function requestsTo(device: Device, send: Send) {
  const { name } = device;
  const { rackPdu } = Options.parse(device.options);
  const kind = rackPdu === undefined ? kinds.system : kinds.outlet;
  const folder = rackPdu === undefined ? '/redfish/v1/Systems' : `${pdus}/${rackPdu}/Outlets`;

  async function read<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal, what = path) {
    return readJson(name, (await send({ path }, signal)).body, schema, what);
  }

  async function get(id: string, signal: AbortSignal): Promise<Resource> {
    const resource = await read(`${folder}/${id}`, Resource, signal, `the state of ${id}`);
    const { Id, '@odata.id': path } = resource;
    // Of one that is unconfigured, the Id may be a padded serial number (openbmc-test-automation issue 1530).
    if (Id === undefined || Id === id || path?.split('/').at(-1) === id) return resource;
    throw new DeviceRejected(name, `returned a system or outlet other than ${id}`);
  }

  async function allowed(
    action: Action,
    signal: AbortSignal,
  ): Promise<readonly string[] | undefined> {
    const listed = action[`${kind.parameter}@Redfish.AllowableValues`];
    const info = action['@Redfish.ActionInfo'];
    if (listed !== undefined || info === undefined) return listed;
    const { Parameters } = await read(info, ActionInfo, signal);
    return Parameters.find((parameter) => parameter.Name === kind.parameter)?.AllowableValues;
  }

  /**
   * Where a command is sent, and its value: `/redfish/v1/Systems/1/Actions/ComputerSystem.Reset On`. What the resource does not report is
   * as in the standard's examples. The device itself rejects turning off if it does not support that.
   */
  async function viaOf(
    outlet: string,
    { Actions }: Resource,
    verb: Verb,
    signal: AbortSignal,
  ): Promise<string> {
    const action = Actions?.[kind.action];
    const values = action && (await readBriefly(name, signal, (limit) => allowed(action, limit)));
    const candidates = kind.values[verb];
    const value = candidates.find((candidate) => values?.includes(candidate) ?? true);
    if (verb === 'cycle' && (value === undefined || action === undefined)) {
      const what = `${outlet} does not support cycle; supported actions: ${values?.join(', ') || 'none'}`;
      throw new CannotCycle(name, what);
    }
    return `${action?.target ?? `${folder}/${outlet}/${kind.path}`} ${value ?? candidates[0]}`;
  }

  async function post(via: string, signal: AbortSignal): Promise<void> {
    const [path = '', value] = via.split(' ');
    await send({ method: 'POST', path, json: { [kind.parameter]: value } }, signal);
  }

  /** Turning on depends on no reading: one may fail while the outlet must be turned on. */
  async function command(
    outlet: string,
    verb: Verb,
    signal: AbortSignal,
    via?: string,
  ): Promise<void> {
    if (via !== undefined && known.test(via)) return await post(via, signal);
    const isOn = verb === 'on';
    const reading = get(outlet, signal);
    const resource = await (isOn ? readBriefly(name, signal, () => reading) : reading);
    const state = resource?.PowerState?.toLowerCase();
    if (verb === 'cycle' && state === 'off') throw new CannotCycle(name, `${outlet} is off`);
    try {
      await post(await viaOf(outlet, resource ?? {}, verb, signal), signal);
    } catch (error) {
      if (!(error instanceof DeviceRejected && state === verb)) throw error;
    }
    // That it makes no sense is reported once the command was sent.
    await Promise.race([reading, undefined]).catch((error: unknown) => {
      if (error instanceof DeviceRejected) throw error;
    });
  }

  return { rackPdu, get, read, viaOf, command };
}

type Requests = ReturnType<typeof requestsTo>;

async function readOne({ get, viaOf }: Requests, id: string, signal: AbortSignal) {
  const resource = await get(id, signal);
  const { PowerState = '', PowerWatts } = resource;
  const via = await viaOf(id, resource, 'on', signal);
  const state = states.get(PowerState.toLowerCase()) ?? 'unknown';
  return { state, watts: PowerWatts?.Reading, via } as const;
}

async function report(
  { rackPdu, get, read }: Requests,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<OwnReport<string>> {
  const resources = new Map<string, Resource>();
  for (const id of ids) resources.set(id, await get(id, signal));
  const [first] = resources.values();
  const [manager] = first?.Links?.ManagedBy ?? [];
  const path = rackPdu === undefined ? manager?.['@odata.id'] : `${pdus}/${rackPdu}`;
  const maker = path ? await read(path, Maker, signal) : undefined;
  return {
    hardware: (rackPdu === undefined ? first : maker)?.Model,
    firmware: maker?.FirmwareVersion,
    of(id) {
      const isOff = resources.get(id)?.PowerRestorePolicy === 'AlwaysOff';
      return { staysOff: isOff ? 'PowerRestorePolicy is AlwaysOff' : undefined };
    },
  };
}

function create(device: Device, deps: DriverDeps): OutletDriver<string> {
  const { https, timeoutSeconds } = Options.parse(device.options);
  // Some services require them (ansible issue 55078).
  const headers = { accept: 'application/json', 'OData-Version': '4.0' };
  const signedIn = signedInTo(device, deps, { https, timeoutSeconds, reason: reasonOf, headers });

  const asked = <T>(work: (to: Requests, signal: AbortSignal) => Promise<T>, signal: AbortSignal) =>
    signedIn((send, either) => work(requestsTo(device, send), either), signal);
  return {
    key: (outlet) => outlet,
    readsAtOnce: 4,
    report: (ids, signal) => asked((to, either) => report(to, ids, either), signal),
    read: (ids, signal) =>
      asked(
        (to, each) => oneByOne((id: string, limit) => readOne(to, id, limit))(ids, each),
        signal,
      ),
    set: (id, state, signal, _mode, via) =>
      asked((to, either) => to.command(id, state, either, via), signal),
    cycle: {
      offSeconds: 'fixed',
      run: (id, _, signal) => asked((to, either) => to.command(id, 'cycle', either), signal),
    },
  };
}

function reasonOf(body: string): string | undefined {
  const json = parseJson(body);
  const error = ErrorBody.safeParse(json).data?.error;
  const [info] = error?.['@Message.ExtendedInfo'] ?? [];
  const own = KvmdError.safeParse(json).data?.result.error_msg;
  return info?.Message ?? info?.MessageId ?? error?.message ?? own;
}
