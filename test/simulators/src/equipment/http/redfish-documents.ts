/** The documents of a Redfish service, as DSP2043's mockups have them. */
import type { Answer } from './http-message.ts';

export const root = '/redfish/v1';

export function serviceRoot(): object {
  const systems = { '@odata.id': `${root}/Systems` };
  return {
    '@odata.id': root,
    RedfishVersion: '1.15.0',
    Systems: systems,
  };
}

export const managerPath = `${root}/Managers/BMC`;
export const rackPduPath = `${root}/PowerEquipment/RackPDUs/1`;

export function manager(): object {
  return {
    '@odata.id': managerPath,
    '@odata.type': '#Manager.v1_15_0.Manager',
    Id: 'BMC',
    ManagerType: 'BMC',
    FirmwareVersion: '1.45.455b66-rev4',
  };
}

export function rackPdu(): object {
  return {
    '@odata.id': rackPduPath,
    '@odata.type': '#PowerDistribution.v1_3_1.PowerDistribution',
    Id: '1',
    EquipmentType: 'RackPDU',
    Model: 'ZAP4000',
    FirmwareVersion: '4.3.0',
  };
}

export interface Powered {
  path: string;
  name: string;
  powerState: string;
}

/** Where `allowable` is told: in the action, in its ActionInfo, or nowhere. */
export type AllowableIn = 'action' | 'action-info' | 'nowhere';

export function system(
  { path, name, powerState }: Powered,
  allowable: readonly string[],
  allowableIn: AllowableIn,
  restorePolicy: string,
): object {
  const reset = {
    target: `${path}/Actions/ComputerSystem.Reset`,
    ...(allowableIn === 'action' && { 'ResetType@Redfish.AllowableValues': allowable }),
    ...(allowableIn === 'action-info' && { '@Redfish.ActionInfo': `${path}/ResetActionInfo` }),
  };
  return {
    '@odata.id': path,
    '@odata.type': '#ComputerSystem.v1_16_0.ComputerSystem',
    Id: name,
    Model: '3500',
    PowerState: powerState,
    PowerRestorePolicy: restorePolicy,
    Links: { ManagedBy: [{ '@odata.id': managerPath }] },
    Actions: { '#ComputerSystem.Reset': reset },
  };
}

export function resetActionInfo(path: string, allowable: readonly string[]): object {
  const parameter = { Name: 'ResetType', Required: true, AllowableValues: allowable };
  return { '@odata.id': path, Id: 'ResetActionInfo', Parameters: [parameter] };
}

export function outlet(
  { path, name, powerState }: Powered,
  allowable: readonly string[],
  watts: number,
  restorePolicy: string,
): object {
  const control = {
    target: `${path}/Outlet.PowerControl`,
    'PowerState@Redfish.AllowableValues': allowable,
  };
  return {
    '@odata.id': path,
    '@odata.type': '#Outlet.v1_4_2.Outlet',
    Id: name,
    PowerState: powerState,
    PowerRestorePolicy: restorePolicy,
    PowerWatts: { Reading: watts },
    Actions: { '#Outlet.PowerControl': control },
  };
}

export function collection(path: string, names: readonly string[]): object {
  return {
    '@odata.id': path,
    'Members@odata.count': names.length,
    Members: names.map((name) => ({ '@odata.id': `${path}/${name}` })),
  };
}

export function missing(path: string): Answer {
  return error(404, 'Base.1.8.ResourceMissingAtURI', `The resource at ${path} was not found.`);
}

export function error(status: number, id: string, message: string): Answer {
  const details = { '@Message.ExtendedInfo': [{ MessageId: id, Message: message }] };
  return { status, body: { error: { code: 'Base.1.8.GeneralError', message, ...details } } };
}
