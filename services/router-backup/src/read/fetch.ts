/** Reads a device's configuration, decides whether it differs from the startup configuration (`unsaved`), and rejects an incomplete one. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { orAborted } from '@skolo/base';
import { readCredentials } from '@skolo/base/secrets';
import { models, type Readable } from '@skolo/equipment/models';
import type {
  BackupModel,
  Content,
  CreateBackup,
  Extent,
  Identity,
  Reading,
} from '@skolo/equipment/models/backup';
import { isSame, partOf, whyPartial } from '@skolo/equipment/models/configuration';
import { readWhole } from '@skolo/equipment/models/whole-reading';
import {
  type Connection,
  type ConnectionFacts,
  type HostKeys,
  openConnection,
} from '@skolo/equipment/transports';
import { type Equipment, loginToRead, type Rack } from '@skolo/rack';
import { judgeContent } from '../judge.ts';
import { BackupFailed, failureOf } from './failure.ts';
import type { Transcript } from './transcript.ts';

interface FetchDeps {
  rack: () => Rack;
  hostKeys: HostKeys;
  /** Directory for configurations that are too large for memory. */
  scratch: string;
  models: ReadonlyMap<string, CreateBackup>;
}

/** What is compared with a version. */
export type Identified = Pick<Fetched, 'model' | 'content' | 'sha1'>;

export interface Fetched {
  model: BackupModel;
  content: Content;
  size: number;
  /** Of the content, in hex. */
  sha1: string;
  identity: Identity;
  /** Absent: the device has only one configuration. */
  unsaved?: boolean;
  changedBy?: string | undefined;
  /** A part only if rack.yaml allows it. */
  extent?: Extent | undefined;
  /** As in `Reading`. */
  unseen?: string | undefined;
  /** The configuration that it would boot with, if different. */
  startup?: Buffer;
  /** Absent: it was not read over ssh. */
  legacyAlgorithms?: string[] | undefined;
}

export class Fetch {
  private readonly deps: FetchDeps;
  /** Memory of readings, by device. */
  private readonly results = new Map<string, Connection['results']>();

  constructor(deps: FetchDeps) {
    this.deps = deps;
  }

  model(device: Equipment): BackupModel {
    const create = this.deps.models.get(device.model);
    if (create === undefined) {
      throw new BackupFailed(
        device.name,
        'internal',
        `backups of model ${device.model} are not supported`,
      );
    }
    return create(device);
  }

  /**
   * Reads it, with all checks that require no other version. The transcript records the session.
   *
   * @param isKnown whether the newest version has this content; a new one may be read twice
   * @throws BackupFailed
   */
  async read(
    device: Equipment,
    transcript: Transcript,
    signal: AbortSignal,
    isKnown?: (read: Identified) => Promise<boolean>,
  ): Promise<Fetched> {
    const model = this.model(device);
    let legacy: Set<string> | undefined;
    const onConnected = ({ legacyAlgorithms }: ConnectionFacts) => {
      legacy = new Set([...(legacy ?? []), ...legacyAlgorithms]);
    };
    try {
      const work = async (connection: Connection) => {
        const check = async ({ content, extent }: Reading) => {
          const partial = whyPartial(extent, models.get(device.model));
          if (partial !== undefined && !device.allowPartial) {
            const what = `${partial}; to store the part, set \`allowPartial: true\` in rack.yaml`;
            throw new BackupFailed(device.name, 'partial', what);
          }
          const rejection = await judgeContent(model, content);
          if (rejection) throw new BackupFailed(device.name, rejection.failure, rejection.what);
        };
        const known =
          isKnown &&
          (async (content: Content) => isKnown({ model, content, sha1: await sha1Of(content) }));
        const reading = await readWhole(model, connection, check, known);
        return await fetched(model, reading);
      };
      const how: Connecting = { reads: 'configuration', keepsResults: true, onConnected };
      const read = await this.connected(device, transcript, signal, work, how);
      return { ...read, legacyAlgorithms: legacy && [...legacy].sort() };
    } catch (error) {
      await this.drop(device);
      throw error;
    }
  }

  /** Forgets a reading, and removes its files. A device has one reading at a time. */
  async drop({ name }: Equipment): Promise<void> {
    this.results.get(name)?.release();
    this.results.delete(name);
    const folder = join(this.deps.scratch, name);
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }

  /** Removes a killed process's files, including copies of the jumphost's databases. */
  async clear(): Promise<void> {
    await rm(this.deps.scratch, { recursive: true, force: true }).catch(() => undefined);
  }

  /**
   * Opens the device for `work`, within its `totalSeconds`.
   *
   * @throws BackupFailed, also for any error of `work`
   */
  async connected<T>(
    device: Equipment,
    transcript: Transcript,
    signal: AbortSignal,
    work: (connection: Connection) => Promise<T>,
    { reads, keepsResults, onConnected }: Connecting = {},
  ): Promise<T> {
    const { rack, hostKeys, scratch } = this.deps;
    const login = () => (reads ? loginToRead(rack(), device, reads) : device.login);
    const settings = rack().services['router-backup'];
    const { idleSeconds, totalSeconds, maxBytes } = { ...settings, ...device.backupLimits };
    const connection = openConnection(device, {
      credentials: () => readCredentials(rack(), login()),
      hostKeys,
      signal,
      idleMs: idleSeconds * 1000,
      deadlineMs: totalSeconds * 1000,
      scratch: join(scratch, device.name),
      diskBytes: maxBytes,
      onTranscript: (from, text) => transcript.add(from, text),
      onConnected,
      keepsResults,
    });
    if (keepsResults) this.results.set(device.name, connection.results);
    try {
      // A session ends with the signal; a model must not delay the caller either.
      return await orAborted(work(connection), signal);
    } catch (error) {
      throw failureOf(device.name, error);
    } finally {
      await connection.close();
    }
  }
}

interface Connecting {
  /** What is only read; absent: the device may be changed. */
  reads?: Readable;
  /** Until `drop`. */
  keepsResults?: boolean;
  onConnected?: (facts: ConnectionFacts) => void;
}

async function fetched(model: BackupModel, reading: Reading): Promise<Fetched> {
  const { content, identity, startup, changedBy, extent, unseen } = reading;
  const isComparable = startup && 'bytes' in content && partOf(extent) === undefined;
  return {
    model,
    content,
    identity,
    size: 'bytes' in content ? content.bytes.length : content.size,
    sha1: await sha1Of(content),
    ...(isComparable && (await comparedTo(startup, content.bytes, model))),
    changedBy,
    extent,
    unseen,
  };
}

async function comparedTo(startup: Buffer, running: Buffer, model: BackupModel) {
  return (await isSame(running, startup, model)) ? { unsaved: false } : { unsaved: true, startup };
}

async function sha1Of(content: Content): Promise<string> {
  const hash = createHash('sha1');
  if ('bytes' in content) return hash.update(content.bytes).digest('hex');
  for await (const chunk of createReadStream(content.file)) hash.update(chunk);
  return hash.digest('hex');
}
