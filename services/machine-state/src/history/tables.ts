/** Statements for the history's database. All are synchronous. */
import type { DatabaseSync } from 'node:sqlite';
import { Cause } from '@skolo/api';
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import type { Standing } from '../join/sources.ts';
import { kinds } from './database.ts';
import type { Entry } from './entry.ts';
import type { PackedHour } from './readings.ts';
import { causeOf020 } from './silence.ts';
import { SilenceTable } from './silence-table.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

export function dayOf(at: number): number {
  return Math.floor(at / dayMs);
}

const optional = z
  .string()
  .nullable()
  .transform((value) => value ?? undefined);
const EntryRow = z.object({
  at: z.number(),
  kind: z.number(),
  device: optional,
  key: optional,
  ended: z
    .number()
    .nullable()
    .transform((value) => value ?? undefined),
  outcome: optional,
  data: optional,
});
const StandingRow = z.object({
  machine: z.string(),
  condition: z.string(),
  since: z.number(),
  seen: z.number().nullable(),
});
const DeviceRow = z.object({ device: z.string() });
const CurveRow = z.object({ points: z.instanceof(Uint8Array) });
const PackedRow = CurveRow.extend({ machine: z.string(), device: z.string() });
const Place = z.object({ day: z.number(), at: z.number(), n: z.number() });
const NextN = Place.pick({ n: true });
const Id = z.object({ id: z.number() });
const Stored = z.object({ oldest: z.number().nullable(), newest: z.number().nullable() });
const ConditionRow = z.object({
  machine: z.string(),
  at: z.number(),
  key: z.string(),
  outcome: z.string().nullable(),
});

/** Its condition may be one of another version. */
type StoredStanding = Omit<Standing, 'condition'> & { condition: string };

/** Those of machines in the timeline. */
const happenings = (['condition', 'hold', 'alert', 'rollout'] as const)
  .map((kind) => kinds.indexOf(kind))
  .join();
const NamedRow = EntryRow.extend({ machine: z.string() });

/** A change of condition. */
export type ConditionChange = z.output<typeof ConditionRow>;

export class HistoryTables {
  private readonly database: DatabaseSync;
  private readonly ids = new Map<string, number>();
  private readonly statements;
  protected readonly silenceTable: SilenceTable;

  constructor(database: DatabaseSync) {
    this.database = database;
    this.silenceTable = new SilenceTable(database);
    const prepare = (sql: string) => database.prepare(sql);
    this.statements = {
      findName: prepare('SELECT id FROM names WHERE machine = ? AND device = ?'),
      addName: prepare('INSERT INTO names (machine, device) VALUES (?, ?) RETURNING id'),
      putStanding: prepare('REPLACE INTO standings VALUES (?, ?, ?, ?)'),
      standings: prepare(
        'SELECT n.machine, condition, since, seen FROM standings s JOIN names n ON n.id = s.machine',
      ),
      findOpen: prepare(
        `SELECT day, at, n FROM entries WHERE machine = ? AND kind = ? AND key IS ? AND device IS ?
         AND ended IS NULL AND kind IN (1, 2, 4, 5)`,
      ),
      findEntry: prepare(
        'SELECT day, at, n FROM entries WHERE day = ? AND machine = ? AND at = ? AND kind = ? AND key IS ? AND device IS ?',
      ),
      nextN: prepare(
        'SELECT coalesce(max(n), -1) + 1 AS n FROM entries WHERE day = ? AND machine = ? AND at = ?',
      ),
      addEntry: prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      changeEntry: prepare(
        `UPDATE entries SET ended = coalesce(?, ended), outcome = coalesce(?, outcome), data = coalesce(?, data)
         WHERE day = ? AND machine = ? AND at = ? AND n = ?`,
      ),
      endOthers: prepare(
        `UPDATE entries SET ended = max(at, ?), outcome = 'lost'
         WHERE machine = ? AND kind = ? AND ended IS NULL AND kind IN (1, 2, 4, 5)
         AND coalesce(key, '') NOT IN (SELECT value FROM json_each(?))`,
      ),
      entries: prepare(
        `SELECT at, kind, device, key, ended, outcome, data FROM entries
         WHERE day = ? AND machine = ? AND at >= ? AND at < ? ORDER BY at DESC, n DESC`,
      ),
      openEntries: prepare(
        `SELECT at, kind, device, key, ended, outcome, data FROM entries
         WHERE machine = ? AND ended IS NULL AND kind IN (1, 2, 4, 5) AND at < ?`,
      ),
      lastCondition: prepare(
        `SELECT at, kind, device, key, ended, outcome, data FROM entries
         WHERE day = ? AND machine = ? AND at < ? AND kind = 0 ORDER BY at DESC, n DESC LIMIT 1`,
      ),
      conditions: prepare(
        `SELECT n.machine, at, key, outcome FROM entries e JOIN names n ON n.id = e.machine
         WHERE day = ? AND kind = 0 AND at >= ? ORDER BY e.machine, at, e.n`,
      ),
      happened: prepare(
        `SELECT n.machine, at, kind, e.device, key, ended, outcome, data FROM entries e JOIN names n ON n.id = e.machine
         WHERE day = ? AND (at >= ? OR ended >= ?) AND at < ? AND (kind IN (${happenings}) OR n.machine = '') ORDER BY at DESC LIMIT ?`,
      ),
      putCurve: prepare('REPLACE INTO curves VALUES (?, ?, ?)'),
      useName: prepare('UPDATE names SET used = ? WHERE id = ? AND used < ?'),
      curve: prepare('SELECT points FROM curves WHERE hour = ? AND device = ?'),
      curvesOfHour: prepare(
        'SELECT n.machine, n.device, points FROM curves c JOIN names n ON n.id = c.device WHERE hour = ?',
      ),
      devices: prepare("SELECT device FROM names WHERE machine = ? AND device <> ''"),
      // Two queries each, of which either only looks at one end of the index.
      days: prepare(
        'SELECT (SELECT min(day) FROM entries) AS oldest, (SELECT max(day) FROM entries) AS newest',
      ),
      hours: prepare(
        'SELECT (SELECT min(hour) FROM curves) AS oldest, (SELECT max(hour) FROM curves) AS newest',
      ),
      dropDay: prepare('DELETE FROM entries WHERE day = ?'),
      dropHours: prepare('DELETE FROM curves WHERE hour >= ? AND hour < ?'),
      dropNames: prepare("DELETE FROM names WHERE device <> '' AND used > 0 AND used < ?"),
    };
  }

