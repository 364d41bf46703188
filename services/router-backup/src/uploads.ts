/**
 * What has to leave the rack: a queue in the journal for each place off site, so that it outlives restarts and outages,
 * and never keeps a backup waiting.
 *
 * What a place has already is in the journal, too. What is missing there, because this process died between storing a
 * version and queueing it, is made up for when it starts; a place that is new gets the newest version of every device.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
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
import { type Change, type Journal, Table, Tables, type TablesDeps } from '@skolo/durable';
import type { Rack } from '@skolo/rack';
import type { Offsite } from './offsite.ts';
import type { Carrier, LocalVersions } from './uploads/carrier.ts';
import { Courier } from './uploads/courier.ts';
import { type Destination, destinationsOf, openMirror, openPlace } from './uploads/destination.ts';
import { GitCarrier } from './uploads/git-carrier.ts';
import { ObjectCarrier } from './uploads/object-carrier.ts';
import { StoredRecord, UploadRecord } from './uploads/records.ts';

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
}

const usualBackOff = { firstMs: 10_000, maxMs: 15 * 60_000 };
const aDay = 24 * 3600;

export class Uploads implements Offsite {
  private readonly deps: UploadsDeps;
  private readonly queue: Table<UploadRecord>;
  private readonly stored: Table<StoredRecord>;
  private readonly tables: Tables;
  private readonly ways = new Map<string, Way>();
  private number = 0;
  private isStarted = false;
  private following: Promise<void> = Promise.resolve();

  constructor(deps: UploadsDeps) {
    this.deps = deps;
    this.queue = new Table('upload', UploadRecord, ({ number }) => keyOf(number));
    this.stored = new Table('stored', StoredRecord, ({ place, device }) => `${place} ${device}`);
    this.tables = new Tables([this.queue, this.stored], deps);
  }

  /** Reads what waited. Gives the number of records that cannot be understood. */
  async load(journal: Journal): Promise<number> {
    const unreadable = await this.tables.load(journal);
    for (const { number } of this.queue.all.values()) this.number = Math.max(this.number, number);
    return unreadable;
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
    await this.tables.flush();
  }

  /** Stops sending; what has not left waits in the journal. */
  async close(): Promise<void> {
    this.isStarted = false;
    await this.following;
    await Promise.all([...this.ways.values()].map(({ courier }) => courier.close()));
    this.ways.clear();
    await this.tables.flush();
  }

  add(version: Version): void {
    const places = destinationsOf(this.deps.rack()).filter((place) => this.takes(place, version));
    void this.enqueue(places.map((place) => ({ place, version })));
  }

  status(): OffsiteStatus[] {
    const { lastSuccess, rack } = this.deps;
    return destinationsOf(rack()).map(({ id, kind, url }) => {
      const last = lastSuccess.get(successOf(url));
      const problem = this.ways.get(id)?.problem;
      return {
        kind,
        url,
        queued: this.waitingFor(id).length,
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
      .every(({ id }) => this.stored.get(`${id} ${device}`)?.version === version);
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
    await this.forget((place) => !wanted.has(place));
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
      courier: new Courier({
        url,
        carrier: this.carrierTo(destination),
        waiting: () => this.waitingFor(id),
        makeUp: () => this.makeUp(destination),
        sent: (records) => this.arrived(records),
        lost: (record) => this.tables.keep([this.queue.remove(keyOf(record.number))]),
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
    if (kind === 'git') return new GitCarrier(() => openMirror(rack(), stateDir));
    const open = this.deps.openPlace ?? openPlace;
    const isKnown = () => [...this.stored.all.values()].some(({ place }) => place === id);
    return new ObjectCarrier({
      rack,
      versions,
      outgoing: this.outgoing,
      open: () => open(rack(), isKnown),
      clock,
      log,
    });
  }

  /** Queues what a place should have, and neither has nor waits for. */
  private async makeUp(destination: Destination): Promise<void> {
    const { versions } = this.deps;
    const missing: Version[] = [];
    for (const device of await versions.devices()) {
      if (!this.takes(destination, { device })) continue;
      const has = this.stored.get(`${destination.id} ${device}`)?.version;
      const waits = new Set(
        this.waitingFor(destination.id)
          .filter((record) => record.device === device)
          .map(({ version }) => version),
      );
      const isNew = has === undefined && waits.size === 0;
      const newer: Version[] = [];
      for (const version of await versions.list(device, isNew ? 1 : undefined)) {
        if (version.id === has || waits.has(version.id)) break;
        newer.push(version);
      }
      missing.push(...newer.reverse());
    }
    await this.enqueue(missing.map((version) => ({ place: destination, version })));
  }

  private async enqueue(wanted: { place: Destination; version: Version }[]): Promise<void> {
    const changes: Change[] = [];
    for (const { place, version } of wanted) {
      const { id, device, time, sha1, model } = version;
      const isThere = this.stored.get(`${place.id} ${device}`)?.version === id;
      const waits = this.waitingFor(place.id).some((record) => record.version === id);
      if (isThere || waits) continue;
      this.number += 1;
      const record: UploadRecord = {
        number: this.number,
        place: place.id,
        device,
        version: id,
        time,
        ...(sha1 !== undefined && { sha1 }),
        ...(model !== undefined && { model }),
      };
      changes.push(this.queue.put(record));
    }
    if (changes.length === 0) return;
    await this.tables.keep(changes);
    for (const { courier } of this.ways.values()) courier.wake();
  }

  private async arrived(records: readonly UploadRecord[]): Promise<void> {
    for (const { place, device, version } of records) {
      this.deps.log.info({ place, device, version }, 'version has left the rack');
    }
    await this.tables.keep(
      records.flatMap(({ number, place, device, version }) => [
        this.queue.remove(keyOf(number)),
        this.stored.put({ place, device, version }),
      ]),
    );
  }

  /** What rack.yaml no longer names. */
  private async forget(isGone: (place: string) => boolean): Promise<void> {
    const waiting = [...this.queue.all.values()].filter(({ place }) => isGone(place));
    const stored = [...this.stored.all.values()].filter(({ place }) => isGone(place));
    for (const gone of new Set([...waiting, ...stored].map(({ place }) => place))) {
      const dropped = waiting.filter(({ place }) => place === gone).length;
      this.deps.log.info(
        { place: gone, dropped },
        'place off site has left rack.yaml; what waited for it is dropped',
      );
    }
    const changes = [
      ...waiting.map(({ number }) => this.queue.remove(keyOf(number))),
      ...stored.map(({ place, device }) => this.stored.remove(`${place} ${device}`)),
    ];
    if (changes.length > 0) await this.tables.keep(changes);
  }

  /** The oldest first. */
  private waitingFor(id: string): UploadRecord[] {
    return [...this.queue.all.values()]
      .filter(({ place }) => place === id)
      .sort((a, b) => a.number - b.number);
  }

  private get outgoing(): string {
    return join(this.deps.stateDir, 'outgoing');
  }

  /** What a process before this one was sending. */
  private async clearOutgoing(): Promise<void> {
    const { log } = this.deps;
    try {
      await mkdir(this.outgoing, { recursive: true, mode: 0o700 });
      for (const name of await readdir(this.outgoing)) {
        await rm(join(this.outgoing, name), { recursive: true, force: true });
      }
    } catch (error) {
      log.warn({ why: errorText(error) }, 'folder of outgoing files cannot be cleared');
    }
  }
}

/** So that keys are in the order of the numbers. */
function keyOf(number: number): string {
  return String(number).padStart(12, '0');
}

function successOf(url: string): string {
  return `offsite ${url}`;
}

function troubleOf({ kind }: Destination): string {
  return kind === 'git' ? 'git remote' : 'upload';
}
