/** Translates net-snmp's errors into the classes of packages/equipment. Its own errors are not passed on: one of them contains the keys. */

import { errorCode } from '@skolo/base';
import {
  ErrorStatus,
  RequestFailedError,
  ResponseInvalidCode,
  ResponseInvalidError,
} from 'net-snmp';
import {
  DeviceBusy,
  DeviceError,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  SignInRejected,
} from '../errors.ts';
import { RelayEnded } from './datagrams.ts';
import { NoSnmp } from './socket.ts';

/** net-snmp's own. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'RequestTimedOutError';
}

export function isTooBig(error: unknown): boolean {
  return error instanceof RequestFailedError && error.status === ErrorStatus.TooBig;
}

/** An error about one variable, in place of an answer to all of them. A busy agent has not looked at any. */
export function isOfVariable(error: unknown): boolean {
  return error instanceof RequestFailedError && error.status !== ErrorStatus.ResourceUnavailable;
}

/** Version 1's error for a missing object, a missing instance, and a read-only object. */
export function isNoSuchName(error: unknown): boolean {
  return error instanceof RequestFailedError && error.status === ErrorStatus.NoSuchName;
}

export function missing(
  { name, model }: { name: string; model: string },
  oid: string,
): DeviceRejected {
  const hint = `check that its model is ${model} and that it has as many outlets as rack.yaml specifies`;
  return new DeviceRejected(
    name,
    `does not have the object ${oid}, or its value is neither a number nor text; ${hint}`,
  );
}

/** No response. In versions 1 and 2c, a wrong community looks like a device that is off. */
export function silence(
  device: string,
  version: 1 | 2 | 3,
  timeoutMs: number,
  stranger: string | undefined,
): DeviceTimeout {
  const usual = version === 3 ? '' : '; a wrong community has the same result';
  const other = `, but one came from ${stranger}, which anybody could have sent: set that \`address\` in rack.yaml, or make the agent respond from the one that was asked`;
  const hint = stranger === undefined ? usual : other;
  return new DeviceTimeout(device, `no SNMP response within ${timeoutMs / 1000} s${hint}`);
}

/** Undefined if it is not one of net-snmp's. */
export function snmpError(device: string, error: unknown): DeviceError | undefined {
  if (error instanceof DeviceError) return error;
  if (error instanceof NoSnmp) return new DeviceRejected(device, error.message);
  if (error instanceof RequestFailedError) return rejection(device, error);
  if (error instanceof ResponseInvalidError) return senseless(device, error);
  if (error instanceof RelayEnded) return new DeviceUnreachable(device, error.message);
  if (!(error instanceof Error)) return undefined;
  const code = errorCode(error) ?? '';
  if (code === 'ECONNREFUSED')
    return new DeviceUnreachable(device, 'no SNMP agent is listening at its address');
  if (/^E[A-Z]+$/.test(code)) return new DeviceUnreachable(device, `is unreachable (${code})`);
  return undefined;
}

const noRight: readonly unknown[] = [
  ErrorStatus.NoAccess,
  ErrorStatus.ReadOnly,
  ErrorStatus.AuthorizationError,
];
const noObject: readonly unknown[] = [
  ErrorStatus.NoSuchName,
  ErrorStatus.NotWritable,
  ErrorStatus.NoCreation,
];

function rejection(device: string, { message, status }: RequestFailedError): DeviceError {
  // Its message consists of the status and the object.
  if (status === ErrorStatus.ResourceUnavailable)
    return new DeviceBusy(device, `returned ${message}`);
  const isRight = noRight.includes(status);
  const isObject = noObject.includes(status);
  const hint = isRight
    ? '; the login may have only read access'
    : isObject
      ? '; the outlet may not exist, or the login may have only read access'
      : '';
  return new DeviceRejected(device, `returned ${message}${hint}`);
}

const strangers: readonly unknown[] = [
  ResponseInvalidCode.EAuthFailure,
  ResponseInvalidCode.ECouldNotDecrypt,
];

function senseless(device: string, { code, message }: ResponseInvalidError): DeviceError {
  if (!strangers.includes(code)) return new DeviceRejected(device, 'the response is invalid');
  // The reason in a report; other messages contain digests.
  const known = /^(Unknown User Name|Unsupported Security Level)/.exec(message)?.[0];
  const what = known === undefined ? 'a key or its protocol is wrong' : known.toLowerCase();
  return new SignInRejected(device, `rejects the \`snmp\` settings of the login: ${what}`);
}
