/**
 * Turns received alerts into messages in the spool, group by group, with limits: how many alerts are known in total, and per machine.
 * Requests that arrive while a group is written form the next one, up to half a megabyte, and share one sync. The known alerts change
 * only once the messages are in the spool.
 */

import { setImmediate as turn } from 'node:timers/promises';
import type { AlertMessage, SpooledMessage } from '@skolo/alerts';
import { count, errorText, isObject } from '@skolo/base';
import { GroupCommit, type Spool } from '@skolo/base/durable';
import { hangingDisk } from '@skolo/base/durable/disk';
import { type Clock, isOfRack, type Presence, wallTime } from '@skolo/common';
import type { AlertToPubsubSettings, Rack } from '@skolo/rack';
import type { EmitAlertEvent } from '../events.ts';
import { mostAlertMemory } from '../receive/alert.ts';
import {
  type AcceptAlerts,
  type Batch,
  countInvalid,
  type Received,
  type ReceivedAlert,
  receivedOf,
} from '../receive/batch.ts';
import { pathOf } from '../receive/messages.ts';
import { full, Rejection } from '../receive/rejection.ts';
import type { Capacity } from '../state/capacity.ts';
import type { DeadLetters } from '../state/dead-letters.ts';
import { createIds, type NewId } from '../state/ids.ts';
import {
  isRefreshDue,
  type Moment,
  memoryOf,
  messageOfNow,
  mostKnownMemory,
  pass,
  refreshOf,
  startsLater,
  type Tracked,
  type Update,
  update,
} from '../state/known-alerts.ts';
import { fit, shorten } from '../state/shorten.ts';
import { Draft } from './draft.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { NoticeDraft } from './notices.ts';
import { Reported } from './reported.ts';

export interface IntakeDeps {
  rack?: () => Pick<Rack, 'name'>;
  settings(): AlertToPubsubSettings;
  capacity: Pick<Capacity, 'rejection' | 'wrote'>;
  deadLetters: Pick<DeadLetters, 'add'>;
  clock: Clock;
  emit: EmitAlertEvent;
  /**
   * Returns when the Alertmanager with this `externalURL` was started, in milliseconds since 1970, or undefined if it does not say. It
   * then knew no alerts.
   */
  senderStart?: (externalURL: string) => Promise<number | undefined>;
  /** The first message ID. */
  firstId?: number;
  /** How much memory known alerts may take, including recently resolved ones, in bytes. */
  mostMemory?: number;
  /** How many of them may have the same `machine` label. */
  mostOfMachine?: number;
}

/** A change that is written completely or not at all. */
interface Job {
  /** Computes the change, and returns what to do once it is written. Never throws. */
  draw(draft: Draft): (() => void) | undefined;
  /** What it is computed from. */
  bytes: number;
}

/** Most alerts of one machine: ten times what one can raise under kube/base. */
const usualMostOfMachine = 200;
const tooLong = `cut, because the alert requires more than ${mostAlertMemory / 1024} KiB of memory`;
/** Of an alert in a dead letter, in bytes, so that its text is not cut. */
const mostLetterMemory = 48 * 1024;
/** Characters of a group's name in a notice. */
const mostShown = 1000;
/** How much is read and written at once, in bytes of requests. Meanwhile, waiting requests stay outside the heap. */
const mostAtOnce = 2 ** 19;

export class Intake implements AcceptAlerts {
  /** By fingerprint. */
  readonly alerts = new Map<string, Tracked>();
  /** The sequence number of the first message that is not yet in `alerts`. */
  next = 1;
  private readonly deps: IntakeDeps;
  private readonly reported: Reported;
  private readonly newId: NewId;
  /**
   * Requests that wait until Alertmanager says when it was started, by the fingerprints of the alerts that depend on it. A later request
   * about one of them is newer, and takes its place.
   */
  private readonly undecided = new Map<string, symbol>();
  private spool: Pick<Spool, 'append'> | undefined;
  /** Of the known alerts, in bytes. */
  private memory = 0;
  /** In seconds of uptime. */
  private tickedAt: number;
  /** Since when this process has accepted alerts, in seconds of uptime. */
  private openedAt: number;
  /**
   * After a turn of the event loop, so that requests that arrive together share the first sync, too. A large request may contain only
   * repeats, which take no space.
   */
  private readonly commits = new GroupCommit<Job, ReturnType<Job['draw']>>(
    (jobs) => this.writeAll(jobs),
    { mostAtOnce, gather: turn, isEachTried: true },
  );

