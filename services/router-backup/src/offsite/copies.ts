/**
 * Off-site copies: a queue in the journal for each destination, so that it survives restarts and outages, and never delays a backup.
 *
 * The journal also records which versions a destination has. At start, the service queues missing versions, because the last process may
 * have died between storing a version and queueing it. A new destination receives the newest version of every device,
 * and the newest complete archive of the jumphost.
 */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupEquipment, OffsiteStatus } from '@skolo/api';
import { backupKeyId, type OffsitePlace, type Version } from '@skolo/backup';
import { type BackOffOptions, errorText, pause } from '@skolo/base';
import { type Journal, makeFolder, type TablesDeps } from '@skolo/base/durable';
import { readSecret, type Secret } from '@skolo/base/secrets';
import type { LastSuccess } from '@skolo/common';
import { backupKeyFile, type Rack } from '@skolo/rack';
import type { PartDeps } from '../part-deps.ts';
import { type Backend, gitBackend, type LocalVersions } from './backend.ts';
import {
  type Destination,
  destinationsOf,
  openMirror,
  openPlace,
  successOf,
} from './destination.ts';
import { ObjectBackend } from './object-backend.ts';
import { Queue, type WaitingCopy } from './queue.ts';
import { Sender } from './sender.ts';

export interface OffsiteCopiesDeps extends Pick<PartDeps, 'rack' | 'clock' | 'log' | 'emit'> {
  stateDir: string;
  tables: TablesDeps;
  versions: LocalVersions;
  lastSuccess: Pick<LastSuccess, 'mark' | 'get'>;
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  backOff?: BackOffOptions;
  openPlace?: (rack: Rack, isKnown: () => boolean) => Promise<OffsitePlace>;
}

/** A destination that is in use. */
interface Route {
  destination: Destination;
  sender: Sender;
}

const usualBackOff = { firstMs: 10_000, maxMs: 15 * 60_000 };
/** In the directory of outgoing files: the copy of the history for a git remote, which is kept. */
const mirror = 'mirror';

export class OffsiteCopies {
  private readonly deps: OffsiteCopiesDeps;
  private readonly queue: Queue;
  private readonly outgoing: string;
  private readonly routes = new Map<string, Route>();
  /** By destination: versions stored while its missing ones are being listed, to be queued after those. */
  private readonly late = new Map<string, Version[]>();
  private isStarted = false;
  private isAllMissing = false;
  /** Authenticates copies in buckets and directories, as last read. */
  private backupKey: Secret | undefined;
  private following: Promise<void> = Promise.resolve();

  constructor(deps: OffsiteCopiesDeps) {
    this.deps = deps;
    this.queue = new Queue(deps.tables);
    this.outgoing = join(deps.stateDir, 'outgoing');
  }

  /** Reads the queues. Returns the number of unreadable records. */
  load(journal: Journal): number {
    return this.queue.load(journal);
  }

  /** Sends all versions, not only the newest, because the journal no longer knows what the destinations have. Before `start`. */
  sendAll(): void {
    this.isAllMissing = true;
  }

  /** Starts sending, once the journal has been read. */
  async start(): Promise<void> {
    await this.clearOutgoing();
    this.isStarted = true;
    await this.follow();
  }

  /** Applies the current rack.yaml and backup key. A new key authenticates the newest versions at once. Never throws. */
  async follow(): Promise<void> {
    this.following = this.following.then(() => this.followNow());
    await this.following;
  }

  /** Writes what the journal rejected before. Never throws. */
  async flush(): Promise<void> {
    await this.queue.flush();
  }

  /** Stops sending; unsent versions stay in the journal. */
  async close(): Promise<void> {
    this.isStarted = false;
    await this.following;
    await Promise.all([...this.routes.values()].map(({ sender }) => sender.close()));
    this.routes.clear();
    await this.queue.flush();
  }

  /** Queues a new version. Never throws. */
  add(version: Version): void {
    for (const destination of this.destinationsFor(version.device)) {
      const { id } = destination;
      // Without a route, it is found when the missing versions are listed.
      if (!this.routes.has(id) || this.newest(destination, version.device) === version.id) continue;
      const late = this.late.get(id);
      if (late === undefined) void this.enqueue(id, [version]);
      else late.push(version);
    }
  }

