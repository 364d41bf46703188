/**
 * The sinks in rack.yaml, each with its delivery. Edits of rack.yaml add and remove sinks; messages only for a removed sink go to the
 * others.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Sink } from '@skolo/alerts';
import { Receiver } from '@skolo/api';
import type { Spool } from '@skolo/base/durable';
import { type Clock, type Degraded, wallTime } from '@skolo/common';
import type { AlertEvent, EmitAlertEvent } from '../events.ts';
import type { ArrivedFile } from '../state/arrived.ts';
import {
  acceptedWith,
  lastHeartbeat,
  lastReceived,
  lastReceivedAt,
  type SuccessTimes,
} from '../state/success-times.ts';
import { Delivery, type DeliveryDeps, type DeliveryStatus, usualWindow } from './delivery.ts';

export interface SinkView extends DeliveryStatus {
  name: string;
  kind: 'pubsub' | 'file' | 'http';
  lastSuccess: number | undefined;
  wantsHeartbeat: boolean;
  lastHeartbeat: number | undefined;
}

/** A sink in rack.yaml. */
export interface ConfiguredSink {
  name: string;
  kind: SinkView['kind'];
  /** Its settings: when they change, the sink is created again. */
  settings: unknown;
  heartbeat: boolean;
  refreshes: boolean;
  /** Messages that wait only for this sink are dropped when the spool is full. */
  dropWhenFull: boolean;
  create(): Sink;
}

interface SinksDeps {
  deadLetters: DeliveryDeps['deadLetters'];
  intake: DeliveryDeps['intake'];
  times: SuccessTimes;
  arrived: ArrivedFile;
  clock: Clock;
  emit: EmitAlertEvent;
}

interface Entry {
  configured: ConfiguredSink;
  sink: Sink;
  /** Undefined while there is no spool. */
  delivery: Delivery | undefined;
  /** Why it does not accept heartbeats, and since when, in seconds of uptime. */
  heartbeatFailure?: { since: number; reason: string; detail: string } | undefined;
}

/** Memory for what waits for all sinks, in bytes. */
const mostWindows = 32 * 2 ** 20;

export class Sinks {
  private readonly deps: SinksDeps;
  /** What each sink reads ahead. */
  private readonly window = { ...usualWindow };
  private readonly entries = new Map<string, Entry>();
  private spool: Spool | undefined;
  private changing: Promise<void> = Promise.resolve();

  constructor(deps: SinksDeps) {
    this.deps = deps;
  }

  /** Adds and removes sinks, one edit of rack.yaml at a time. */
  async follow(configured: readonly ConfiguredSink[]): Promise<void> {
    this.changing = this.changing.then(() => this.followNow(configured));
    await this.changing;
  }

  /** Starts delivering what waits in the spool. */
  async open(spool: Spool): Promise<void> {
    this.changing = this.changing.then(() => {
      this.spool = spool;
      const from = this.updateCursors(new Set(this.entries.keys()));
      for (const entry of this.entries.values()) entry.delivery = this.deliver(entry, from);
    });
    await this.changing;
  }

  /** A sink has accepted messages. */
  noteSent(sink: string): void {
    const { times, arrived } = this.deps;
    const entry = this.entries.get(sink);
    if (entry === undefined) return;
    arrived.changed();
    times.mark(sink);
    times.markFirst(acceptedWith(entry.configured));
  }

  /** A sink has accepted a heartbeat. */
  noteHeartbeat(sink: string): void {
    const entry = this.entries.get(sink);
    if (entry === undefined) return;
    entry.heartbeatFailure = undefined;
    this.deps.times.mark(lastHeartbeat(sink));
  }

  noteHeartbeatFailure({
    sink,
    reason,
    why,
  }: Extract<AlertEvent, { type: 'heartbeat-failed' }>): void {
    const entry = this.entries.get(sink);
    if (entry === undefined) return;
    const since = entry.heartbeatFailure?.since ?? this.deps.clock.uptime();
    entry.heartbeatFailure = { since, reason, detail: `heartbeat: ${why}` };
  }

  /** The first message that some sink has not received. */
  get delivered(): number {
    const { spool } = this;
    if (spool === undefined) return 0;
    return Math.min(spool.next, ...[...this.entries.keys()].map((name) => cursorOf(spool, name)));
  }

  /** How long some sink has accepted nothing while messages of the spool wait, in seconds. */
  get outageSeconds(): number {
    const { times, clock } = this.deps;
    const outages = [...this.entries].map(([name, { delivery }]) => {
      const silence = (clock.now() - (times.get(name) ?? Number.NEGATIVE_INFINITY)) / 1000;
      return Math.min(delivery?.spooledSeconds ?? 0, silence);
    });
    return Math.max(0, ...outages);
  }

  /** Sends a refresh of these alerts to each sink that needs it. */
  refresh(fingerprints: readonly string[]): void {
    for (const { configured, delivery } of this.entries.values()) {
      if (configured.refreshes) delivery?.refresh(fingerprints);
    }
  }

  /** Sinks that receive heartbeats. */
  heartbeatTargets() {
    return [...this.entries.values()]
      .filter(({ configured }) => configured.heartbeat)
      .map((entry) => ({ sink: entry.sink, status: () => statusOf(entry) }));
  }

