/**
 * Decides from Alertmanager's list when an alert that ends while it is muted (silenced) is over. Alertmanager does not report the end of
 * an alert that is muted by a silence, an inhibition, a time interval or a changed route, nor, before its next repetition, that this
 * alert fires again: https://github.com/prometheus/alertmanager/issues/226, https://github.com/grafana/grafana/issues/80996
 */
import { join } from 'node:path';
import { errorText, parseJson, type Repetition, repeat } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import {
  alertmanagerUrl,
  type Clock,
  type DegradedList,
  isAlertmanagerAt,
  withServiceAddress,
} from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { z } from 'zod';
import type { Periods } from '../delivery/maintenance.ts';
import { fingerprintOf } from '../intake/fingerprint.ts';
import type { Intake } from '../intake/intake.ts';
import { readAlert } from '../receive/alert.ts';
import type { ReceivedAlert } from '../receive/batch.ts';
import { isInAlertmanager, type KnownAlert, type Tracked } from '../state/known-alerts.ts';
import { wallTime } from '../state/success-times.ts';
import { type ListedAlert, listAlerts, startOf } from './alertmanager.ts';

interface LooksDeps {
  rack(): Rack;
  stateDir: string;
  intake: Pick<Intake, 'alerts' | 'apply'>;
  degraded: Pick<DegradedList, 'set'>;
  clock: Clock;
  periods: Partial<Periods>;
}

const usualEveryMs = 30_000;
/** An alert is over when two looks at least this far apart do not list it. */
const apartSeconds = 60;
/** Alertmanager begins without alerts, and Prometheus repeats them within a minute of its own start. */
const startSeconds = 300;
const mostAtOnce = 1000;

interface Look {
  url: string;
  /** In seconds of uptime. */
  began: number;
  /** Fingerprints. */
  listed: ReadonlySet<string>;
  /** Whether Alertmanager would list every alert that fires. */
  isSettled: boolean;
}

export class Looks {
  /** Why the end of a muted alert is not detected, for people. */
  unseen: string | undefined;
  private readonly deps: LooksDeps;
  private readonly file: string;
  private readonly stopping = new AbortController();
  private repetition: Repetition | undefined;
  /** Alerts that an Alertmanager has listed, each after its URL. Also in a file, for after a restart. */
  private listed = new Set<string>();
  private written = '';
  /** The uptime when a look first did not list an alert. It is another object when it is received again. */
  private missing = new Map<KnownAlert, number>();
  /** The process that responds, when it was first seen, and how long it had been running then, in seconds. */
  private process: { start: string; seenAt: number; age: number } | undefined;

  constructor(deps: LooksDeps) {
    this.deps = deps;
    this.file = join(deps.stateDir, 'alertmanager.json');
  }

  async start(): Promise<void> {
    const text = await readFileIfExists(this.file).catch(() => undefined);
    this.listed = new Set(z.array(z.string()).safeParse(parseJson(text ?? '')).data);
    const { signal } = this.stopping;
    const { lookEveryMs = usualEveryMs } = this.deps.periods;
    this.repetition = repeat(lookEveryMs, () => this.run(signal), signal);
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the service is stopping'));
    await this.repetition?.ended;
  }

  private async run(signal: AbortSignal): Promise<void> {
    const { rack, degraded } = this.deps;
    const url = alertmanagerUrl(rack());
    let why: string | undefined;
    try {
      if (url !== undefined) await this.look(url, signal);
    } catch (error) {
      if (signal.aborted) return;
      why = `${unseen(rack())}: ${errorText(error)}; check Alertmanager, and alertmanager in rack.yaml`;
    }
    degraded.set('alertmanager', why);
    this.unseen = url === undefined ? unseenWithoutUrl(rack()) : why;
  }

