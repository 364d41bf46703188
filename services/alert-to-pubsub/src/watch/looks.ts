/**
 * Decides from Alertmanager's list when an alert that ends while it is muted (silenced) is over. Alertmanager does not report the end of
 * an alert that is muted by a silence, an inhibition, a time interval or a changed route, nor, before its next repetition, that this
 * alert fires again: https://github.com/prometheus/alertmanager/issues/226, https://github.com/grafana/grafana/issues/80996
 */
import { join } from 'node:path';
import { errorText, type Repetition, repeat, withDeadline } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import {
  alertmanagerUrl,
  type Clock,
  type Degraded,
  type DegradedList,
  isOfRack,
  wallTime,
  withServiceAddress,
} from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { Periods } from '../delivery/maintenance.ts';
import { fingerprintOf } from '../intake/fingerprint.ts';
import type { Intake } from '../intake/intake.ts';
import { readAlert } from '../receive/alert.ts';
import type { ReceivedAlert } from '../receive/batch.ts';
import { isInAlertmanager, type KnownAlert } from '../state/known-alerts.ts';
import { type ListedAlert, listAlerts, readStatus } from './alertmanager.ts';
import { Listings } from './listings.ts';

interface LooksDeps {
  rack(): Rack;
  stateDir: string;
  intake: Pick<Intake, 'alerts' | 'apply'>;
  degraded: Pick<DegradedList, 'set'>;
  clock: Clock;
  periods: Partial<Periods>;
}

const usualEveryMs = 30_000;
/** Ends that are not detected for longer than this are a fault: Prometheus and Alertmanager have started, and 15 minutes have passed. */
const passingSeconds = 20 * 60;
const mostAtOnce = 1000;
/** An Alertmanager waits at least ten seconds for the response to its webhook. */
const startMs = 5000;

export class Looks {
  /** Why the end of a muted alert is not detected, for people. */
  unseen: string | undefined;
  /** The same while it is no fault: after a restart of Alertmanager. */
  passing: Degraded[] | undefined;
  private readonly deps: LooksDeps;
  private readonly file: string;
  private readonly stopping = new AbortController();
  private repetition: Repetition | undefined;
  /** Also in a file, for after a restart. */
  private readonly listings: Listings;
  private written = '';
  /** Since when ends are not detected, in seconds of uptime. */
  private unseenAt: number | undefined;

  constructor(deps: LooksDeps) {
    this.deps = deps;
    this.file = join(deps.stateDir, 'alertmanager.json');
    this.listings = new Listings(deps.clock);
  }

  async start(): Promise<void> {
    this.listings.restore((await readFileIfExists(this.file).catch(() => undefined)) ?? '');
    const { signal } = this.stopping;
    const { lookEveryMs = usualEveryMs } = this.deps.periods;
    this.repetition = repeat(lookEveryMs, () => this.run(signal), signal);
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the service is stopping'));
    await this.repetition?.ended;
  }

  /**
   * Returns when the Alertmanager of rack.yaml was started, in milliseconds since 1970 by this service's clock. Returns undefined if that
   * is not known, or if webhooks with this `externalURL` are from another one.
   */
  async startOf(externalURL: string): Promise<number | undefined> {
    const url = alertmanagerUrl(this.deps.rack());
    if (url === undefined || this.listings.isFromAnother(url)(externalURL)) return undefined;
    const late = () => new Error(`no response within ${startMs / 1000} s`);
    // Also while the service stops: without a response, the alert would be resolved.
    const { clock } = this.deps;
    const start = withDeadline({ ms: startMs, late }, async (signal) => {
      const began = clock.now();
      const { start, date } = await readStatus(await withServiceAddress(url), signal);
      return Date.parse(start) + clockDifference(date, began, clock.now());
    });
    return await start.catch(() => undefined);
  }

