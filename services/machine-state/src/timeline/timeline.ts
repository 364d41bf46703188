/** The timeline of the rack from all sources, and how long a period and how many rows it may have. */
import type { Machine, Timeline } from '@skolo/api';
import { isoTime } from '@skolo/base';
import { type AuditLog, type Caller, HttpProblem } from '@skolo/common';
import type { History } from '../history/history.ts';
import type { Current } from '../join/current.ts';
import { given } from '../join/machine.ts';
import type { Orders } from '../orders/orders.ts';
import type { PartDeps } from '../part-deps.ts';
import { behindActs, healthOf, peopleEvent, recordedEvent, serviceEvents } from './from-history.ts';
import { auditEvents } from './from-services.ts';
import { mergeEvents, type TimelineEvent } from './merge.ts';
import { askServices, type Report, readAudit, reportOf } from './sources.ts';

interface TimelineDeps extends Pick<PartDeps, 'rack' | 'clock'> {
  audit: Pick<AuditLog, 'read'>;
  history: Pick<History, 'happenings'>;
  current: Pick<Current, 'machines'>;
  orders: Pick<Orders, 'history'>;
}

interface Asked {
  since?: string | undefined;
  until?: string | undefined;
  caller: Pick<Caller, 'role'>;
  /** Of the request. */
  authorization?: string | undefined;
}

interface Recorded extends Report {
  health?: Omit<ReturnType<typeof healthOf>, 'events'>;
  services?: ReturnType<typeof serviceEvents>;
  isCut?: boolean;
}

const hourMs = 3_600_000;
const usualMs = 12 * hourMs;
const mostMs = 31 * 24 * hourMs;
const mostRows = 2000;
const mostEntries = 20_000;

/** @throws HttpProblem 422 */
export async function rackTimeline(deps: TimelineDeps, asked: Asked): Promise<Timeline> {
  const rack = deps.rack();
  const now = deps.clock.now();
  // An event in this millisecond counts.
  const to = asked.until === undefined ? now + 1 : Date.parse(asked.until);
  // Before the year 0, a time would have another form.
  const from = asked.since === undefined ? Math.max(0, to - usualMs) : Date.parse(asked.since);
  if (!(from < to && to - from <= mostMs)) {
    throw new HttpProblem(422, 'since: it must be before `until`, by at most 31 days');
  }
  const span = { from, to };
  // Those with the role `view` may be anonymous, and reasons and addresses are about people.
  const omitsAudit = asked.caller.role === 'view';
  const [, token] = /^Bearer +(\S+) *$/i.exec(asked.authorization ?? '') ?? [];
  const machines = deps.current.machines();
  const [recorded, people, own, others] = await Promise.all([
    reportOf<Recorded>('history', () => readHistory(deps, machines, span)),
    reportOf('orders and notes', () => ({ events: peopleEvents(deps, machines, span) })),
    reportOf('machine-state', async (_, readable) => {
      const read = (query: Parameters<AuditLog['read']>[0]) => deps.audit.read(query);
      const entries = omitsAudit ? [] : await readAudit(read, from, readable);
      return { audit: { service: 'machine-state', entries } };
    }),
    askServices({ rack, from, now, token: omitsAudit ? undefined : token }),
  ]);
  const { health, services, isCut = false }: Recorded = recorded;
  const reports: Report[] = [recorded, people, own, ...others];
  const events = reports.flatMap((report) => report.events ?? []);
  const known = new Set(
    events.flatMap(({ id }) => /^(?:cycle|hold|order) (\S+)/.exec(id)?.[1] ?? []),
  );
  const all = [
    ...events,
    ...(services?.events ?? []),
    ...auditEvents(
      reports.flatMap(({ audit }) => audit ?? []),
      known,
    ),
  ];
  const refined = reports.reduce(
    (found, { refine }) => (refine ? found.map(refine) : found),
    all.filter((event) => isWithin(event, span)),
  );
  const { rows, truncated } = mergeEvents(behindActs(refined), mostRows);
  const missing = reports.flatMap((report) => report.missing ?? []);
  const firstOfEach = new Map(missing.toReversed().map((each) => [each.source, each]));
  return {
    rack: rack.name,
    since: isoTime(from),
    until: isoTime(to),
    rows,
    truncated: truncated || isCut,
    unhealthy: [],
    ...health,
    missing: [...firstOfEach.values()].map((each) => ({
      ...each,
      ...given({ since: services?.downSince(each.source) }),
    })),
    omitsAudit,
  };
}

function isWithin({ at, endedAt = at, kind }: TimelineEvent, { from, to }: Span): boolean {
  // The last answer of a machine that fell silent may be earlier, and downtime may continue.
  return at < to && (endedAt >= from || kind === 'silent' || kind === 'down');
}

interface Span {
  from: number;
  to: number;
}

async function readHistory(
  { history }: TimelineDeps,
  machines: readonly Machine[],
  span: Span,
): Promise<Recorded> {
  const changed = machines.flatMap(({ name, since = '' }) =>
    Date.parse(since) > span.from ? name : [],
  );
  const found = await history.happenings({ ...span, changed }, mostEntries);
  const { events, ...health } = healthOf(found, machines, span);
  return {
    events: [...events, ...found.entries.flatMap((entry) => recordedEvent(entry) ?? [])],
    health,
    services: serviceEvents(found.services, span),
    isCut: found.entries.length >= mostEntries,
  };
}

function peopleEvents({ orders }: TimelineDeps, machines: readonly Machine[], span: Span) {
  return machines.flatMap(({ name }) =>
    orders.history(name, span).flatMap((entry) => peopleEvent(entry) ?? []),
  );
}