  constructor(deps: IntakeDeps) {
    this.deps = deps;
    this.tickedAt = deps.clock.uptime();
    this.openedAt = this.tickedAt;
    this.reported = new Reported(() => deps.clock.uptime());
    this.newId = createIds(deps.firstId);
  }

  /** Accepts alerts from here on. */
  open(spool: Pick<Spool, 'append'>): void {
    this.spool = spool;
    this.openedAt = this.deps.clock.uptime();
    this.memory = [...this.alerts.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async accept(read: () => Batch, bytes: number): Promise<Received> {
    const request = Symbol('request');
    // The batch is read in its turn, and not kept: V8 would repeatedly copy the alerts of all waiting requests.
    const taken = await this.enqueue((draft) => {
      const batch = read();
      const later = this.laterStarts(draft, batch);
      const drawn = this.draw(draft, this.separate(batch, later, request));
      const received = receivedOf(batch, this.deps.clock.now(), this.deps.rack?.());
      received.stripped += drawn.stripped;
      return { received, later, externalURL: batch.group?.externalURL, ...drawn };
    }, bytes);
    const { received, later, externalURL = '' } = taken;
    let { leftOut, overShare } = taken;
    if (later.size > 0) {
      const senderStart = await this.deps.senderStart?.(externalURL);
      const drawn = await this.enqueue(
        (draft) => this.draw(draft, this.undecidedOf(read(), request), senderStart),
        bytes,
      ).finally(() => this.decided(later, request));
      leftOut += drawn.leftOut;
      overShare += drawn.overShare;
      received.stripped += drawn.stripped;
    }
    this.deps.emit({ type: 'received', received, leftOut, overShare });
    if (leftOut > 0) throw this.tooMany(leftOut);
    return received;
  }

  /**
   * Appends a notice, for those who read the messages.
   *
   * @throws Rejection
   */
  async notify(notice: NoticeDraft): Promise<void> {
    await this.enqueue((draft) => this.addNotice(draft, notice));
  }

  /**
   * Appends messages that one sink has not received, followed by the current state of each alert. Shortens messages that an earlier version
   * has kept without a limit.
   *
   * @throws Rejection
   */
  async resend(messages: readonly SpooledMessage[], sink: string): Promise<void> {
    await this.enqueue((draft) => {
      const latest = new Map<string, AlertMessage>();
      for (const message of messages) {
        if (message.kind !== 'notice') fit(message);
        this.add(draft, { ...message, sink });
        if (message.kind !== 'notice') latest.set(message.alert.fingerprint, message);
      }
      for (const [fingerprint, late] of latest) {
        const known = draft.get(fingerprint)?.known;
        const now = messageOfNow(late, known, this.moment(), this.newId);
        if (now !== undefined) this.add(draft, { ...now, sink });
      }
    });
  }

  /**
   * Expires alerts that were not repeated in time.
   *
   * @returns alerts that are due for a refresh
   * @throws Rejection It is done next time.
   */
  async tick(): Promise<string[]> {
    const before = this.tickedAt;
    const moment = this.moment();
    const due = await this.enqueue((draft) => this.pass(draft, before, moment));
    this.tickedAt = moment.uptime;
    return due;
  }

  /**
   * Applies what no sender has sent.
   *
   * @param read gets the current alerts, and may be called again
   * @throws Rejection
   */
  async apply(read: (current: Pick<Draft, 'get'>) => readonly Batch[]): Promise<void> {
    await this.enqueue((draft) => {
      for (const batch of read(draft)) this.draw(draft, batch);
    });
  }

  /** A message that the alert still fires. Undefined: it does not. */
  refreshOf(fingerprint: string): AlertMessage | undefined {
    return refreshOf(this.alerts.get(fingerprint), this.moment(), this.newId);
  }

  /** Advances the time: alerts expire. Returns those that are due for a refresh. */
  private pass(draft: Draft, before: number, moment: Moment): string[] {
    const settings = this.deps.settings();
    const { presence } = this.deps.clock;
    const ageOf: Presence['ageOf'] = (since, limit) => presence.ageOf(since, limit);
    const due: string[] = [];
    for (const [fingerprint, tracked] of draft.known()) {
      const change = pass(tracked, moment, settings, this.newId, ageOf);
      if (change === 'forget') draft.forget(fingerprint);
      else if (change !== undefined) {
        draft.set(fingerprint, change.tracked);
        for (const message of change.messages) this.add(draft, message);
      } else if (isRefreshDue(tracked, before, moment, settings)) {
        draft.set(fingerprint, { ...tracked, messageAt: moment.uptime });
        due.push(fingerprint);
      }
    }
    return due;
  }

  /** Fulfilled when nothing is in progress. */
  async close(): Promise<void> {
    await this.commits.idle();
  }

  /** Returns the fingerprints of the webhook's alerts that fire, and start later than the known ones. */
  private laterStarts(draft: Draft, { endpoint, alerts }: Batch): Set<string> {
    const later = new Set<string>();
    if (endpoint !== 'webhook') return later;
    for (const alert of alerts) {
      if (alert.status === 'resolved') continue;
      const fingerprint = this.fingerprintOf(alert);
      const known = draft.get(fingerprint)?.known;
      if (known?.alert.status !== 'firing') continue;
      if (startsLater(known, alert, endpoint, this.deps.clock.now())) later.add(fingerprint);
    }
    return later;
  }

  /** Returns what can be applied now. The request waits with the others, and those before it no longer do. */
  private separate(batch: Batch, later: ReadonlySet<string>, request: symbol): Batch {
    if (later.size === 0 && this.undecided.size === 0) return batch;
    const alerts = batch.alerts.filter((alert) => {
      const fingerprint = this.fingerprintOf(alert);
      this.undecided.delete(fingerprint);
      return !later.has(fingerprint);
    });
    for (const fingerprint of later) this.undecided.set(fingerprint, request);
    return { ...batch, alerts };
  }

  /** Returns what is left of a request that has waited. */
  private undecidedOf(batch: Batch, request: symbol): Batch {
    const alerts = batch.alerts.filter(
      (alert) => this.undecided.get(this.fingerprintOf(alert)) === request,
    );
    return { ...batch, alerts, bad: [], truncated: 0 };
  }

  private decided(fingerprints: Iterable<string>, request: symbol): void {
    for (const fingerprint of fingerprints) {
      if (this.undecided.get(fingerprint) === request) this.undecided.delete(fingerprint);
    }
  }

  /** Another rack may have a machine of the same name, and share an Alertmanager with this one. */
  private machineOf(labels: ReceivedAlert['labels']): string | undefined {
    const { machine } = labels;
    const rack = this.deps.rack?.();
    if (!machine || rack === undefined || isOfRack(rack, labels)) return machine;
    return `${machine} of another rack`;
  }

  private fingerprintOf({ labels }: Pick<ReceivedAlert, 'labels'>): string {
    return fingerprintOf(labels, this.deps.settings().replicaLabels);
  }

  /**
   * Returns how many alerts are left out because known alerts may not take more memory. `overShare`: because their machine's limit is
   * reached. The sender gets no error for these, because it would repeat the whole request again and again. `stripped`: how many were cut,
   * because they are too large.
   */
  private draw(
    draft: Draft,
    batch: Batch,
    senderStart?: number,
  ): { leftOut: number; overShare: number; stripped: number } {
    const { mostMemory = mostKnownMemory, mostOfMachine = usualMostOfMachine } = this.deps;
    let leftOut = 0;
    const overShare = new Map<string, number>();
    let stripped = 0;
    const { endpoint, group, bad, truncated } = batch;
    const moment = this.moment();
    const settings = this.deps.settings();
    // Alertmanager reports ends. Those of Prometheus are received by this process, or expire.
    const endsKnownSince =
      endpoint === 'webhook' ? senderStart : wallTime(this.deps.clock, this.openedAt);
    const rack = this.deps.rack?.().name;
    for (const alert of batch.alerts) {
      const fingerprint = this.fingerprintOf(alert);
      const before = draft.get(fingerprint);
      const machine = this.machineOf(alert.labels);
      if (before === undefined && machine && draft.countOf(machine) >= mostOfMachine) {
        overShare.set(machine, (overShare.get(machine) ?? 0) + 1);
        continue;
      }
      const bytes = memoryOf(alert, group);
      let received: Update = { fingerprint, alert, group, bytes, endpoint, rack, endsKnownSince };
      if (bytes > mostAlertMemory) {
        received = this.shorten(draft, received);
        stripped += 1;
      }
      const change = update(before, received, moment, settings, this.newId);
      // The texts of known alerts change, too, but must not grow without limit.
      const most = before === undefined ? mostMemory : 1.1 * mostMemory;
      if (!draft.set(fingerprint, change.tracked, most - this.memory)) {
        leftOut += 1;
        continue;
      }
      for (const message of change.messages) this.add(draft, message);
    }
    this.addBad(draft, batch);
    const invalid = countInvalid(bad);
    if (invalid > 0 && this.reported.isNew(`bad ${endpoint}`)) {
      const why = bad.find(({ entries }) => entries !== 0)?.why;
      const text = `${count(invalid, 'invalid alert')} posted to ${pathOf[endpoint]}: ${why}; see skolo alerts dead-letters`;
      this.addNotice(draft, { notice: 'dead-letters', text, facts: { count: invalid, endpoint } });
    }
    if (truncated > 0 && this.reported.isNew(`truncated ${group?.key} ${truncated}`)) {
      const key = group?.key?.slice(0, mostShown) ?? '';
      const receiver = group?.receiver?.slice(0, mostShown) ?? '';
      const text = `Alertmanager omitted ${count(truncated, 'alert')} from a group; raise max_alerts of the receiver${receiver && ` ${receiver}`}, or split the group`;
      const facts = { count: truncated, group: key, receiver };
      this.addNotice(draft, { notice: 'truncated', text, facts });
    }
    for (const [machine, rejected] of overShare) {
      if (!this.reported.isNew(`share ${machine}`)) continue;
      const text = `${machine}: ${count(rejected, 'new alert')} rejected, because the limit of ${mostOfMachine} alerts with this machine label has been reached; see skolo alerts list`;
      this.addNotice(draft, { notice: 'truncated', text, facts: { count: rejected, machine } });
    }
    return {
      leftOut,
      overShare: [...overShare.values()].reduce((sum, each) => sum + each, 0),
      stripped,
    };
  }

  /** Cuts what takes too much memory. What is left is a dead letter, too, once an hour: its sender repeats the alert with other times. */
  private shorten(draft: Draft, received: Update): Update {
    const { fingerprint, endpoint } = received;
    const alert = { ...received.alert };
    const group = received.group && { ...received.group };
    const why = `${shorten(alert, group)} ${tooLong}`;
    if (this.reported.isNew(`large ${fingerprint}`)) {
      const found = { ...alert, group: group && { ...group } };
      shorten(found, found.group, mostLetterMemory);
      draft.letters.push({ at: this.time(), from: endpoint, why, found });
    }
    return { ...received, alert, group, bytes: memoryOf(alert, group) };
  }

  /** An alert that is repeated with other values and times must not displace other dead letters. */
  private addBad(draft: Draft, { endpoint, group, bad }: Batch): void {
    for (const { why, found, entries } of bad) {
      const labels = isObject(found) ? JSON.stringify(found.labels ?? {}) : '{}';
      const subject = labels !== '{}' ? labels : entries === 0 ? group?.key : { why, found };
      if (this.reported.isNew(`${entries} ${JSON.stringify(subject)}`)) {
        draft.letters.push({ at: this.time(), from: endpoint, why, found });
      }
    }
  }

  private addNotice(draft: Draft, notice: NoticeDraft) {
    const id = this.newId(undefined, this.deps.clock.now());
    this.add(draft, { kind: 'notice', id, at: this.time(), ...notice });
  }

  /**
   * Fulfilled with what `draw` returns, once that is written. It may be called again after a disk problem.
   *
   * @throws unknown What `draw` threw.
   * @throws Rejection It cannot be written now.
   */
  private enqueue<T>(draw: (draft: Draft) => T, bytes = 0): Promise<T> {
    const why = hangingDisk()?.why;
    // The sender repeats it. Otherwise, it would wait behind the changes for which the disk has not responded.
    if (why !== undefined) return Promise.reject(full(why));
    return new Promise((resolve, reject) => {
      let isRejected = false;
      const job: Job = {
        bytes,
        draw(draft) {
          if (isRejected) return undefined;
          try {
            const result = draw(draft);
            return () => resolve(result);
          } catch (error) {
            isRejected = true;
            reject(error);
            return undefined;
          }
        },
      };
      this.commits.run(job).then(
        (done) => done?.(),
        (error) => reject(error instanceof Rejection ? error : full(errorText(error))),
      );
    });
  }

  private async writeAll(jobs: readonly Job[]): Promise<ReturnType<Job['draw']>[]> {
    const draft = new Draft(this.alerts, (labels) => this.machineOf(labels));
    this.reported.dropDraft();
    const drawn = jobs.map((job) => job.draw(draft));
    await this.write(draft);
    return drawn;
  }

  private async write(draft: Draft) {
    const { deps } = this;
    const { texts, letters, transitions } = draft;
    const isWriting = texts.length > 0 || letters.length > 0;
    const { spool } = this;
    // Without one, the known alerts are just being read from it, and may be older than what was accepted last.
    if (isWriting || spool === undefined) {
      const bytes = texts.reduce((sum, { length }) => sum + length, 0);
      const rejection = deps.capacity.rejection(bytes);
      if (rejection !== undefined || spool === undefined) {
        throw full(rejection ?? 'the spool cannot be opened');
      }
      try {
        if (letters.length > 0) await deps.deadLetters.add(letters);
        if (texts.length > 0) this.next = (await spool.append(texts)) + texts.length;
      } catch (error) {
        deps.capacity.wrote(error);
        throw error;
      }
      deps.capacity.wrote(undefined);
    }
    draft.apply();
    this.memory += draft.bytes;
    this.reported.commitDraft();
    deps.emit({ type: 'transitions', ...transitions });
  }

  /** All known alerts are in memory, and every client that reaches the endpoints may invent alerts. */
  private tooMany(leftOut: number): Rejection {
    const { mostMemory = mostKnownMemory } = this.deps;
    const limit = `the ${count(this.alerts.size, 'known alert')} take up the limit of ${Math.round(mostMemory / 2 ** 20)} MiB`;
    return full(
      `${count(leftOut, 'new alert')} rejected, because ${limit}; see skolo alerts list. Changes to known alerts are still accepted`,
    );
  }

  private add({ texts, transitions }: Draft, message: SpooledMessage): void {
    texts.push(JSON.stringify(message));
    const isChange = message.kind === 'transition' && message.sink === undefined;
    if (isChange) transitions[message.alert.status] += 1;
  }

  private time(): string {
    return new Date(this.deps.clock.now()).toISOString();
  }

  private moment(): Moment {
    const { clock } = this.deps;
    return { now: clock.now(), uptime: clock.uptime() };
  }
}
