/** Output of `skolo alerts watch`. */
import type { LocationReport } from '@skolo/alerts';
import { complain, exitCodes } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { jsonText, plain, type Style, styled } from '../../output/text.ts';
import { duration, timestamp } from '../../output/time.ts';
import type { WatchFacts } from './watcher.ts';

/** Sets the exit code. */
export function printOnce(io: Io, { report, blindWhy }: WatchFacts, json: boolean): void {
  const { locations, unexpected } = report;
  const isWell = locations.every(({ state }) => state === 'well') && blindWhy === undefined;
  io.exitCode = isWell ? exitCodes.done : exitCodes.failed;
  const others = unexpected.map(({ location }) => location).sort();
  if (json) {
    const blind = blindWhy === undefined ? {} : { blind: blindWhy };
    printJson(io, { locations: locations.map(asJson), unexpected: others, ...blind });
    return;
  }
  printTable(io, columns, locations);
  if (others.length > 0) io.err(`unexpected locations: ${others.join(', ')}`);
  if (blindWhy !== undefined) complain(io, `Pub/Sub is unreachable: ${blindWhy}`);
}

const columns: Column<LocationReport>[] = [
  { title: 'LOCATION', cell: ({ location }) => location, shrinkTo: 12 },
  { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => styles[state] },
  {
    title: 'HEARTBEAT',
    cell: ({ lastHeard }) => (lastHeard === undefined ? 'never' : timestamp(lastHeard)),
  },
  {
    title: 'QUEUED',
    cell: ({ heartbeat }) => heartbeat?.spoolDepth?.toString(),
    align: 'right',
    leaveOut: 1,
  },
  { title: 'VERSION', cell: ({ heartbeat }) => heartbeat?.version, leaveOut: 0 },
  { title: 'WHY', cell: (report, now) => whyOf(report, now), shrinkTo: 20 },
];

const styles: Record<LocationReport['state'], Style | undefined> = {
  well: 'green',
  unhealthy: 'red',
  silent: 'red',
  waiting: 'yellow',
};

function whyOf({ state, lastHeard, since, heartbeat }: LocationReport, now: number) {
  if (state === 'unhealthy') return heartbeat?.why ?? 'no reason given';
  if (state !== 'silent') return undefined;
  return lastHeard === undefined
    ? `no heartbeat since ${timestamp(since)}`
    : `silent for ${duration((now - lastHeard) / 1000)}`;
}

function asJson(report: LocationReport) {
  const { location, state, since, silentSince, lastHeard, heartbeat } = report;
  const time = (ms: number | undefined) =>
    ms === undefined ? undefined : new Date(ms).toISOString();
  return {
    location,
    state,
    expectedSince: time(since),
    silentSince: time(silentSince),
    lastHeard: time(lastHeard),
    why: state === 'unhealthy' ? heartbeat?.why : undefined,
    version: heartbeat?.version,
    spoolDepth: heartbeat?.spoolDepth,
    spoolOldestSeconds: heartbeat?.spoolOldestSeconds,
  };
}

interface Change {
  /** `-` for the watch itself. */
  location: string;
  state: string;
  style?: Style;
  text?: string | undefined;
  facts?: object;
}

const stateWidth = 'unexpected'.length;

/** Prints changes since the last report. */
export function printChanges(io: Io, json: boolean): (facts: WatchFacts) => void {
  const before: Printed = { locations: new Map(), unexpected: new Set(), blindSince: undefined };
  return (facts) => {
    for (const change of changesOf(before, facts, io.now())) {
      io.out(json ? jsonOf(change, io.now()) : lineOf(change, io));
    }
    const { locations, unexpected, blindSince } = facts.report;
    const known = locations.filter(({ state }) => state !== 'waiting');
    for (const each of known) before.locations.set(each.location, each);
    for (const { location } of unexpected) before.unexpected.add(location);
    before.blindSince = blindSince;
  };
}

interface Printed {
  locations: Map<string, LocationReport>;
  unexpected: Set<string>;
  blindSince: number | undefined;
}

function changesOf(before: Printed, facts: WatchFacts, now: number): Change[] {
  const { locations, unexpected, blindSince } = facts.report;
  const { blindSince: blindBefore, locations: previous, unexpected: known } = before;
  return [
    ...(blindSince === undefined || blindBefore !== undefined
      ? []
      : [{ location: '-', state: 'blind', style: 'red' as const, text: facts.blindWhy }]),
    ...(blindSince === undefined && blindBefore !== undefined
      ? [{ location: '-', state: 'listening', text: `after ${seconds(now - blindBefore)}` }]
      : []),
    ...locations.flatMap((each) => changeOf(previous.get(each.location), each, now)),
    ...unexpected
      .filter(({ location }) => !known.has(location))
      .map(({ location }) => ({ location, state: 'unexpected', text: 'not expected' })),
  ];
}

function changeOf(
  before: LocationReport | undefined,
  after: LocationReport,
  now: number,
): Change[] {
  const { location, state, heartbeat } = after;
  const isSame = state === before?.state && heartbeat?.why === before?.heartbeat?.why;
  if (isSame || state === 'waiting') return [];
  const silence =
    before?.silentSince === undefined
      ? ''
      : `after ${seconds(now - before.silentSince)} of silence`;
  const text = [silence, whyOf(after, now)].filter(Boolean).join(': ');
  const style = state === 'well' ? 'green' : 'red';
  return [{ location, state, style, text, facts: asJson(after) }];
}

function seconds(ms: number): string {
  return duration(ms / 1000);
}

function lineOf({ location, state, style, text = '' }: Change, { colour, now }: Io): string {
  const shown = styled(state.padEnd(stateWidth), style, colour);
  return [timestamp(now()), plain(location), shown, plain(text)].join('  ').trimEnd();
}

function jsonOf({ location, state, text, facts }: Change, now: number): string {
  return jsonText({ at: new Date(now).toISOString(), location, state, text, ...facts });
}