  status(): OffsiteStatus[] {
    const { lastSuccess, rack } = this.deps;
    return destinationsOf(rack()).map((destination) => {
      const { id, kind, url } = destination;
      const last = lastSuccess.get(successOf(destination));
      return {
        kind,
        url,
        queued: this.queue.for(id).length,
        lastSuccess: last === undefined ? undefined : new Date(last).toISOString(),
        problem: this.routes.get(id)?.sender.problem,
      };
    });
  }

  /** Whether a version is in every destination. */
  stateOf(version: Version | undefined): BackupEquipment['offsite'] {
    if (version === undefined || this.destinationsFor(version.device).length === 0) return 'none';
    return this.isStored(version.device, version.id) ? 'stored' : 'queued';
  }

  /** Whether a device's newest version has arrived in each of its destinations. */
  isStored(device: string, version: string): boolean {
    return this.destinationsFor(device).every(
      (destination) => this.newest(destination, device) === version,
    );
  }

  /** A device's newest version in a destination. The current backup key must authenticate it, if there is one. */
  private newest({ id, kind }: Destination, device: string): string | undefined {
    return this.queue.newest(id, device, kind === 'upload' ? this.keyId : undefined);
  }

  /** A device's versions that wait for all of its destinations: they exist only in the rack. */
  unsent(device: string): WaitingCopy[] {
    const [first, ...others] = this.destinationsFor(device).map(({ id }) =>
      this.queue.for(id).filter((record) => record.device === device),
    );
    return (first ?? []).filter(({ version }) =>
      others.every((waiting) => waiting.some((record) => record.version === version)),
    );
  }

  /** The history was restored: the same versions have other IDs now, and there are more of them. Never throws. */
  async restored(ids: ReadonlyMap<string, string>): Promise<void> {
    await this.queue.rename(ids);
    await this.queueAllMissing();
  }

  private async queueAllMissing(): Promise<void> {
    for (const { destination, sender } of this.routes.values()) {
      await this.queueMissing(destination).catch(() => sender.checkAgain());
    }
  }

  private get keyId(): string | undefined {
    return this.backupKey && backupKeyId(this.backupKey);
  }

  private async readKey(): Promise<void> {
    const { rack, emit } = this.deps;
    let why: string | undefined;
    let key: Secret | undefined;
    if (destinationsOf(rack()).some(({ kind }) => kind === 'upload')) {
      try {
        key = await readSecret(rack(), backupKeyFile);
      } catch (error) {
        why = `copies are not authenticated, so whoever can write to their destination can replace them: ${errorText(error)}; run skolo secrets generate ${rack().name} backup-key, then push and apply the secrets`;
      }
    }
    this.backupKey = key;
    emit({ type: 'degraded', what: 'backup key', why });
  }

  private destinationsFor(device: string): Destination[] {
    return destinationsOf(this.deps.rack()).filter((each) => this.accepts(each, device));
  }

  /** A git remote does not receive archives, because they are not in the history. */
  private accepts({ kind }: Destination, device: string): boolean {
    return kind === 'upload' || !this.deps.versions.isArchived(device);
  }

  private async followNow(): Promise<void> {
    if (!this.isStarted) return;
    const { rack, log, emit } = this.deps;
    const before = this.keyId;
    await this.readKey();
    const wanted = new Map(destinationsOf(rack()).map((each) => [each.id, each]));
    for (const [id, { destination, sender }] of [...this.routes]) {
      if (wanted.get(id)?.settings === destination.settings) continue;
      await sender.close();
      this.routes.delete(id);
      emit({ type: 'degraded', what: destination.condition });
    }
    for (const [place, dropped] of await this.queue.retain(new Set(wanted.keys()))) {
      log.info(
        { place, dropped },
        'off-site copy was removed from rack.yaml; its queue was dropped',
      );
    }
    // A new destination is listed by its sender.
    if (this.keyId !== undefined && this.keyId !== before) await this.queueAllMissing();
    for (const destination of wanted.values()) {
      if (!this.routes.has(destination.id)) this.startSender(destination);
    }
  }

