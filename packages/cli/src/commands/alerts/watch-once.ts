/** What `skolo alerts watch --once` prints. */
import type { LocationReport } from '@skolo/alerts';
import { complain } from '../../errors.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import type { Style } from '../../output/style.ts';
import { type Column, printTable } from '../../output/table.ts';
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
  printTable(io, columns(io.now()), locations);
  if (others.length > 0) io.err(`also heard, and not expected: ${others.join(', ')}`);
  if (blindWhy !== undefined) complain(io, `nobody can be heard any more: ${blindWhy}`);
}

function columns(now: number): Column<LocationReport>[] {
  return [
    { title: 'LOCATION', cell: ({ location }) => location, shrinkTo: 12 },
    { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => styles[state] },
    {
      title: 'HEARD',
      cell: ({ lastHeard }) => (lastHeard === undefined ? 'never' : timestamp(new Date(lastHeard))),
    },
    {
      title: 'WAITING',
      cell: ({ heard }) => heard?.spoolDepth?.toString(),
      align: 'right',
      leaveOut: 1,
    },
    { title: 'VERSION', cell: ({ heard }) => heard?.version, leaveOut: 0 },
    { title: 'WHY', cell: (report) => whyOf(report, now), shrinkTo: 20 },
  ];
}

const styles: Record<LocationReport['state'], Style | undefined> = {
  well: 'green',
  unhealthy: 'red',
  silent: 'red',
  waiting: 'yellow',
};

export function whyOf({ state, lastHeard, since, heard }: LocationReport, now: number) {
  if (state === 'unhealthy') return heard?.why ?? 'it does not say why';
  if (state !== 'silent') return undefined;
  return lastHeard === undefined
    ? `never heard of since ${timestamp(new Date(since))}`
    : `silent for ${duration((now - lastHeard) / 1000)}`;
}

export function asJson(report: LocationReport) {
  const { location, state, since, silentSince, lastHeard, heard } = report;
  const time = (ms: number | undefined) =>
    ms === undefined ? undefined : new Date(ms).toISOString();
  return {
    location,
    state,
    expectedSince: time(since),
    silentSince: time(silentSince),
    lastHeard: time(lastHeard),
    why: state === 'unhealthy' ? heard?.why : undefined,
    version: heard?.version,
    spoolDepth: heard?.spoolDepth,
    spoolOldestSeconds: heard?.spoolOldestSeconds,
  };
}
