/** One entry, as its schema read it, to what the rest of the world sees. */
import type { z } from 'zod';
import type { Draft, Report } from './draft.ts';
import type { infrastructureSchema } from './infrastructure-schema.ts';
import type { Path } from './issues.ts';
import type { machineSchema } from './machine-schema.ts';
import type { Model, Transport } from './models/model.ts';
import type {
  AttachedDevice,
  Credentials,
  Identity,
  InfrastructureDevice,
  Login,
  Machine,
  Ports,
  SourceCredentials,
} from './rack.ts';
import type { credentialsSchema, identitySchema, loginSchema } from './schema.ts';
import { didYouMean } from './suggest.ts';

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

const kinds = ['serviceAccountKey', 'refreshToken', 'externalAccount', 'fixed'] as const;

function readCredentials(
  written: Written<typeof credentialsSchema>,
  path: Path,
  report: Report,
): Credentials | undefined {
  const { impersonate, from, delegates, endpoint, ...source } = written;
  if (impersonate === undefined) {
    const extra = Object.keys({
      ...(from && { from }),
      ...(delegates && { delegates }),
      ...(endpoint && { endpoint }),
    });
    for (const key of extra)
      report([...path, key], 'credentials', 'belongs to `impersonate`, which is not here', 'key');
    return extra.length > 0 ? undefined : readSource(source, path, report);
  }
  if (kinds.some((kind) => source[kind] !== undefined) || from === undefined) {
    report(
      path,
      'credentials',
      '`impersonate` needs `from: { … }` with the credentials that may do so, and nothing beside it',
    );
    return undefined;
  }
  const read = readSource(from, [...path, 'from'], report);
  return (
    read && {
      kind: 'impersonate',
      email: impersonate,
      from: read,
      delegates: delegates ?? [],
      ...(endpoint !== undefined && { endpoint }),
    }
  );
}

function readSource(
  written: { [K in (typeof kinds)[number] | 'tokenUrl']?: string },
  path: Path,
  report: Report,
): SourceCredentials | undefined {
  const given = kinds.filter((kind) => written[kind] !== undefined);
  const [kind] = given;
  const file = kind && written[kind];
  if (given.length !== 1 || kind === undefined || file === undefined) {
    const found = given.length === 0 ? 'none' : given.join(' and ');
    report(
      path,
      'credentials',
      `takes exactly one of ${kinds.join(', ')}, impersonate; found ${found}`,
    );
    return undefined;
  }
  if (written.tokenUrl !== undefined && kind !== 'refreshToken') {
    report(
      [...path, 'tokenUrl'],
      'credentials',
      `belongs to \`refreshToken\`, not to \`${kind}\``,
      'key',
    );
    return undefined;
  }
  if (kind !== 'refreshToken') return { kind, file };
  return { kind, file, ...(written.tokenUrl !== undefined && { tokenUrl: written.tokenUrl }) };
}

export function readLogin(
  name: string,
  written: Written<typeof loginSchema>,
  path: Path,
  report: Report,
): Login {
  const { snmp } = written;
  const wrong = (key: string, message: string) =>
    report([...path, ...key.split('.')], 'login', message);
  if (!written.username && !written.token && !written.password && !snmp) {
    report(
      path,
      'login',
      'has no `username`, `password`, `token` or `snmp`: nobody can sign in with it',
    );
  }
  if (written.passphrase && !written.privateKey)
    wrong('passphrase', 'is there without a `privateKey`');
  if (written.privateKey && !written.username) wrong('privateKey', 'is there without a `username`');
  if (snmp?.version === 3) {
    if (snmp.user === undefined) wrong('snmp', 'version 3 needs a `user`');
    if (snmp.community)
      wrong(
        'snmp.community',
        'belongs to versions 1 and 2; version 3 has `user`, `authKey`, `privKey`',
      );
    if (snmp.privKey && !snmp.authKey)
      wrong('snmp.privKey', 'needs an `authKey`, too: there is no privacy without authentication');
  } else if (snmp !== undefined) {
    if (snmp.community === undefined)
      wrong('snmp', `version ${snmp.version} needs a \`community\``);
    for (const key of ['user', 'authKey', 'privKey'] as const) {
      if (snmp[key] !== undefined)
        wrong(`snmp.${key}`, `belongs to version 3; version ${snmp.version} has a \`community\``);
    }
  }
  return { ...written, name };
}

export function readMachine(
  name: string,
  written: Written<typeof machineSchema>,
  path: Path,
  draft: Draft,
  report: Report,
): Machine {
  const { port, ports, power, device, devices, ...rest } = written;
  return {
    ...rest,
    name,
    ports: readPorts(port, ports, 'ssh', path, report),
    power: power ?? [],
    devices: (device ? [{ name: 'device', ...device }] : (devices ?? [])).map((one, i) => {
      const at = device ? [...path, 'device'] : [...path, 'devices', i];
      const short = one.name ?? `device-${i}`;
      const attached: AttachedDevice = { ...one, name: short, fullName: `${name}-${short}` };
      if (one.name === undefined)
        report([...at, 'name'], 'missing', 'is missing: of several devices, each needs a name');
      draft.where.set(attached, at);
      draft.named.push({ name: attached.fullName, what: 'an attached device', path: at });
      return attached;
    }),
  };
}

export function readInfrastructure(
  name: string,
  written: Written<typeof infrastructureSchema>,
  model: Model,
  path: Path,
  report: Report,
): InfrastructureDevice {
  const { port, ports, power, transport: wanted, ...all } = written;
  const transport = model.transports.find((known) => known === wanted) ?? model.transports[0];
  if (wanted !== undefined && transport !== wanted) {
    const known = model.transports.join(', ');
    report(
      [...path, 'transport'],
      'transport',
      `${model.name} is not spoken to over "${wanted}"${didYouMean(wanted, model.transports) || `; known are ${known}`}`,
    );
  }
  const rest: Record<string, unknown> = { ...all };
  const options = Object.fromEntries(
    Object.keys(model.options)
      .filter((key) => rest[key] !== undefined)
      .map((key) => [key, rest[key]]),
  );
  const { model: _, address, mac, login, uplink, hostKey, serial, backup } = all;
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
    backup,
    ports: readPorts(port, ports, transport, path, report),
    power: power ?? [],
    options,
  };
}

/** `port` is the port of the transport. */
function readPorts(
  port: number | undefined,
  ports: Ports | undefined,
  transport: Transport,
  path: Path,
  report: Report,
): Ports {
  if (port === undefined) return ports ?? {};
  if (transport === 'command') {
    report([...path, 'port'], 'port', 'a program on the jumphost has no port', 'key');
    return {};
  }
  if (ports?.[transport] !== undefined) {
    report(
      [...path, 'port'],
      'port',
      `is \`ports.${transport}\`, which is there as well; write one of them`,
      'key',
    );
  }
  return { ...ports, [transport]: port };
}
