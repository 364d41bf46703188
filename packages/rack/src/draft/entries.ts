/** Converts a checked entry to its form in `Rack`. */

import type { Login } from '@skolo/base/secrets';
import type { Model, Ports, Transport } from '@skolo/equipment/models';
import type { z } from 'zod';
import type { Path } from '../issues/issues.ts';
import { didYouMean } from '../issues/suggest.ts';
import type { AttachedDevice, Equipment, Identity, Machine } from '../rack/rack.ts';
import type { equipmentSchema } from '../schema/equipment-schema.ts';
import type { attachedDeviceSchema, machineSchema } from '../schema/machine-schema.ts';
import type { identitySchema, loginSchema } from '../schema/rack-schema.ts';
import { readCredentials } from './credentials.ts';
import type { Draft, Report } from './draft.ts';

type Written<T extends z.ZodType> = z.output<T>;

export function readIdentity(
  name: string,
  written: Written<typeof identitySchema>,
  path: Path,
  report: Report,
): Identity | undefined {
  const credentials = readCredentials(written.credentials, [...path, 'credentials'], report);
  return credentials && { ...written, name, credentials };
}

export function readLogin(
  name: string,
  written: Written<typeof loginSchema>,
  path: Path,
  report: Report,
): Login {
  const { username, password, token, privateKey, passphrase, snmp } = written;
  const wrong = (key: string, message: string) => report([...path, key], 'login', message);
  if (!username && !token && !password && !snmp) {
    const keys = '`username`, `password`, `token` or `snmp`';
    report(path, 'login', `does not contain ${keys}, so it cannot be used to sign in`);
  }
  if (passphrase && !privateKey) wrong('passphrase', 'requires a `privateKey`');
  if (privateKey && !username) wrong('privateKey', 'requires a `username`');
  if (snmp) checkSnmp(snmp, [...path, 'snmp'], report);
  return { ...written, name };
}

function checkSnmp(snmp: NonNullable<Login['snmp']>, path: Path, report: Report): void {
  const { version, user, community, authKey, privKey } = snmp;
  const needed = version === 3 ? 'user' : 'community';
  const foreign =
    version === 3 ? (['community'] as const) : (['user', 'authKey', 'privKey'] as const);
  const of = version === 3 ? 'versions 1 and 2' : 'version 3';
  if (!(version === 3 ? user : community)) {
    report(path, 'login', `version ${version} requires a \`${needed}\``);
  }
  for (const key of foreign.filter((key) => snmp[key] !== undefined)) {
    report([...path, key], 'login', `belongs to ${of}; version ${version} uses \`${needed}\``);
  }
  if (version === 3 && privKey && !authKey) {
    const why = 'privacy is not possible without authentication';
    report([...path, 'privKey'], 'login', `requires an \`authKey\`, because ${why}`);
  }
}

export function readMachine(
  name: string,
  written: Written<typeof machineSchema>,
  path: Path,
  draft: Draft,
  report: Report,
): Machine {
  const { port, ports, power, device, devices, ...rest } = written;
  const attached = device
    ? [readDevice(name, { name: 'device', ...device }, [...path, 'device'], draft, report)]
    : devices?.map((one, i) => readDevice(name, one, [...path, 'devices', i], draft, report));
  return {
    ...rest,
    name,
    ports: readPorts(port, ports, 'ssh', path, report),
    power: power ?? [],
    devices: attached ?? [],
  };
}

function readDevice(
  machine: string,
  written: Written<typeof attachedDeviceSchema>,
  path: Path,
  draft: Draft,
  report: Report,
): AttachedDevice {
  const { name = '' } = written;
  if (name === '') {
    report([...path, 'name'], 'missing', 'is missing; each entry of `devices` requires a name');
  }
  const device = { ...written, name, fullName: `${machine}-${name}` };
  draft.where.set(device, path);
  draft.named.push({ name: device.fullName, what: 'an attached device', path });
  return device;
}

export function readEquipment(
  name: string,
  written: Written<typeof equipmentSchema>,
  model: Model,
  path: Path,
  report: Report,
): Equipment {
  const { port, ports, power, transport: wanted, ...all } = written;
  const transport = model.transports.find((known) => known === wanted) ?? model.transports[0];
  if (wanted !== undefined && transport !== wanted) {
    const known = `it supports ${model.transports.join(', ')}`;
    const hint = didYouMean(wanted, model.transports, known);
    const message = `${model.name} does not support "${wanted}"${hint}`;
    report([...path, 'transport'], 'transport', message);
  }
  const options = Object.fromEntries(
    Object.entries(all).filter(([key]) => Object.hasOwn(model.options, key)),
  );
  const { model: _, address, mac, login, uplink, hostKey, serial, backup, allowPartial } = all;
  return {
    name,
    model: model.name,
    transport,
    ...(address !== undefined && { address }),
    ...(mac !== undefined && { mac }),
    ...(login !== undefined && { login }),
    ...(uplink !== undefined && { uplink }),
    ...(hostKey !== undefined && { hostKey }),
    ...(serial !== undefined && { serial }),
    backup: backup !== false,
    ...(allowPartial && { allowPartial }),
    ...(typeof backup === 'object' && { backupLimits: backup }),
    ports: readPorts(port, ports, transport, path, report),
    power: power ?? [],
    options,
  };
}

/** `port` is a short form of the transport's port. */
function readPorts(
  port: number | undefined,
  ports: Ports | undefined,
  transport: Transport,
  path: Path,
  report: Report,
): Ports {
  if (port === undefined) return ports ?? {};
  if (transport === 'command') {
    report(
      [...path, 'port'],
      'port',
      'does not apply, because a program controls this equipment',
      'key',
    );
    return {};
  }
  if (ports?.[transport] !== undefined) {
    const message = `is the short form of \`ports.${transport}\`; remove one of them`;
    report([...path, 'port'], 'port', message, 'key');
  }
  return { ...ports, [transport]: port };
}