  private async run(signal: AbortSignal): Promise<void> {
    const { rack } = this.deps;
    const url = alertmanagerUrl(rack());
    try {
      const why = url === undefined ? undefined : await this.compareWith(url, signal);
      this.report(why && `${unseen(rack())}: ${why}`);
      if (url === undefined) this.unseen = unseenWithoutUrl(rack());
    } catch (error) {
      if (signal.aborted) return;
      const hint = 'check Alertmanager, and alertmanager in rack.yaml';
      this.report(`${unseen(rack())}: ${errorText(error)}; ${hint}`, 'fault');
    }
  }

  private report(why: string | undefined, kind?: 'fault'): void {
    const { clock, degraded } = this.deps;
    const uptime = clock.uptime();
    this.unseen = why;
    this.unseenAt = why === undefined ? undefined : (this.unseenAt ?? uptime);
    const { unseenAt = uptime } = this;
    const isPassing = kind !== 'fault' && uptime - unseenAt < passingSeconds;
    degraded.set('alertmanager', isPassing ? undefined : why);
    const entry = { what: 'alertmanager', since: new Date(wallTime(clock, unseenAt)) };
    this.passing = isPassing && why !== undefined ? [{ ...entry, why }] : undefined;
  }

  /** Returns why ends are not proved. */
  private async compareWith(url: string, signal: AbortSignal): Promise<string | undefined> {
    const { intake, rack, clock } = this.deps;
    const { replicaLabels, watchdog } = rack().services['alert-to-pubsub'];
    // Racks may share an Alertmanager: what one Prometheus sends proves nothing about another.
    const isOurs = (labels: ListedAlert['labels']) => isOfRack(rack(), labels);
    const watched = [...intake.alerts.values()].filter(({ known }) => isInAlertmanager(known));
    if (watched.length === 0) return undefined;
    const at = await withServiceAddress(url);
    const began = clock.uptime();
    const listed = new Set<string>();
    const changes = new Map<KnownAlert, ReceivedAlert>();
    let [updatedAt, hasWatchdog] = [Number.NEGATIVE_INFINITY, false];
    await listAlerts(at, noteListed, signal);
    function noteListed(alert: ListedAlert): void {
      if (isOurs(alert.labels)) {
        updatedAt = Math.max(updatedAt, Date.parse(alert.updatedAt));
        hasWatchdog ||= alert.labels.alertname === watchdog.alert;
      }
      const fingerprint = fingerprintOf(alert.labels, replicaLabels);
      const tracked = intake.alerts.get(fingerprint);
      if (tracked === undefined) return;
      const { known } = tracked;
      listed.add(fingerprint);
      // Alertmanager does not repeat muted alerts, but they fire.
      if (isInAlertmanager(known) && known.alert.status === 'firing') tracked.receivedAt = began;
      if (!isAgain(alert, known)) return;
      const again = readAlert({ ...alert, status: 'firing' }, 'webhook', clock.now());
      if (typeof again !== 'string') changes.set(known, again);
    }
    // Afterwards, so that the list is not that of a process that was started later.
    const { start } = await readStatus(at, signal);
    const over = this.listings.add(
      { url, start, began, ended: clock.uptime(), listed, updatedAt, hasWatchdog },
      watched.map(({ known }) => known).filter(({ alert }) => isOurs(alert.labels)),
      watchdog.alert,
    );
    for (const [known, missingSince] of over) {
      const { labels, annotations, generatorURL } = known.alert;
      const endsAt = wallTime(clock, missingSince);
      const ended = { labels, annotations, status: 'resolved', expired: true, endsAt } as const;
      changes.set(known, { ...ended, ...(generatorURL && { generatorURL }) });
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
    return this.listings.why;
  }

  /** If the disk is full, others report it. */
  private async write(): Promise<void> {
    const text = this.listings.toText();
    if (text === this.written) return;
    const isWritten = await writeFileAtomic(this.file, text).then(
      () => true,
      () => false,
    );
    if (isWritten) this.written = text;
  }
}

/** By how much our clock is ahead of one that was at `date`, or up to a second later, between two of our times. In milliseconds. */
function clockDifference(date: number, began: number, ended: number): number {
  if (Number.isNaN(date)) return 0;
  return Math.min(Math.max(0, began - date - 1000), ended - date);
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
