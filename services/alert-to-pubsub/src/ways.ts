/** The ways out of the spool: a delivery for each sink of rack.yaml, which come and go with its edits. */
import { isDeepStrictEqual } from 'node:util';
import type { Sink, SinkReason } from '@skolo/alerts';
import { Receiver } from '@skolo/api';
import { type Clock, type Degraded, errorText, type LastSuccess, type Logger } from '@skolo/common';
import type { Spool } from '@skolo/durable';
import { Delivery, type DeliveryDeps, type DeliveryStatus } from './deliver.ts';
import type { Listener } from './heartbeat.ts';
import type { SinkView } from './view.ts';

/** A sink as rack.yaml wants it. */
export interface WantedSink {
  name: string;
  kind: SinkView['kind'];
  /** All that it is made of: when that changes, it is made anew. */
  made: unknown;
  heartbeat: boolean;
  /** What waits for it alone is dropped when the spool is full. */
  dropWhenFull: boolean;
  create(): Sink;
}

export interface WaysDeps {
  delivery: Pick<DeliveryDeps, 'deadLetters' | 'notice' | 'known' | 'clock' | 'log'>;
  lastSuccess: Pick<LastSuccess, 'get' | 'mark' | 'retain'>;
  clock: Clock;
  log: Logger;
  /** There is such a sink from here on. */
  onSink(sink: string): void;
  onSent(sink: string, messages: number, seconds: number): void;
  onFailed(sink: string, failure: { reason: SinkReason; code: string }): void;
  /** A message for this sink is a dead letter now. */
  onSetAside(sink: string, why: string): void;
  /** These sinks lost so many messages, since the spool was full. */
  onDropped(sink: string, count: number): void;
}

interface Way {
  wanted: WantedSink;
  sink: Sink;
  /** Undefined while there is no spool. */
  delivery: Delivery | undefined;
  /** Why it takes no heartbeats, and since when, in seconds of uptime. */
  silence?: { since: number; reason: string; detail: string } | undefined;
}

/** A time of last success is written to the disk this often at most: an idle rack writes little. */
const markEveryMs = 30 * 60_000;

/** What lives besides the sinks in the times of last success. */
export const heard = 'heard';

export function heardAt(receiver: Receiver): string {
  return `heard at ${receiver}`;
}

export class Ways {
  private readonly deps: WaysDeps;
  private readonly ways = new Map<string, Way>();
  /** When each thing last succeeded, in seconds of uptime. */
  private readonly succeeded = new Map<string, number>();
  private spool: Spool | undefined;
  private following: Promise<void> = Promise.resolve();

  constructor(deps: WaysDeps) {
    this.deps = deps;
  }

  /** Has the sinks that are wanted, one edit after the other. */
  async follow(wanted: readonly WantedSink[]): Promise<void> {
    this.following = this.following.then(() => this.followNow(wanted));
    await this.following;
  }

  /** There is a spool from here on: what waits in it is delivered. */
  async begin(spool: Spool): Promise<void> {
    this.following = this.following.then(() => this.beginNow(spool));
    await this.following;
  }

  /** The first message that some sink has not got; `next` of the spool when all have all. */
  get delivered(): number {
    const { spool } = this;
    if (spool === undefined) return 0;
    const places = [...this.ways.keys()].map((name) => placeOf(spool, name));
    return Math.min(spool.next, ...places);
  }

  /** How long the oldest message of the spool has waited, in seconds. */
  get oldestSeconds(): number {
    const waits = [...this.ways.values()].map(({ delivery }) => delivery?.spooledSeconds ?? 0);
    return Math.max(0, ...waits);
  }

  /** These alerts go on. */
  refresh(fingerprints: readonly string[]): void {
    for (const { delivery } of this.ways.values()) delivery?.refresh(fingerprints);
  }

  /** Those that want heartbeats. */
  listeners(): Listener[] {
    return [...this.ways.values()]
      .filter(({ wanted }) => wanted.heartbeat)
      .map((way) => ({ sink: way.sink, status: () => waitingFor(way) }));
  }

  /** A sink has taken a heartbeat. */
  heartbeat(name: string): void {
    const way = this.ways.get(name);
    if (way === undefined) return;
    way.silence = undefined;
    this.mark(heartbeatOf(name));
  }

  /** A sink has not taken one. */
  noHeartbeat(name: string, { reason, why }: { reason: string; why: string }): void {
    const way = this.ways.get(name);
    if (way === undefined) return;
    const since = way.silence?.since ?? this.deps.clock.uptime();
    way.silence = { since, reason, detail: `heartbeat: ${why}` };
  }

  views(): SinkView[] {
    return [...this.ways].map(([name, way]) => {
      const { wanted, silence } = way;
      return {
        name,
        kind: wanted.kind,
        wantsHeartbeat: wanted.heartbeat,
        ...(silence !== undefined && { ...silence, failingSince: this.wallTime(silence.since) }),
        ...waitingFor(way),
        lastSuccess: this.lastOf(name),
        lastHeartbeat: this.lastOf(heartbeatOf(name)),
      };
    });
  }

  /** Sinks that do not take what waits for them. */
  degraded(): Degraded[] {
    return this.views().flatMap(({ name, failingSince, detail = '', reason = '' }) =>
      failingSince === undefined
        ? []
        : [{ what: `sink ${name}`, why: `${reason}: ${detail}`, since: new Date(failingSince) }],
    );
  }

