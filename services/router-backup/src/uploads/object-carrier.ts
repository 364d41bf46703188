/** Carries versions to a bucket or a directory, one at a time, and removes what has been kept for long enough. */
import { randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expired, type OffsitePlace, objectName, pack, type Version } from '@skolo/backup';
import type { Clock, Logger } from '@skolo/common';
import { BackupError } from '@skolo/models/configuration';
import type { Rack } from '@skolo/rack';
import { type Carrier, HeldBack, type LocalVersions, Lost } from './carrier.ts';
import { recipientsOf } from './destination.ts';
import type { UploadRecord } from './records.ts';

export interface ObjectCarrierDeps {
  rack: () => Rack;
  versions: LocalVersions;
  /** For files that are on their way. */
  outgoing: string;
  open(): Promise<OffsitePlace>;
  clock: Clock;
  log: Logger;
}

/** The wall clock may have been set this much between two looks at it, in milliseconds. */
const believedJump = 24 * 3_600_000;
/** The next look of each day comes a moment earlier or later. */
const almostADay = 23 * 3600;

interface Packet {
  file: string;
  sha1: string;
  encrypted: boolean;
  /** Whether the file is ours to remove. */
  isTemporary: boolean;
}

export class ObjectCarrier implements Carrier {
  readonly tidyAfterSending = true;
  private readonly deps: ObjectCarrierDeps;
  private opened: OffsitePlace | undefined;
  private seen: { wall: number; uptime: number };
  /** Until then, in seconds of uptime, a clock that has jumped is not believed. */
  private doubtful = 0;

  constructor(deps: ObjectCarrierDeps) {
    this.deps = deps;
    this.seen = this.times();
  }

  async send(waiting: readonly UploadRecord[], signal: AbortSignal): Promise<UploadRecord[]> {
    const [record] = waiting;
    if (!record) return [];
    const place = await this.place();
    const packet = await this.packetOf(record, signal);
    const { device, time, model } = record;
    try {
      const isAgain = await this.isAgain(record, packet.sha1);
      const name = objectName({ device, time, isAgain, ...packet });
      const about = { device, time, ...(model !== undefined && { model }) };
      await this.using(() => place.put(name, packet.file, about, signal));
      return [record];
    } catch (error) {
      throw isDamage(error) ? new HeldBack(device, error) : error;
    } finally {
      if (packet.isTemporary) await removed(packet.file);
    }
  }

  async tidy(signal: AbortSignal): Promise<void> {
    const { rack, clock, log } = this.deps;
    const place = await this.place();
    const objects = await this.using(() => place.list(signal));
    if (!this.isClockSteady()) {
      log.warn({ place: place.url }, 'the wall clock jumped; old copies are looked for tomorrow');
      return;
    }
    const { retention } = rack().services['router-backup'];
    for (const { name } of expired(objects, retention, clock.now())) {
      await this.using(() => place.remove(name, signal));
      log.info({ place: place.url, object: name }, 'old copy was removed');
    }
  }

  /** Opened anew after it refused: its key may be another one now. */
  private async place(): Promise<OffsitePlace> {
    this.opened ??= await this.deps.open();
    return this.opened;
  }

  private async using<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof BackupError && error.code === 'refused') this.opened = undefined;
      throw error;
    }
  }

  private async packetOf(record: UploadRecord, signal: AbortSignal): Promise<Packet> {
    const { versions, outgoing, rack } = this.deps;
    const recipients = recipientsOf(rack());
    const version: Version = { ...record, id: record.version };
    const plain = join(outgoing, `${randomBytes(12).toString('hex')}.tmp`);
    try {
      const archive = await versions.archive(version);
      if (archive) return archived(archive.path, record);
      await versions.contentToFile(version, plain);
    } catch (error) {
      await removed(plain);
      if (error instanceof BackupError && error.code === 'not-found') throw new Lost(record, error);
      throw isDamage(error) ? new HeldBack(record.device, error) : error;
    }
    try {
      const { size } = await stat(plain);
      const options = { recipients, folder: outgoing, signal };
      const { file, sha1 } = await pack({ file: plain, size }, options);
      return { file, sha1, encrypted: recipients !== 'none', isTemporary: true };
    } finally {
      await removed(plain);
    }
  }

  /** Whether an older version of the same day has the same content, and so the name that this one would have. */
  private async isAgain({ device, version, time }: UploadRecord, sha1: string): Promise<boolean> {
    const newestFirst = await this.deps.versions.list(device);
    const place = newestFirst.findIndex(({ id }) => id === version);
    const older = place < 0 ? [] : newestFirst.slice(place + 1);
    return older.some((other) => other.sha1 === sha1 && dayOf(other.time) === dayOf(time));
  }

  /** Whether the wall clock went on as time did, for a day at least: what is stored meanwhile is tidied up behind, too. */
  private isClockSteady(): boolean {
    const { wall, uptime } = this.seen;
    this.seen = this.times();
    const passed = (this.seen.uptime - uptime) * 1000;
    if (Math.abs(this.seen.wall - wall - passed) >= believedJump) {
      this.doubtful = this.seen.uptime + almostADay;
    }
    return this.seen.uptime >= this.doubtful;
  }

  private times() {
    return { wall: this.deps.clock.now(), uptime: this.deps.clock.uptime() };
  }
}

/** What is in it was checked when it was made; its name tells the content. */
function archived(file: string, record: UploadRecord): Packet {
  const { sha1, device, version } = record;
  if (sha1 !== undefined) return { file, sha1, encrypted: true, isTemporary: false };
  throw new Lost(record, new Error(`${device}: what is known of archive ${version} was lost`));
}

/** UTC, as names off site have it. */
function dayOf(time: string): string {
  return new Date(time).toISOString().slice(0, 10);
}

function isDamage(error: unknown): boolean {
  return error instanceof BackupError && error.code === 'damaged';
}

async function removed(file: string): Promise<void> {
  await rm(file, { force: true }).catch(() => undefined);
}