  private async look(url: string, signal: AbortSignal): Promise<void> {
    const { intake, rack, clock } = this.deps;
    const { replicaLabels } = rack().services['alert-to-pubsub'];
    const watched = [...intake.alerts.values()].filter(({ known }) => isInAlertmanager(known));
    if (watched.length === 0) return;
    const at = await withServiceAddress(url);
    const began = clock.uptime();
    const listed = new Set<string>();
    const changes = new Map<KnownAlert, ReceivedAlert>();
    await listAlerts(at, keep, signal);
    function keep(alert: ListedAlert): void {
      const fingerprint = fingerprintOf(alert.labels, replicaLabels);
      const known = intake.alerts.get(fingerprint)?.known;
      if (known === undefined) return;
      listed.add(fingerprint);
      if (!isAgain(alert, known)) return;
      const again = readAlert({ ...alert, status: 'firing' }, 'webhook', clock.now());
      if (typeof again !== 'string') changes.set(known, again);
    }
    // Afterwards, so that the list is not that of a process that was started later.
    const isSettled = this.isSettled(await startOf(at, signal));
    for (const [known, over] of this.missed(watched, { url, began, listed, isSettled })) {
      changes.set(known, over);
    }
    const all = [...changes];
    for (let from = 0; from < all.length; from += mostAtOnce) {
      const next = all.slice(from, from + mostAtOnce);
      // Unless the alert was received meanwhile.
      await intake.apply((current) =>
        next
          .filter(([known]) => current.get(known.alert.fingerprint)?.known === known)
          .map(([{ endpoint, group }, alert]) => {
            return { endpoint, alerts: [alert], bad: [], truncated: 0, ...(group && { group }) };
          }),
      );
    }
    await this.write();
  }

  /** The alerts that are over. */
  private *missed(
    watched: readonly Tracked[],
    { url, began, listed, isSettled }: Look,
  ): Generator<[KnownAlert, ReceivedAlert]> {
    const { clock } = this.deps;
    const ended = clock.uptime();
    const [before, missing] = [this.listed, this.missing];
    [this.listed, this.missing] = [new Set(), new Map()];
    for (const tracked of watched) {
      const { alert, group } = tracked.known;
      const key = `${url} ${alert.fingerprint}`;
      const isListed = listed.has(alert.fingerprint);
      if (isListed || before.has(key)) this.listed.add(key);
      if (alert.status === 'resolved') continue;
      // Alertmanager does not repeat muted alerts, but they fire.
      if (isListed) tracked.receivedAt = began;
      const isOwn = before.has(key) || isAlertmanagerAt(url, group?.externalURL);
      if (isListed || !isOwn || !isSettled) continue;
      const first = missing.get(tracked.known) ?? ended;
      this.missing.set(tracked.known, first);
      if (began - first < apartSeconds) continue;
      const { labels, annotations, generatorURL } = alert;
      const over = { labels, annotations, status: 'resolved', expired: true } as const;
      const endsAt = wallTime(clock, first);
      yield [tracked.known, { ...over, endsAt, ...(generatorURL && { generatorURL }) }];
    }
  }

  /**
   * Whether Alertmanager has been running for long enough. Its start, by the wall clock, shows this only for a process that was running when
   * this service started, and not if it was before this boot: then the clock has been set since.
   */
  private isSettled(start: string): boolean {
    const { clock } = this.deps;
    const uptime = clock.uptime();
    if (this.process?.start !== start) {
      const age = (clock.now() - Date.parse(start)) / 1000;
      const isPlausible = this.process === undefined && age > 0 && age < uptime;
      this.process = { start, seenAt: uptime, age: isPlausible ? age : 0 };
    }
    return this.process.age + uptime - this.process.seenAt >= startSeconds;
  }

  /** If the disk is full, others report it. */
  private async write(): Promise<void> {
    const text = JSON.stringify([...this.listed]);
    if (text === this.written) return;
    const isWritten = await writeFileAtomic(this.file, text).then(
      () => true,
      () => false,
    );
    if (isWritten) this.written = text;
  }
}

/** Whether an alert that was over fires again, and Alertmanager would have sent it if it had reported the end. */
function isAgain({ status, receivers }: ListedAlert, known: KnownAlert): boolean {
  const { alert, group } = known;
  const isOver = isInAlertmanager(known) && alert.status === 'resolved';
  const isMuted = status.state !== 'active' || (status.mutedBy ?? []).length > 0;
  const isOurs =
    group?.receiver === undefined || receivers.some(({ name }) => name === group.receiver);
  return isOver && isOurs && !isMuted;
}

function unseen({ services }: Rack): string {
  const { repeatHours } = services['alert-to-pubsub'];
  return `alerts that end while they are muted in Alertmanager keep firing for up to ${repeatHours} h`;
}

/** What the service does not detect without the URL of an Alertmanager. */
export function unseenWithoutUrl(rack: Rack): string {
  return `${unseen(rack)}: no Alertmanager is configured; set alertmanager in rack.yaml to its URL`;
}