  views(): SinkView[] {
    const { times, clock } = this.deps;
    return [...this.entries].map(([name, entry]) => {
      const { configured, heartbeatFailure: failure } = entry;
      return {
        name,
        kind: configured.kind,
        wantsHeartbeat: configured.heartbeat,
        ...(failure && {
          reason: failure.reason,
          detail: failure.detail,
          failingSince: wallTime(clock, failure.since),
        }),
        ...statusOf(entry),
        lastSuccess: times.get(name),
        lastHeartbeat: times.get(lastHeartbeat(name)),
      };
    });
  }

  /** Sinks that do not accept their messages. */
  degraded(): Degraded[] {
    return this.views().flatMap(({ name, failingSince, detail = '', reason = '' }) =>
      failingSince === undefined
        ? []
        : [{ what: `sink ${name}`, why: `${reason}: ${detail}`, since: new Date(failingSince) }],
    );
  }

  /** Drops messages that wait only for sinks that may lose messages. */
  dropWaiting(): void {
    const { spool } = this;
    if (spool === undefined) return;
    const kept = [...this.entries].filter(([, { configured }]) => !configured.dropWhenFull);
    const cursors = [...this.entries.keys()].map((name) => cursorOf(spool, name));
    // If all sinks may lose messages, one of them must have received those that the others lose.
    const needed =
      kept.length === 0
        ? Math.max(...cursors)
        : Math.min(...kept.map(([name]) => cursorOf(spool, name)));
    for (const [name, { configured, delivery }] of this.entries) {
      if (!configured.dropWhenFull || cursorOf(spool, name) >= needed) continue;
      const count = delivery?.skipTo(needed) ?? 0;
      if (count > 0) this.deps.emit({ type: 'dropped', sink: name, count });
    }
  }

  async stop(withinMs: number): Promise<void> {
    await this.changing;
    await Promise.all([...this.entries.values()].map((entry) => this.end(entry, withinMs)));
    this.deps.times.write();
    await this.deps.arrived.close();
  }

  private async followNow(configured: readonly ConfiguredSink[]): Promise<void> {
    const names = new Set(configured.map(({ name }) => name));
    this.window.bytes = Math.min(usualWindow.bytes, mostWindows / Math.max(1, names.size));
    const removed = [...this.entries].filter(([name]) => !names.has(name));
    await Promise.all(removed.map(([, entry]) => this.end(entry, 1000)));
    // All in one step: the spool deletes what no sink needs.
    for (const [name] of removed) this.entries.delete(name);
    const receivers = Receiver.options.map(lastReceivedAt);
    const ofSinks = [...names].flatMap((name) => [name, lastHeartbeat(name)]);
    const accepted = configured.map(acceptedWith);
    this.deps.times.retain(new Set([lastReceived, ...receivers, ...ofSinks, ...accepted]));
    const from = this.updateCursors(names);
    for (const each of configured) {
      const entry = this.entries.get(each.name);
      if (entry !== undefined && isDeepStrictEqual(entry.configured.settings, each.settings)) {
        entry.configured = each;
        if (!each.heartbeat) entry.heartbeatFailure = undefined;
        continue;
      }
      if (entry !== undefined) {
        await this.end(entry, 5000);
        // What may have arrived at the previous address has not arrived at this one.
        this.deps.arrived.of(each.name).doubts.clear();
      }
      const created: Entry = { configured: each, sink: each.create(), delivery: undefined };
      created.delivery = this.deliver(created, from);
      this.entries.set(each.name, created);
      this.deps.emit({ type: 'sink-added', sink: each.name });
    }
  }

  /**
   * Removes the cursors of sinks that have left rack.yaml, even while this service was not running.
   *
   * @returns where a sink without a cursor begins: at the oldest message that no sink has received. So a failing sink may be removed once
   * another one exists. The first sinks ever receive all messages.
   */
  private updateCursors(names: ReadonlySet<string>): number {
    const { spool } = this;
    if (spool === undefined) return 0;
    const cursors = spool.cursors();
    for (const name of cursors.keys()) if (!names.has(name)) spool.removeCursor(name);
    this.deps.arrived.retain(new Set(spool.cursors().keys()));
    return Math.max(spool.first, ...cursors.values());
  }

  private deliver({ sink, configured }: Entry, from: number): Delivery | undefined {
    const { spool, window } = this;
    if (spool === undefined) return undefined;
    const { times, arrived, ...others } = this.deps;
    const hasAccepted = times.get(acceptedWith(configured)) !== undefined;
    const own = { hasAccepted, arrived: arrived.of(sink.name) };
    const made = new Delivery({ spool, sink, from, window, ...own, ...others });
    made.start();
    return made;
  }

  private async end({ sink, delivery }: Entry, withinMs: number): Promise<void> {
    await delivery?.stop(withinMs);
    await sink.close().catch((error: unknown) => {
      this.deps.emit({ type: 'sink-not-closed', sink: sink.name, error });
    });
  }
}

function statusOf({ delivery }: Entry): DeliveryStatus {
  return delivery?.status() ?? { depth: 0, oldestSeconds: 0, setAside: 0 };
}

function cursorOf(spool: Spool, name: string): number {
  return spool.cursor(name) ?? spool.first;
}
