/**
 * What has to leave the rack: a queue in the journal for each place off site, so that it outlives restarts and outages,
 * and never keeps a backup waiting.
 *
 * What a place has already is in the journal, too. What is missing there, because this process died between storing a
 * version and queueing it, is made up for when it starts; a place that is new gets the newest version of every device.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupDevice, OffsiteStatus } from '@skolo/api';
import type { OffsitePlace, Version } from '@skolo/backup';
import {
  type BackOffOptions,
  type Clock,
  type DegradedList,
  errorText,
  type LastSuccess,
  type Logger,
  pause,
} from '@skolo/common';
import type { Journal, TablesDeps } from '@skolo/durable';
import { makeFolder } from '@skolo/durable';
import type { Rack } from '@skolo/rack';
import type { Offsite } from './offsite.ts';
import type { Carrier, LocalVersions } from './uploads/carrier.ts';
import { Courier } from './uploads/courier.ts';
import { type Destination, destinationsOf, openMirror, openPlace } from './uploads/destination.ts';
import { GitCarrier } from './uploads/git-carrier.ts';
import { ObjectCarrier } from './uploads/object-carrier.ts';
import { Queue } from './uploads/queue.ts';
import type { UploadRecord } from './uploads/records.ts';

export interface UploadsDeps extends TablesDeps {
  rack: () => Rack;
  stateDir: string;
  versions: LocalVersions;
  lastSuccess: Pick<LastSuccess, 'mark' | 'get'>;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  clock: Clock;
  log: Logger;
  /** Between attempts, and between the days on which old copies are looked for. */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  backOff?: BackOffOptions;
  openPlace?: (rack: Rack, isKnown: () => boolean) => Promise<OffsitePlace>;
}

interface Way {
  destination: Destination;
  courier: Courier;
  problem: string | undefined;
  /** Stored while what is missing there was being found out, and to be sent behind that. Undefined: it is known. */
  late: Version[] | undefined;
}

const usualBackOff = { firstMs: 10_000, maxMs: 15 * 60_000 };
const aDay = 24 * 3600;
/** In the folder of outgoing files: the copy of the history for a git remote, which stays. */
const mirror = 'mirror';

export class Uploads implements Offsite {
  private readonly deps: UploadsDeps;
  private readonly queue: Queue;
  private readonly ways = new Map<string, Way>();
  private isStarted = false;
  private isAllMissing = false;
  private following: Promise<void> = Promise.resolve();

  constructor(deps: UploadsDeps) {
    this.deps = deps;
    this.queue = new Queue(deps);
  }

  /** Reads what waited. Gives the number of records that cannot be understood. */
  load(journal: Journal): number {
    return this.queue.load(journal);
  }

  /** What the places have is not known any more: not only the newest versions are sent to them. Before `start`. */
  sendAll(): void {
    this.isAllMissing = true;
  }

  /** Begins to send, once the journal is read. */
  async start(): Promise<void> {
    await this.clearOutgoing();
    this.isStarted = true;
    await this.follow();
  }

  /** Does as rack.yaml says now. */
  async follow(): Promise<void> {
    this.following = this.following.then(() => this.followNow());
    await this.following;
  }

  /** Writes what the journal did not take. Never throws. */
  async flush(): Promise<void> {
    await this.queue.flush();
  }

  /** Stops sending; what has not left waits in the journal. */
  async close(): Promise<void> {
    this.isStarted = false;
    await this.following;
    await Promise.all([...this.ways.values()].map(({ courier }) => courier.close()));
    this.ways.clear();
    await this.queue.flush();
  }

  add(version: Version): void {
    for (const place of destinationsOf(this.deps.rack())) {
      // Before that, it is found when what is missing there is made up for.
      const way = this.ways.get(place.id);
      if (way === undefined || !this.takes(place, version)) continue;
      if (way.late !== undefined) way.late.push(version);
      else void this.enqueue(place.id, [version]);
    }
  }

  status(): OffsiteStatus[] {
    const { lastSuccess, rack } = this.deps;
    return destinationsOf(rack()).map(({ id, kind, url }) => {
      const last = lastSuccess.get(successOf(url));
      const problem = this.ways.get(id)?.problem;
      return {
        kind,
        url,
        queued: this.queue.for(id).length,
        ...(last !== undefined && { lastSuccess: new Date(last).toISOString() }),
        ...(problem !== undefined && { problem }),
      };
    });
  }

  stateOf(version: Version | undefined): BackupDevice['offsite'] {
    if (version === undefined) return 'none';
    const places = destinationsOf(this.deps.rack()).filter((place) => this.takes(place, version));
    if (places.length === 0) return 'none';
    return this.isStored(version.device, version.id) ? 'stored' : 'queued';
  }

  /** Whether the newest version of a device has arrived in every place that takes it. */
  isStored(device: string, version: string): boolean {
    return destinationsOf(this.deps.rack())
      .filter((place) => this.takes(place, { device }))
      .every(({ id }) => this.queue.newest(id, device) === version);
  }

  /** Versions of a device that wait for every place that takes it: they are nowhere but in the rack. */
  unsent(device: string): UploadRecord[] {
    const [first, ...others] = destinationsOf(this.deps.rack())
      .filter((place) => this.takes(place, { device }))
      .map(({ id }) => this.queue.for(id).filter((record) => record.device === device));
    return (first ?? []).filter(({ version }) =>
      others.every((waiting) => waiting.some((record) => record.version === version)),
    );
  }

