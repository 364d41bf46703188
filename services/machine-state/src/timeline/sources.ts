/** Requests what happened from all services at the same time. One that does not respond, or one bad entry, hides nothing else. */
import {
  type Api,
  AuditEntry,
  AuditPage,
  BackupEquipment,
  BackupVersion,
  KnownAlert,
  PowerCycle,
  SinkStatus,
} from '@skolo/api';
import { errorText, inParallel, withDeadline } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import { z } from 'zod';
import { type AskedService, askedServices, serviceClient } from '../collect/service-apis.ts';
import { alertOf, cycleOf, versionOf, withDelivery } from './from-services.ts';
import type { TimelineEvent } from './merge.ts';

export interface Report {
  events?: TimelineEvent[];
  /** Of a service's audit log. */
  audit?: { service: string; entries: AuditEntry[] };
  /** Adds what this source knows to the events of others. */
  refine?: (event: TimelineEvent) => TimelineEvent;
  missing?: { source: string; why: string };
}

interface Wanted {
  rack: Rack;
  /** Milliseconds since 1970. */
  from: number;
  now: number;
  /** The caller's, for the audit logs; undefined: without them. */
  token: string | undefined;
}

/** Entries that match the schema; the number of others is reported. */
type Readable = <S extends z.ZodType>(schema: S, items: unknown) => z.output<S>[];
type Query = Record<string, unknown>;
/** GET of a path. @param token default: that of this service */
type Get = (path: `/${string}`, query?: Query, token?: string) => Promise<Query>;
type Ask = (get: Get, readable: Readable) => Promise<Report>;

const deadlineMs = 5000;
const mostBytes = 16 * 1024 * 1024;
const atOnce = 8;
const limit = 1000;
const mostAuditPages = 4;

export function askServices(wanted: Wanted): Promise<Report[]> {
  const { rack, token } = wanted;
  const audits = (token === undefined ? [] : askedServices).map((service): [AskedService, Ask] => [
    service,
    async (get, readable) => {
      const read = (query: Query) => get('/v1/audit', query, token);
      return { audit: { service, entries: await readAudit(read, wanted.from, readable) } };
    },
  ]);
  return Promise.all(
    [...sourcesOf(wanted), ...audits].map(([service, ask]) =>
      reportOf(service, (signal, readable) => {
        const get: Get = async (path, query = {}, given) => {
          const options = { timeoutMs: deadlineMs, mostBytes, token: given };
          const client = await serviceClient(rack, service, getOf(path), options);
          return await client.get({ query, signal });
        };
        return ask(get, readable);
      }),
    ),
  );
}

/** Each request by itself: what one of them lacks, the others may have. */
function sourcesOf({ rack, from, now }: Wanted): [AskedService, Ask][] {
  const since = new Date(from).toISOString();
  const cycles: Ask = async (get, readable) => {
    const { cycles } = await get('/v1/power-cycles', { since, limit });
    return { events: readable(PowerCycle, cycles).map(cycleOf) };
  };
  const versions: Ask = async (get, readable) => {
    const { equipment } = await get('/v1/equipment');
    const known = readable(BackupEquipment.pick({ name: true, changedAt: true }), equipment);
    const changed = known.filter(({ changedAt = '' }) => changedAt >= since);
    const events = await inParallel(changed, atOnce, async ({ name }) => {
      const path = `/v1/equipment/${encodeURIComponent(name)}/versions` as const;
      const all = readable(BackupVersion, (await get(path)).versions);
      return all.map((version, i) => versionOf(version, all[i + 1]?.id, rack.name));
    });
    return { events: events.flat() };
  };
  const alerts: Ask = async (get, readable) => {
    const all = readable(KnownAlert, (await get('/v1/alerts')).alerts);
    return { events: all.map((alert) => alertOf(alert, (name) => rack.machines.has(name))) };
  };
  const delivery: Ask = async (get, readable) => {
    const sinks = readable(SinkStatus, (await get('/v1/status')).sinks);
    return { refine: (event) => withDelivery(event, sinks, now) };
  };
  return [
    ['power-cycle-daemon', cycles],
    ['router-backup', versions],
    ['alert-to-pubsub', alerts],
    ['alert-to-pubsub', delivery],
  ];
}

/** The route's own schema would reject a whole list because of one entry. */
function getOf(path: `/${string}`) {
  const Anything = z.record(z.string(), z.unknown());
  return {
    get: {
      method: 'get',
      path,
      summary: '',
      role: 'view',
      query: z.looseObject({}),
      answers: { 200: Anything },
    },
  } as const satisfies Api;
}

/** Never throws. */
export async function reportOf<R extends Report>(
  source: string,
  ask: (signal: AbortSignal, readable: Readable) => Promise<R> | R,
): Promise<R | Report> {
  let bad = 0;
  const readable: Readable = (schema, items) => {
    if (!Array.isArray(items)) throw new Error('a list is missing in its response');
    return items.flatMap((item) => {
      const { success, data } = schema.safeParse(item);
      if (!success) bad += 1;
      return success ? [data] : [];
    });
  };
  const late = () => new Error(`no response within ${deadlineMs / 1000} s`);
  try {
    const report = await withDeadline({ ms: deadlineMs, late }, (signal) => ask(signal, readable));
    const why = `${bad} of its entries cannot be read; is it a newer version?`;
    return bad === 0 ? report : { ...report, missing: { source, why } };
  } catch (error) {
    return { missing: { source, why: errorText(error) } };
  }
}

/** Newest first, back to a time. */
export async function readAudit(
  read: (query: { limit: number; before?: string | undefined }) => Promise<object>,
  from: number,
  readable: Readable,
): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  let older: AuditPage['older'];
  for (let page = 0; page < mostAuditPages; page += 1) {
    const answer = AuditPage.pick({ older: true })
      .loose()
      .parse(await read({ limit, before: older?.before }));
    entries.push(...readable(AuditEntry, answer.entries));
    ({ older } = answer);
    if (older === undefined || Date.parse(older.time) < from) break;
  }
  return entries;
}