  private startSender(destination: Destination): void {
    const { queue } = this;
    const { clock, log, emit, lastSuccess } = this.deps;
    const sender = new Sender({
      clock,
      log,
      emit,
      lastSuccess,
      pause: this.deps.pause ?? pause,
      backOff: this.deps.backOff ?? usualBackOff,
      destination,
      queue,
      backend: this.backendOf(destination),
      queueMissing: () => this.queueMissing(destination),
    });
    this.late.set(destination.id, []);
    this.routes.set(destination.id, { destination, sender });
    sender.start();
  }

  private backendOf({ id, kind }: Destination): Backend {
    const { outgoing } = this;
    const { rack, stateDir, clock, log, versions, openPlace: open = openPlace } = this.deps;
    if (kind === 'git') {
      const folders = { history: join(stateDir, 'repository'), folder: join(outgoing, mirror) };
      return gitBackend(() => openMirror(rack(), folders));
    }
    return new ObjectBackend({
      rack,
      clock,
      log,
      versions,
      outgoing,
      backupKey: () => this.backupKey,
      open: () => open(rack(), () => this.queue.isKnown(id)),
    });
  }

  /**
   * Queues the versions that a destination should have but that are neither queued nor stored in it, or not with this key. Archives first:
   * they can be sent even if the history is unusable.
   */
  private async queueMissing(destination: Destination): Promise<void> {
    const { versions } = this.deps;
    const { id: place } = destination;
    const late = this.late.get(place) ?? [];
    this.late.set(place, late);
    const archived = await this.queueMissingOf(destination, await versions.inArchives());
    const inHistory = await this.queueMissingOf(destination, await versions.inHistory());
    const listed = new Set([...archived, ...inHistory]);
    this.late.delete(place);
    // Versions that were not listed are newer than the lists.
    const newer = late.filter(({ id }) => !listed.has(id));
    await this.enqueue(place, newer);
  }

  /** @returns IDs of all versions of these devices */
  private async queueMissingOf(
    destination: Destination,
    devices: readonly string[],
  ): Promise<string[]> {
    const { id: place } = destination;
    const listed: string[] = [];
    for (const device of devices) {
      if (!this.accepts(destination, device)) continue;
      const newestFirst = await this.deps.versions.list(device);
      listed.push(...newestFirst.map(({ id }) => id));
      const complete = newestFirst.findIndex(({ isPartial }) => !isPartial);
      const few = Math.max(0, complete) + 1;
      const newest = this.queue.newest(place, device);
      const isAgain = newest !== this.newest(destination, device);
      const ofDevice = this.queue.for(place).filter((record) => record.device === device);
      // What waits is queued again, so that it stays in order.
      if (isAgain) await this.queue.drop(...ofDevice.splice(0));
      const known = new Set([newest, ...ofDevice.map(({ version }) => version)]);
      const isNew = !this.isAllMissing && newest === undefined && ofDevice.length === 0;
      const last = newestFirst.findIndex(({ id }) => known.has(id));
      const end = isNew ? few : last < 0 ? undefined : isAgain ? Math.max(last + 1, few) : last;
      await this.enqueue(place, newestFirst.slice(0, end).reverse());
    }
    return listed;
  }

  private async enqueue(place: string, versions: readonly Version[]): Promise<void> {
    // Durable before it is sent: a destination with versions that the journal does not know would count as new.
    await this.queue.add(place, versions);
    this.routes.get(place)?.sender.wake();
  }

  /** Removes what the last process was sending. */
  private async clearOutgoing(): Promise<void> {
    try {
      await makeFolder(this.outgoing);
      for (const name of await readdir(this.outgoing)) {
        if (name !== mirror) await rm(join(this.outgoing, name), { recursive: true, force: true });
      }
    } catch (error) {
      this.deps.log.warn(
        { why: errorText(error) },
        'directory of outgoing files cannot be emptied',
      );
    }
  }
}
