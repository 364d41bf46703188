/** The timeline as text, fit to paste as a handover. The console's pages also use this, so it does not load zod. */
import type { Timeline, TimelineRow } from './timeline-api.ts';

const width = 80;
/** Details of one row: a handover is read as a whole. */
const mostDetails = 8;

/** @param timezone default: that of this computer */
export function timelineText(timeline: Timeline, timezone?: string): string[] {
  const { rack, since, until, rows, truncated, omitsAudit } = timeline;
  const clock = clockIn(timezone);
  const [from, to] = [clock(since), clock(until)];
  const lines = [
    `${rack}, ${from.day} ${from.time} to ${to.day} ${to.time} (${to.offset})`,
    ...summaryOf(timeline, clock).flatMap((line) => wrapped('', line)),
  ];
  if (truncated) lines.push('Older events are omitted; choose a shorter period.');
  if (omitsAudit) lines.push('Changes in the audit logs require the operate role.');
  let heading = '';
  for (const row of rows) {
    const at = clock(row.at);
    const { day } = at;
    // When summer time ends, an hour has two offsets.
    const next = at.offset === to.offset ? day : `${day} (${at.offset})`;
    if (next !== heading) lines.push('', next);
    heading = next;
    lines.push(
      ...wrapped(
        `${at.time}  `,
        rowText(row, (time) => shortly(clock(time), day)),
      ),
    );
    const more = row.details.length - mostDetails;
    for (const detail of [
      ...row.details.slice(0, mostDetails),
      ...(more > 0 ? [`and ${more} more`] : []),
    ]) {
      lines.push(...wrapped('          - ', detail));
    }
  }
  if (rows.length === 0) lines.push('', nothingIn(timeline));
  return lines;
}

/** Takes the place of rows if there are none: without the events of a source, nobody knows that nothing happened. */
export function nothingIn({ missing }: Pick<Timeline, 'missing'>): string {
  return missing.length > 0 ? 'No events are known.' : 'Nothing happened.';
}

/** `since …: worse, better, waiting longest`, and sources that did not respond. */
export function summaryOf(
  { worse, better, waiting, missing }: Timeline,
  clock: (time: string) => Clock,
): string[] {
  const named = (machines: Timeline['worse']) =>
    machines === undefined
      ? 'unknown'
      : machines.count === 0
        ? 'no machines'
        : `${machines.count}: ${machines.where}`;
  const at = (time: string) => `${clock(time).day} ${clock(time).time}`;
  return [
    `worse: ${named(worse)}`,
    `better: ${named(better)}`,
    `waiting longest: ${waiting ? `${waiting.machine} since ${at(waiting.since)}: ${waiting.text}` : worse ? 'no machine' : 'unknown'}`,
    ...missing.map(
      ({ source, why, since }) =>
        `${source}: events are missing${since ? ` since ${at(since)}` : ''}: ${why}`,
    ),
  ];
}

/** @param at a time as text */
export function rowText(
  { text, where, until, endedAt }: TimelineRow,
  at: (time: string) => string,
) {
  const end = endedAt ? `; until ${at(endedAt)}` : until ? `; ends ${at(until)}` : '';
  return `${text}${where && `: ${where}`}${end}`;
}

export interface Clock {
  /** `2026-11-27` */
  day: string;
  /** `03:09:55` */
  time: string;
  /** `GMT+01:00` */
  offset: string;
}

export function clockIn(timezone: string | undefined): (time: string | number) => Clock {
  const format = new Intl.DateTimeFormat('sv-SE', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
    timeZoneName: 'longOffset',
    ...(timezone !== undefined && { timeZone: timezone }),
  });
  return (text) => {
    const [day = '', time = '', offset = ''] = format
      .format(new Date(text))
      .replace('−', '-')
      .split(' ');
    return { day, time, offset };
  };
}

/** Without the day, if it is the same. */
export function shortly({ day, time }: Clock, today: string): string {
  return day === today ? time : `${day} ${time}`;
}

/** Breaks lines between words, and after commas. */
export function wrapped(start: string, text: string): string[] {
  const indent = ' '.repeat(start.length || 2);
  const lines: string[] = [];
  let line = start;
  for (const piece of text.replaceAll(/\s+/g, ' ').match(/[^\s,]*,*\s?/g) ?? []) {
    const isWide = line.length + piece.trimEnd().length > width;
    if (isWide && line !== start && line !== indent) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += piece;
  }
  return [...lines, line.trimEnd()];
}