  /** The history was restored: the same versions have other ids now, and there are more of them. Never throws. */
  async restored(ids: ReadonlyMap<string, string>): Promise<void> {
    await this.queue.rename(ids);
    for (const way of this.ways.values()) {
      await this.makeUp(way).catch((error: unknown) => {
        const { url: place } = way.destination;
        this.deps.log.warn({ place, why: errorText(error) }, 'what is missing there is not known');
      });
    }
  }

  /** Names of what succeeds, in `LastSuccess`. */
  successes(): string[] {
    return destinationsOf(this.deps.rack()).map(({ url }) => successOf(url));
  }

  /** Archives are in no history. */
  private takes({ kind }: Destination, { device }: Pick<Version, 'device'>): boolean {
    return kind === 'upload' || !this.deps.versions.isArchived(device);
  }

  private async followNow(): Promise<void> {
    if (!this.isStarted) return;
    const wanted = new Map(destinationsOf(this.deps.rack()).map((place) => [place.id, place]));
    for (const [id, { destination, courier }] of [...this.ways]) {
      if (wanted.get(id)?.settings === destination.settings) continue;
      await courier.close();
      this.ways.delete(id);
      this.deps.degraded.clear(troubleOf(destination));
    }
    for (const [place, dropped] of await this.queue.retain(new Set(wanted.keys()))) {
      this.deps.log.info(
        { place, dropped },
        'place off site has left rack.yaml; what waited for it is dropped',
      );
    }
    for (const destination of wanted.values()) {
      if (!this.ways.has(destination.id)) this.begin(destination);
    }
  }

  private begin(destination: Destination): void {
    const { clock, log, degraded, lastSuccess, backOff = usualBackOff } = this.deps;
    const { id, url } = destination;
    const trouble = troubleOf(destination);
    const way: Way = {
      destination,
      problem: undefined,
      late: [],
      courier: new Courier({
        url,
        carrier: this.carrierTo(destination),
        waiting: () => this.queue.for(id),
        makeUp: () => this.makeUp(way),
        sent: (records) => this.arrived(records),
        lost: (record) => this.queue.drop(record),
        onSuccess: () => lastSuccess.mark(successOf(url)),
        onProblem(why) {
          way.problem = why;
          if (why === undefined) degraded.clear(trouble);
          else degraded.raise(trouble, why);
        },
        clock,
        log,
        pause: this.deps.pause ?? pause,
        backOff,
        tidyEvery: aDay,
      }),
    };
    this.ways.set(id, way);
    way.courier.start();
  }

  private carrierTo({ id, kind }: Destination): Carrier {
    const { rack, versions, stateDir, clock, log } = this.deps;
    if (kind === 'git')
      return new GitCarrier(() =>
        openMirror(rack(), {
          history: join(stateDir, 'repository'),
          folder: join(this.outgoing, mirror),
        }),
      );
    const open = this.deps.openPlace ?? openPlace;
    return new ObjectCarrier({
      rack,
      versions,
      outgoing: this.outgoing,
      open: () => open(rack(), () => this.queue.isKnown(id)),
      clock,
      log,
    });
  }

  /** Queues what a place should have, and neither has nor waits for. */
  private async makeUp(way: Way): Promise<void> {
    const { versions } = this.deps;
    const { destination } = way;
    const { id: place } = destination;
    const missing: Version[] = [];
    const listed = new Set<string>();
    for (const device of await versions.devices()) {
      if (!this.takes(destination, { device })) continue;
      const has = this.queue.newest(place, device);
      const ofDevice = this.queue.for(place).filter((record) => record.device === device);
      const known = new Set([has, ...ofDevice.map(({ version }) => version)]);
      const isNew = !this.isAllMissing && has === undefined && ofDevice.length === 0;
      const newestFirst = await versions.list(device);
      for (const { id } of newestFirst) listed.add(id);
      const last = newestFirst.findIndex(({ id }) => known.has(id));
      const end = isNew ? 1 : last < 0 ? undefined : last;
      missing.push(...newestFirst.slice(0, end).reverse());
    }
    // What is in no list came after it.
    const late = (way.late ?? []).filter(({ id }) => !listed.has(id));
    way.late = undefined;
    await this.enqueue(place, [...missing, ...late]);
  }

  private async enqueue(place: string, versions: readonly Version[]): Promise<void> {
    // On the disk first: what a place has and the journal knows nothing of, the next process takes for a new place.
    await this.queue.add(place, versions);
    this.ways.get(place)?.courier.wake();
  }

  private async arrived(records: readonly UploadRecord[]): Promise<void> {
    for (const { place, device, version } of records) {
      this.deps.log.info({ place, device, version }, 'version has left the rack');
    }
    await this.queue.arrived(records);
  }

  private get outgoing(): string {
    return join(this.deps.stateDir, 'outgoing');
  }

  /** What a process before this one was sending. */
  private async clearOutgoing(): Promise<void> {
    const { log } = this.deps;
    try {
      await makeFolder(this.outgoing);
      for (const name of await readdir(this.outgoing)) {
        if (name !== mirror) await rm(join(this.outgoing, name), { recursive: true, force: true });
      }
    } catch (error) {
      log.warn({ why: errorText(error) }, 'folder of outgoing files cannot be cleared');
    }
  }
}

function successOf(url: string): string {
  return `offsite ${url}`;
}

function troubleOf({ kind }: Destination): string {
  return kind === 'git' ? 'git remote' : 'upload';
}
