/** Decides which version an operator means: an ID, its beginning, a date, the newest. */
import { BackupError } from '@skolo/equipment/models/configuration';
import type { Version } from './source.ts';

const shortestId = 4;
const relative = /^latest(?:~(?<count>\d{1,9}))?$/;

/**
 * `latest`, `latest~2` (two before it), an id or its prefix, or a date or time: the version current at that time, or at the end of that day
 * (UTC).
 *
 * @param versions of one device, newest first
 * @param idOf the IDs that are accepted
 * @throws BackupError `not-found`
 */
export function resolveVersion<V extends Pick<Version, 'id' | 'time'>>(
  versions: readonly V[],
  wanted: string,
  idOf = ({ id }: V) => id,
): V {
  const newest = versions[0];
  if (!newest) throw notFound('no versions have been stored yet');
  const back = relative.exec(wanted)?.groups;
  if (back) return versions[Number(back.count ?? 0)] ?? fewer(versions, wanted);
  const time = timeOf(wanted);
  if (time !== undefined) return activeAt(versions, time, wanted);
  return byId(versions, wanted, idOf);
}

/** Whether it is an ID or its beginning, not a time or relative to the newest. */
export function isId(wanted: string): boolean {
  return !relative.test(wanted) && timeOf(wanted) === undefined;
}

function fewer(versions: readonly unknown[], wanted: string): never {
  throw notFound(`${wanted} does not exist: the history contains ${count(versions.length)}`);
}

function activeAt<V extends Pick<Version, 'time'>>(
  versions: readonly V[],
  time: number,
  wanted: string,
) {
  const found = versions.find((version) => Date.parse(version.time) <= time);
  if (found) return found;
  throw notFound(`there was no version at ${wanted}; the oldest is from ${versions.at(-1)?.time}`);
}

function byId<V>(versions: readonly V[], wanted: string, idOf: (version: V) => string): V {
  const exact = versions.find((version) => idOf(version) === wanted);
  if (exact) return exact;
  const known = versions.map(idOf);
  const found = versions.filter((version) => idOf(version).startsWith(wanted));
  const [only, another] = found;
  if (only && !another && wanted.length >= shortestId) return only;
  if (only && wanted.length < shortestId) {
    throw notFound(`${wanted} is too short: specify at least ${shortestId} characters of an ID`);
  }
  if (only) throw notFound(`${wanted} matches ${count(found.length)}: ${ids(found.map(idOf))}`);
  throw notFound(
    `${JSON.stringify(wanted.slice(0, 100))} does not exist; specify latest, latest~1, a date such as 2026-11-19, or an ID: ${ids(known)}`,
  );
}

/** Milliseconds since 1970; undefined if it is not a date or time. */
function timeOf(wanted: string): number | undefined {
  const isDate = /^\d{4}-\d\d-\d\d$/.test(wanted);
  if (
    !isDate &&
    !/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(wanted)
  ) {
    return undefined;
  }
  const time = Date.parse(
    isDate ? `${wanted}T23:59:59.999Z` : wanted.toUpperCase().replace(' ', 'T'),
  );
  const isReal =
    !Number.isNaN(time) && (!isDate || new Date(time).toISOString().startsWith(wanted));
  if (!isReal) throw notFound(`${wanted} is not a valid date or time`);
  return time;
}

function ids(all: readonly string[]) {
  const shown = all.slice(0, 5).map((id) => (/^[0-9a-f]{40}$/.test(id) ? id.slice(0, 10) : id));
  return shown.join(', ') + (all.length > shown.length ? ', …' : '');
}

function count(versions: number) {
  return versions === 1 ? 'one version' : `${versions} versions`;
}

function notFound(message: string) {
  return new BackupError('not-found', message);
}
