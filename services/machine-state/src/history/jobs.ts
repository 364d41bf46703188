/** The jobs of the history's thread: writing, reading, deleting old entries. All is synchronous. */
import type { Curve } from '@skolo/api';
import type { Standing } from '../join/sources.ts';
import type { Entry } from './entry.ts';
import { type Series, seriesKey, unpackPoints } from './points.ts';
import type { PackedHour } from './readings.ts';
import { isUnanswered, overAfterMs, type Silence } from './silence.ts';
import { dayOf, HistoryTables } from './tables.ts';

export interface Batch {
  entries: Entry[];
  standings: Map<string, Standing>;
  curves: PackedHour[];
  /** By ID. */
  silences: Map<string, Silence>;
}

interface TimelineWanted {
  machine: string;
  span: { from: number; to: number };
  most: number;
  /** Kinds; undefined: all. */
  wanted: ReadonlySet<string> | undefined;
  /** The history's beginning. */
  oldest: number;
}

interface HappeningsWanted {
  from: number;
  to: number;
  most: number;
  oldest: number;
  /** Whose condition has changed since `from`. */
  changed: readonly string[];
}

const hourMs = 3_600_000;

export class HistoryJobs extends HistoryTables {
  /** What it knows about each machine, its current incidents, silences without an answer, and the points of the hour. */
  recall(now: number) {
    const recent = this.silences({ endedFrom: now - overAfterMs });
    const incidents = new Set(recent.silences.map(({ incident }) => incident));
    const { silences: all } = this.silences({ endedFrom: 0 });
    return {
      standings: this.standings(),
      points: this.curvesOf(Math.floor(now / hourMs)),
      silences: [...new Map([...all, ...recent.silences].map((each) => [each.id, each])).values()]
        .filter((silence) => incidents.has(silence.incident) || isUnanswered(silence))
        .toSorted((a, b) => a.at - b.at),
    };
  }

  knownSilences(ids: readonly string[]): string[] {
    return this.silenceTable.known(ids);
  }

  silences(wanted: { endedFrom: number }) {
    return this.silenceTable.list(wanted);
  }

  write({ entries, standings, curves, silences }: Batch): void {
    this.together(() => {
      for (const entry of entries) this.putEntry(entry);
      for (const [machine, standing] of standings) this.putStanding(machine, standing);
      for (const packed of curves) this.putCurve(packed);
      for (const silence of silences.values()) this.silenceTable.put(silence);
    });
  }

  drop(before: number): void {
    this.together(() => this.dropOldest(before));
  }

  timeline({ machine, span, most, wanted, oldest }: TimelineWanted): Entry[] {
    const isWanted = (kind: string) => wanted === undefined || wanted.has(kind);
    const from = Math.max(span.from, oldest);
    const within = this.entries(machine, { ...span, from }, most, isWanted);
    if (within.length >= most) return within;
    const before = this.before(machine, from, dayOf(oldest));
    return [...within, ...before.filter(({ kind }) => isWanted(kind))].slice(0, most);
  }

  /**
   * For the timeline. `before`: conditions at the beginning, of machines whose condition has changed since; `services`: when each was up.
   */
  happenings({ from, to, most, oldest, changed }: HappeningsWanted) {
    const entries: Entry[] = [];
    // Holds and alerts that began on the day before may have ended in the span.
    for (const day of this.days(dayOf(from) - 1, dayOf(to))) {
      if (entries.length >= most) break;
      entries.push(...this.happened(day, { from, to }, most - entries.length));
    }
    const others = entries.flatMap(({ kind, machine }) => (kind === 'condition' ? machine : []));
    return {
      entries,
      before: [...new Set([...changed, ...others])].flatMap(
        (machine) => this.conditionBefore(machine, from, dayOf(oldest)) ?? [],
      ),
      services: this.entries('', { from: oldest, to }, most, (kind) => kind === 'service'),
    };
  }

  curves(machine: string, { from, to }: { from: number; to: number }): Curve[] {
    const curves = new Map<string, Curve>();
    const hours = this.hours(Math.floor(from / hourMs), Math.floor(to / hourMs));
    for (const device of this.devicesOf(machine)) {
      for (const hour of hours) {
        const packed = this.curve(machine, device, hour);
        for (const series of packed === undefined ? [] : unpackPoints(hour, packed)) {
          addPoints(curves, device, series, { from: from / 1000, to: to / 1000 });
        }
      }
    }
    return [...curves.values()];
  }
}

function addPoints(
  curves: Map<string, Curve>,
  device: string,
  { points, ...series }: Series,
  { from, to }: { from: number; to: number },
): void {
  const key = `${device} ${seriesKey(series)}`;
  const curve = curves.get(key) ?? { device, ...series, points: [] };
  curve.points.push(...points.filter(([at]) => at >= from && at <= to));
  curves.set(key, curve);
}