  /** All or nothing. */
  together(work: () => void): void {
    this.database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.database.exec('COMMIT');
    } catch (error) {
      this.ids.clear();
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.database.close();
  }

  isKnown(machine: string): boolean {
    return this.idOf(machine) !== undefined;
  }

  standings(): Map<string, StoredStanding> {
    const rows = z.array(StandingRow).parse(this.statements.standings.all());
    return new Map(
      rows.map(({ machine, condition, since, seen }) => [
        machine,
        { condition, since, ...(seen !== null && { seenAt: seen }) },
      ]),
    );
  }

  putStanding(machine: string, { condition, since, seenAt }: Standing): void {
    this.statements.putStanding.run(this.makeId(machine), condition, since, seenAt ?? null);
  }

  /** Adds it, or changes the existing one. */
  putEntry(entry: Entry): void {
    // A condition has no device and no end.
    const cause = entry.cause && JSON.stringify(entry.cause);
    const { machine, device = cause ?? null, at, key = null } = entry;
    const { endedAt = entry.seenAt ?? null, outcome = null, data = null } = entry;
    const id = this.makeId(machine);
    const kind = kinds.indexOf(entry.kind);
    const day = dayOf(at);
    const { findOpen, findEntry, changeEntry, endOthers, nextN, addEntry } = this.statements;
    const found =
      findEntry.get(day, id, at, kind, key, device) ?? findOpen.get(id, kind, key, device);
    if (found !== undefined) {
      const place = Place.parse(found);
      changeEntry.run(endedAt, outcome, data, place.day, id, place.at, place.n);
      return;
    }
    if (entry.besides) {
      const continuing = [key, ...entry.besides].map((each) => each ?? '');
      endOthers.run(at, id, kind, JSON.stringify(continuing));
    }
    const { n } = NextN.parse(nextN.get(day, id, at));
    addEntry.run(day, id, at, n, kind, device, key, endedAt, outcome, data);
  }

  /** Days between these that may have entries, newest first. A client may ask for any year, which costs no more. */
  protected days(first: number, last: number): number[] {
    return between(first, last, this.statements.days.get()).reverse();
  }

  /** Hours between these that may have curves. */
  protected hours(first: number, last: number): number[] {
    return between(first, last, this.statements.hours.get());
  }

  /** Newest first, up to `most`, and only those that `isWanted` accepts. */
  entries(
    machine: string,
    span: { from: number; to: number },
    most: number,
    isWanted: (kind: string) => boolean,
  ): Entry[] {
    const id = this.idOf(machine);
    if (id === undefined) return [];
    const found: Entry[] = [];
    const { from, to } = span;
    for (const day of this.days(dayOf(from), dayOf(to))) {
      if (found.length >= most) break;
      for (const row of this.statements.entries.iterate(day, id, from, to)) {
        const entry = entryOf(machine, row);
        if (isWanted(entry.kind)) found.push(entry);
        if (found.length >= most) break;
      }
    }
    return found;
  }