  /** What waits only for sinks that may lose it makes room. */
  makeRoom(): void {
    const { spool } = this;
    if (spool === undefined) return;
    const kept = [...this.ways].filter(([, { wanted }]) => !wanted.dropWhenFull);
    const needed = Math.min(spool.next, ...kept.map(([name]) => placeOf(spool, name)));
    for (const [name, { wanted, delivery }] of this.ways) {
      if (!wanted.dropWhenFull || placeOf(spool, name) >= needed) continue;
      const count = delivery?.skipTo(needed) ?? 0;
      if (count > 0) this.deps.onDropped(name, count);
    }
  }

  async stop(withinMs: number): Promise<void> {
    await this.following;
    await Promise.all([...this.ways.values()].map((way) => this.end(way, withinMs)));
    this.markAll();
  }

  /** It happens now; written to the disk from time to time only, and at the end. */
  mark(name: string): void {
    const { lastSuccess, clock } = this.deps;
    this.succeeded.set(name, clock.uptime());
    const age = clock.now() - (lastSuccess.get(name) ?? Number.NEGATIVE_INFINITY);
    if (age >= markEveryMs || age < 0) this.markAll();
  }

  /** Together, so that after a crash they still tell which came after which, and how much later. */
  private markAll() {
    const { lastSuccess, clock } = this.deps;
    const now = clock.uptime();
    for (const [name, at] of this.succeeded) lastSuccess.mark(name, now - at);
  }

  /** In milliseconds since 1970, by the wall clock of now. */
  private wallTime(uptime: number): number {
    const { clock } = this.deps;
    return clock.now() - (clock.uptime() - uptime) * 1000;
  }

  private lastOf(name: string): number | undefined {
    const at = this.succeeded.get(name);
    return at === undefined ? this.deps.lastSuccess.get(name) : this.wallTime(at);
  }

  private async followNow(wanted: readonly WantedSink[]) {
    const names = new Set(wanted.map(({ name }) => name));
    const left = [...this.ways].filter(([name]) => !names.has(name));
    await Promise.all(left.map(([, way]) => this.end(way, 1000)));
    // All at once: what nobody is there for is deleted from the spool.
    for (const [name] of left) this.ways.delete(name);
    const receivers = Receiver.options.map(heardAt);
    const kept = new Set([
      heard,
      ...receivers,
      ...[...names].flatMap((name) => [name, heartbeatOf(name)]),
    ]);
    this.deps.lastSuccess.retain(kept);
    for (const name of [...this.succeeded.keys()]) if (!kept.has(name)) this.succeeded.delete(name);
    const from = this.followPlaces(names);
    for (const each of wanted) {
      const way = this.ways.get(each.name);
      if (way !== undefined && isDeepStrictEqual(way.wanted.made, each.made)) {
        way.wanted = each;
        if (!each.heartbeat) way.silence = undefined;
        continue;
      }
      if (way !== undefined) await this.end(way, 5000);
      const sink = each.create();
      this.ways.set(each.name, { wanted: each, sink, delivery: this.deliver(sink, from) });
      this.deps.onSink(each.name);
    }
  }

  private beginNow(spool: Spool) {
    this.spool = spool;
    const from = this.followPlaces(new Set(this.ways.keys()));
    for (const way of this.ways.values()) way.delivery = this.deliver(way.sink, from);
  }

  /**
   * Forgets the places of sinks that have left rack.yaml, also while this service was not running.
   *
   * @returns where a sink begins that has no place: with what comes from now on. Those that come in the place of all others
   * begin where these were, and the first ones ever get all that is there.
   */
  private followPlaces(names: ReadonlySet<string>): number {
    const { spool } = this;
    if (spool === undefined) return 0;
    // Those that come after a time without any begin where the last ones were.
    if (names.size === 0) return spool.next;
    const places = [...spool.cursors()];
    const left = places.filter(([name]) => !names.has(name));
    for (const [name] of left) spool.removeCursor(name);
    if (places.length === 0) return spool.first;
    if (left.length < places.length) return spool.next;
    return Math.min(...left.map(([, place]) => place));
  }

  private deliver(sink: Sink, from: number): Delivery | undefined {
    const { spool } = this;
    if (spool === undefined) return undefined;
    const { delivery: deps, onSent, onFailed, onSetAside } = this.deps;
    const { name } = sink;
    const delivery = new Delivery({
      ...deps,
      spool,
      sink,
      from,
      onSent: ({ messages, seconds }) => {
        this.mark(name);
        onSent(name, messages, seconds);
      },
      onFailed: (failure) => onFailed(name, failure),
      onSetAside: (why) => onSetAside(name, why),
    });
    delivery.start();
    return delivery;
  }

  private async end({ sink, delivery }: Way, withinMs: number) {
    await delivery?.stop(withinMs);
    await sink.close().catch((error: unknown) => {
      this.deps.log.warn({ sink: sink.name, why: errorText(error) }, 'sink does not close');
    });
  }
}

function waitingFor({ delivery }: Way): DeliveryStatus {
  return delivery?.status() ?? { depth: 0, oldestSeconds: 0, setAside: 0 };
}

function placeOf(spool: Spool, name: string): number {
  return spool.cursor(name) ?? spool.first;
}

/** When this service last lived, as its heartbeats show. Milliseconds since 1970. */
export function lastAlive(
  lastSuccess: Pick<LastSuccess, 'get'>,
  sinks: readonly Pick<WantedSink, 'name'>[],
): number | undefined {
  const times = sinks.flatMap(({ name }) => lastSuccess.get(heartbeatOf(name)) ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

function heartbeatOf(sink: string): string {
  return `${sink} heartbeat`;
}
