/**
 * A bucket or a directory: versions are sent one at a time, and deleted when their retention ends, once a day, unless the clock has jumped.
 */

import { randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  archiveDigest,
  backupKeyId,
  expired,
  type OffsitePlace,
  objectName,
  pack,
  type Version,
} from '@skolo/backup';
import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import type { PartDeps } from '../part-deps.ts';
import { type Backend, DeviceBlocked, type LocalVersions, VersionGone } from './backend.ts';
import { recipientsOf } from './destination.ts';
import type { WaitingCopy } from './queue.ts';

interface ObjectBackendDeps extends Pick<PartDeps, 'rack' | 'clock' | 'log'> {
  versions: LocalVersions;
  /** Directory for files that are being sent. */
  outgoing: string;
  open(): Promise<OffsitePlace>;
  /** The current key that authenticates copies, if there is one. */
  backupKey(): Secret | undefined;
}

/** A larger step of the wall clock between two checks counts as a jump, in milliseconds. */
const largestStep = 24 * 3_600_000;
/** In seconds: each day's check may come slightly earlier. */
const almostADay = 23 * 3600;

interface Packet {
  file: string;
  digest: string;
  encrypted: boolean;
  /** Whether the file is ours to remove. */
  isTemporary: boolean;
}

export class ObjectBackend implements Backend {
  readonly pruneAfterSending = true;
  private readonly deps: ObjectBackendDeps;
  private opened: OffsitePlace | undefined;
  private seen: { wall: number; uptime: number };
  /** Until then, in seconds of uptime, the wall clock is not used after a jump. */
  private doubtful = 0;

  constructor(deps: ObjectBackendDeps) {
    this.deps = deps;
    this.seen = this.times();
  }

  async send(waiting: readonly WaitingCopy[], signal: AbortSignal): Promise<WaitingCopy[]> {
    const [record] = waiting;
    if (!record) return [];
    const place = await this.place();
    const backupKey = this.deps.backupKey();
    const key = backupKey && backupKeyId(backupKey);
    const packet = await this.packetOf(record, backupKey, signal);
    const { device, time, model } = record;
    try {
      const name = objectName({ device, time, ...packet });
      const about = { device, time, model };
      await this.using(() => place.put(name, packet.file, about, signal));
      const keyNow = this.deps.backupKey();
      // Sent again with a key that came meanwhile.
      if (keyNow && backupKeyId(keyNow) !== key) return [];
      return [{ ...record, key }];
    } catch (error) {
      throw isDamage(error) ? new DeviceBlocked(device, error) : error;
    } finally {
      if (packet.isTemporary) await removed(packet.file);
    }
  }

  async prune(signal: AbortSignal): Promise<void> {
    const { rack, clock, log } = this.deps;
    const place = await this.place();
    const objects = await this.using(() => place.list(signal));
    if (!this.isClockSteady()) {
      log.warn({ place: place.url }, 'the clock jumped; old copies will be removed tomorrow');
      return;
    }
    const { retention } = rack().services['router-backup'];
    for (const { name } of expired(objects, retention, clock.now())) {
      await this.using(() => place.remove(name, signal));
      log.info({ place: place.url, object: name }, 'old copy was removed');
    }
  }

  /** Reopened after it rejected a request: its key may have changed. */
  private async place(): Promise<OffsitePlace> {
    this.opened ??= await this.deps.open();
    return this.opened;
  }

  private async using<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof BackupError && error.code === 'rejected') this.opened = undefined;
      throw error;
    }
  }

  private async packetOf(
    record: WaitingCopy,
    backupKey: Secret | undefined,
    signal: AbortSignal,
  ): Promise<Packet> {
    const { versions, outgoing, rack } = this.deps;
    const recipients = recipientsOf(rack());
    const version: Version = { ...record, id: record.version };
    const { device, time, nonce } = record;
    const authenticated = backupKey && { backupKey, device, time };
    const plain = join(outgoing, `${randomBytes(12).toString('hex')}.tmp`);
    try {
      const archive = await versions.archive(version);
      if (archive) {
        const digest = await archiveDigest(archive, authenticated);
        return { file: archive, digest, encrypted: true, isTemporary: false };
      }
      await versions.contentToFile(version, plain);
    } catch (error) {
      await removed(plain);
      if (error instanceof BackupError && error.code === 'not-found')
        throw new VersionGone(record, error);
      throw isDamage(error) ? new DeviceBlocked(record.device, error) : error;
    }
    try {
      const { size } = await stat(plain);
      const options = { recipients, nonce, authenticated, folder: outgoing, signal };
      const { file, digest } = await pack({ file: plain, size }, options);
      return { file, digest, encrypted: recipients !== 'none', isTemporary: true };
    } finally {
      await removed(plain);
    }
  }

  /** Whether the wall clock has advanced like the uptime for at least a day. */
  private isClockSteady(): boolean {
    const { wall, uptime } = this.seen;
    this.seen = this.times();
    const passed = (this.seen.uptime - uptime) * 1000;
    if (Math.abs(this.seen.wall - wall - passed) >= largestStep) {
      this.doubtful = this.seen.uptime + almostADay;
    }
    return this.seen.uptime >= this.doubtful;
  }

  private times() {
    return { wall: this.deps.clock.now(), uptime: this.deps.clock.uptime() };
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof BackupError && error.code === 'damaged';
}

async function removed(file: string): Promise<void> {
  await rm(file, { force: true }).catch(() => undefined);
}