  /** Entries that began earlier and continue, and the condition at that time, which began earlier. */
  before(machine: string, at: number, oldestDay: number): Entry[] {
    const id = this.idOf(machine);
    if (id === undefined) return [];
    const open = this.statements.openEntries.all(id, at).map((row) => entryOf(machine, row));
    const condition = this.conditionBefore(machine, at, oldestDay);
    return [...open, ...(condition ? [condition] : [])].sort((a, b) => b.at - a.at);
  }

  /** The condition at that time, which began earlier. */
  conditionBefore(machine: string, at: number, oldestDay: number): Entry | undefined {
    const id = this.idOf(machine);
    if (id === undefined) return undefined;
    for (const day of this.days(oldestDay, dayOf(at))) {
      const row = this.statements.lastCondition.get(day, id, at);
      if (row !== undefined) return entryOf(machine, row);
    }
    return undefined;
  }

  /** A day's entries of all machines and of the rack, without tasks and cycles, newest first. Those that began earlier ended since. */
  happened(day: number, { from, to }: { from: number; to: number }, most: number): Entry[] {
    return this.statements.happened.all(day, from, from, to, most).flatMap((row) => {
      const { data } = NamedRow.safeParse(row);
      return data === undefined ? [] : [entryOf(data.machine, row)];
    });
  }

  /** Changes of condition of all machines on a day, each machine's in chronological order. */
  conditions(day: number, from: number) {
    return z.array(ConditionRow).parse(this.statements.conditions.all(day, from));
  }

  putCurve({ machine, device, hour, points }: PackedHour): void {
    const id = this.makeId(machine, device);
    this.statements.putCurve.run(hour, id, points);
    this.statements.useName.run(hour, id, hour);
  }

  devicesOf(machine: string): string[] {
    const rows = z.array(DeviceRow).parse(this.statements.devices.all(machine));
    return rows.map(({ device }) => device);
  }

  curve(machine: string, device: string, hour: number): Uint8Array | undefined {
    const id = this.idOf(machine, device);
    const row = id === undefined ? undefined : this.statements.curve.get(hour, id);
    return row && CurveRow.parse(row).points;
  }

  curvesOf(hour: number): PackedHour[] {
    const rows = z.array(PackedRow).parse(this.statements.curvesOfHour.all(hour));
    return rows.map((row) => ({ ...row, hour }));
  }

  /** Deletes at most one day of older entries, and devices that no longer have a curve. */
  dropOldest(before: number): void {
    const { oldest: day } = Stored.parse(this.statements.days.get());
    const { oldest: hour } = Stored.parse(this.statements.hours.get());
    this.silenceTable.drop(before);
    if (day !== null && day < dayOf(before)) this.statements.dropDay.run(day);
    const kept = Math.floor(before / hourMs);
    if (hour === null || hour >= kept) return;
    const end = Math.min(hour + 24, kept);
    this.statements.dropHours.run(hour, end);
    this.statements.dropNames.run(end);
    this.ids.clear();
  }

  private idOf(machine: string, device = ''): number | undefined {
    const key = `${machine} ${device}`;
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    const row = this.statements.findName.get(machine, device);
    if (row === undefined) return undefined;
    const { id } = Id.parse(row);
    this.ids.set(key, id);
    return id;
  }

  private makeId(machine: string, device = ''): number {
    const known = this.idOf(machine, device);
    if (known !== undefined) return known;
    const { id } = Id.parse(this.statements.addName.get(machine, device));
    this.ids.set(`${machine} ${device}`, id);
    return id;
  }
}

function entryOf(machine: string, row: unknown): Entry {
  const { kind, ended, ...rest } = EntryRow.parse(row);
  if (kind !== 0) return { machine, kind: kinds[kind] ?? 'boot', endedAt: ended, ...rest };
  const { device, ...condition } = rest;
  const { data: text = '' } = condition;
  const cause =
    device === undefined
      ? undefined
      : (Cause.safeParse(parseJson(device)).data ?? causeOf020({ what: device, text }));
  return { machine, kind: 'condition', cause, seenAt: ended, ...condition };
}

/** The numbers between these that are in the stored range. */
function between(first: number, last: number, stored: unknown): number[] {
  const { oldest, newest } = Stored.parse(stored);
  if (oldest === null || newest === null) return [];
  const from = Math.max(first, oldest);
  return Array.from({ length: Math.max(0, Math.min(last, newest) - from + 1) }, (_, n) => from + n);
}
