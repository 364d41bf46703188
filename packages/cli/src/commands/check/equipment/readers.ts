/**
 * The readings that a model's drivers can take. Drivers that can also make changes are opened here, and only their readings leave this file.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectedHosts } from '@skolo/api';
import { type Credentials, readCredentials, Secret, type SecretRef } from '@skolo/base/secrets';
import type { Readable } from '@skolo/equipment/models';
import type { BackupModel, CreateBackup, Extent, Reading } from '@skolo/equipment/models/backup';
import { partOf, textOf, whyMessage, withoutVolatile } from '@skolo/equipment/models/configuration';
import { loadConnectedHosts } from '@skolo/equipment/models/load';
import type {
  DeviceReport,
  DriverKind,
  OutletReading,
  PowerDriver,
} from '@skolo/equipment/models/outlets';
import { readWhole } from '@skolo/equipment/models/whole-reading';
import {
  type DeviceConnection,
  DeviceRejected,
  type HostKeys,
  type OnTranscript,
  openConnection,
  type Recorded,
  type SessionPool,
} from '@skolo/equipment/transports';
import { snmpTo } from '@skolo/equipment/transports/snmp';
import { type Equipment, loginToRead, type Rack } from '@skolo/rack';

type Read<T> = ((signal: AbortSignal) => Promise<T>) | undefined;

/** Undefined if the model does not support it. */
export interface Readers {
  /** How it describes itself over SNMP. */
  description: Read<string>;
  outlets:
    | ((
        names: readonly string[],
        signal: AbortSignal,
      ) => Promise<Map<string, OutletReading> | undefined>)
    | undefined;
  /** Model and settings, if the driver reads them. */
  settings:
    | ((names: readonly string[], signal: AbortSignal) => Promise<DeviceReport | undefined>)
    | undefined;
  /** Its text contains secrets, but not the lines that change by themselves. */
  configuration: Read<{
    text: string;
    bytes: number;
    serial: string | undefined;
    members: readonly string[];
    extent: Extent | undefined;
  }>;
  hosts: Read<ConnectedHosts>;
}

export interface LookDeps {
  rack: Rack;
  sessions: SessionPool;
  hostKeys: HostKeys;
  /** Directory for large configurations. */
  scratch: string;
  drivers: ReadonlyMap<string, DriverKind>;
  backups: ReadonlyMap<string, CreateBackup>;
  /** Interval between two readings of outlets. */
  pauseMs: number;
  /** For each step. */
  timeoutMs: number;
  signal: AbortSignal;
  /** Nothing is sent. */
  dry?: true | undefined;
  /** What the equipment answers is kept. */
  isRecording?: boolean;
  /** A recording answers instead of the equipment. */
  replay?: Recorded['replay'];
  /** Reads a secret; default: from its file or variable. */
  readRef?: ((ref: SecretRef) => Promise<Secret>) | undefined;
}

/** What a device is read for, quickest first. */
export const uses = ['outlets', 'hosts', 'configuration'] as const satisfies readonly Readable[];
export type Use = (typeof uses)[number];

/** SNMPv2-MIB::sysDescr. */
const systemDescription = '1.3.6.1.2.1.1.1';

export async function readersOf(
  equipment: Equipment,
  deps: LookDeps,
  onTranscript: OnTranscript,
  { chosen, sessions }: { chosen: ReadonlyMap<string, Credentials>; sessions: SessionPool },
): Promise<Readers> {
  const { rack, hostKeys, scratch, drivers, backups, dry, replay } = deps;
  const { name, model, transport, backup, backupLimits } = equipment;
  const accessTo = (what: Readable) => {
    const login = loginToRead(rack, equipment, what);
    const credentials = async () =>
      chosen.get(login ?? '') ?? (await valuesOf(deps, login))[0] ?? { legacySsh: false };
    return { credentials, hostKeys, onTranscript, dry, replay };
  };
  const settings = { ...rack.services['router-backup'], ...backupLimits };
  const { idleSeconds, totalSeconds, maxBytes } = settings;
  const limits = {
    idleMs: idleSeconds * 1000,
    deadlineMs: totalSeconds * 1000,
    diskBytes: maxBytes,
  };

  async function connected<T>(
    what: Readable,
    signal: AbortSignal,
    work: (to: DeviceConnection) => Promise<T>,
  ) {
    const about = { ...accessTo(what), ...limits, signal, scratch: join(scratch, name) };
    const connection = openConnection(equipment, about);
    try {
      return await work(connection);
    } finally {
      await connection.close();
    }
  }

  const kind = drivers.get(model);
  const create = () => kind?.create(equipment, { ...accessTo('outlets'), sessions });

  async function driven<T>(work: (driver: PowerDriver) => Promise<T> | undefined) {
    const driver = create();
    try {
      return driver && (await work(driver));
    } finally {
      await driver?.close();
    }
  }

  const createBackup = backups.get(model);
  const createHosts = await loadConnectedHosts(model);
  const reader = rack.logins.get(loginToRead(rack, equipment, 'configuration') ?? '');
  const hasUser = reader?.username !== undefined;
  const isSnmp = transport === 'snmp';
  const describe = async (signal: AbortSignal) =>
    [
      ...(await snmpTo(equipment, accessTo('outlets')).walk(systemDescription, signal)).values(),
    ].join('\n');
  return {
    description: isSnmp ? describe : undefined,
    outlets: kind && ((names, signal) => driven(({ read }) => read(names, signal))),
    settings:
      create()?.report && ((names, signal) => driven(({ report }) => report?.(names, signal))),
    configuration:
      createBackup && backup && (hasUser || !isSnmp)
        ? (signal) =>
            connected('configuration', signal, (to) =>
              configurationOf(createBackup(equipment), to, dry),
            )
        : undefined,
    hosts:
      createHosts &&
      ((signal) =>
        connected('hosts', signal, async (connection) => {
          const found = await createHosts(equipment).read({
            ...accessTo('hosts'),
            connection,
            signal,
          });
          return { equipment: name, readAt: new Date().toISOString(), ...found };
        })),
  };
}

/** A login, with each value of a secret that has several. Each is tried once. */
export async function valuesOf(
  { rack, dry, readRef }: Pick<LookDeps, 'rack' | 'dry' | 'readRef'>,
  login: string | undefined,
): Promise<Credentials[]> {
  const masked = dry && (async () => new Secret('<secret>'));
  const { others = [], ...first } = await readCredentials(rack, login, masked ?? readRef);
  return [first, ...others].map((each) => ({ ...each, once: true }));
}

async function configurationOf(
  model: BackupModel,
  connection: DeviceConnection,
  dry: true | undefined,
) {
  const check = async (reading: Reading) => {
    const why =
      (await model.incomplete(reading.content)) ?? (await whyMessage(model, reading.content));
    // A part may lack its end because of that.
    const cause = why && (partOf(reading.extent) ?? why);
    if (cause) throw new DeviceRejected(connection.device.name, cause);
  };
  const whole = dry ? model.read(connection) : readWhole(model, connection, check);
  const { content, identity, extent } = await whole;
  const bytes = 'bytes' in content ? content.bytes : await readFile(content.file);
  const text = await withoutVolatile(textOf(bytes, model.format), model.volatile);
  const { serial, members = [] } = identity;
  return { text, bytes: bytes.length, serial, members, extent };
}
