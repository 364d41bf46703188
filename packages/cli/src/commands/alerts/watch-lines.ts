/** What `skolo alerts watch` prints while it goes on: a line for each change. */
import type { LocationReport } from '@skolo/alerts';
import type { Io } from '../../io.ts';
import { type Style, styled } from '../../output/style.ts';
import { plain } from '../../output/text.ts';
import { duration, timestamp } from '../../output/time.ts';
import { asJson, whyOf } from './watch-once.ts';
import type { WatchFacts } from './watcher.ts';

interface Change {
  /** `-`: the watch itself. */
  location: string;
  state: string;
  style?: Style;
  text?: string | undefined;
  facts?: object;
}

const stateWidth = 'unexpected'.length;

/** Gets the facts again and again, and prints what is new in them. */
export function printChanges(io: Io, json: boolean): (facts: WatchFacts) => void {
  const before: Said = { locations: new Map(), unexpected: new Set(), blindSince: undefined };
  return (facts) => {
    for (const change of changesOf(before, facts, io.now())) {
      io.out(json ? jsonOf(change, io.now()) : lineOf(change, io));
    }
    const { locations, unexpected, blindSince } = facts.report;
    // Of those that are waited for, nothing is said.
    const said = locations.filter(({ state }) => state !== 'waiting');
    for (const each of said) before.locations.set(each.location, each);
    for (const { location } of unexpected) before.unexpected.add(location);
    before.blindSince = blindSince;
  };
}

interface Said {
  locations: Map<string, LocationReport>;
  unexpected: Set<string>;
  blindSince: number | undefined;
}

function changesOf(before: Said, facts: WatchFacts, now: number): Change[] {
  const { locations, unexpected, blindSince } = facts.report;
  const { blindSince: blindBefore, locations: former, unexpected: known } = before;
  return [
    ...(blindSince === undefined || blindBefore !== undefined
      ? []
      : [{ location: '-', state: 'blind', style: 'red' as const, text: facts.blindWhy }]),
    ...(blindSince === undefined && blindBefore !== undefined
      ? [{ location: '-', state: 'listening', text: `after ${seconds(now - blindBefore)}` }]
      : []),
    ...locations.flatMap((each) => changeOf(former.get(each.location), each, now)),
    ...unexpected
      .filter(({ location }) => !known.has(location))
      .map(({ location }) => ({ location, state: 'unexpected', text: 'heard, and not expected' })),
  ];
}

function changeOf(
  before: LocationReport | undefined,
  after: LocationReport,
  now: number,
): Change[] {
  const { location, state, heard } = after;
  const isSame = state === before?.state && heard?.why === before?.heard?.why;
  if (isSame || state === 'waiting') return [];
  const silence =
    before?.silentSince === undefined
      ? ''
      : `after ${seconds(now - before.silentSince)} of silence`;
  const text = [silence, whyOf(after, now) ?? ''].filter((part) => part !== '').join(': ');
  const style = state === 'well' ? 'green' : 'red';
  return [{ location, state, style, text, facts: asJson(after) }];
}

function seconds(ms: number): string {
  return duration(ms / 1000);
}

function lineOf({ location, state, style, text = '' }: Change, { colour, now }: Io): string {
  const shown = styled(state.padEnd(stateWidth), style, colour);
  return [timestamp(new Date(now())), plain(location), shown, plain(text)].join('  ').trimEnd();
}

function jsonOf({ location, state, text, facts }: Change, now: number): string {
  return JSON.stringify({ at: new Date(now).toISOString(), location, state, text, ...facts });
}
