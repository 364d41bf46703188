/** Reads a database of vulnerabilities in OSV's form, and finds those of packages of npm. Source: https://ossf.github.io/osv-schema/ */
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

export const severities = /** @type {const} */ (['low', 'moderate', 'high', 'critical']);

/** @typedef {(typeof severities)[number]} Severity */

const Event = z.looseObject({
  introduced: z.string().optional(),
  fixed: z.string().optional(),
  last_affected: z.string().optional(),
});
const Affected = z.looseObject({
  package: z.looseObject({ ecosystem: z.string(), name: z.string() }).optional(),
  // Those of git are ranges of commits.
  ranges: z.array(z.looseObject({ type: z.string(), events: z.array(Event) })).default([]),
  versions: z.array(z.string()).default([]),
});
const Vulnerability = z.looseObject({
  id: z.string(),
  aliases: z.array(z.string()).default([]),
  summary: z.string().default(''),
  withdrawn: z.string().optional(),
  affected: z.array(Affected).default([]),
  // GitHub's advisories, from which most entries for npm come, have a word here; others only have CVSS vectors, or nothing.
  database_specific: z.looseObject({ severity: z.unknown() }).partial().optional(),
});

/** @typedef {z.output<typeof Vulnerability>} Vulnerability */

/**
 * @param {string} path a file with a record or a list of them, a directory of such files, or a ZIP of them, as OSV publishes
 * @returns {Iterable<Vulnerability>}
 * @throws {Error} it is empty, or not in OSV's form
 */
export function* vulnerabilitiesIn(path) {
  const unpacked = path.endsWith('.zip') ? mkdtempSync(join(tmpdir(), 'skolo-osv-')) : undefined;
  try {
    if (unpacked) execFileSync('python3', ['-m', 'zipfile', '-e', path, unpacked]);
    const from = unpacked ?? path;
    const files = statSync(from).isDirectory()
      ? globSync('**/*.json', { cwd: from }).map((name) => join(from, name))
      : [from];
    let count = 0;
    for (const file of files) {
      for (const record of [JSON.parse(readFileSync(file, 'utf8'))].flat()) {
        const parsed = Vulnerability.safeParse(record);
        if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
        count += 1;
        yield parsed.data;
      }
    }
    // An empty database would find nothing, as if there were nothing.
    if (count === 0) throw new Error(`${path}: no entries; specify a database in OSV's form`);
  } finally {
    if (unpacked) rmSync(unpacked, { recursive: true });
  }
}

/**
 * Undefined: nobody has rated it. Then it may be anything.
 *
 * @param {Vulnerability} vulnerability
 */
export function severityOf({ database_specific: specific }) {
  const word = String(specific?.severity).toLowerCase();
  return severities.find((each) => each === word);
}

/**
 * Whether a version is affected, and the versions that are not, as far as the entry names them.
 *
 * @param {Vulnerability} vulnerability
 * @param {string} name
 * @param {string} version
 */
export function affects({ withdrawn, affected }, name, version) {
  const entries = affected.filter(
    (each) => each.package?.ecosystem === 'npm' && each.package.name === name,
  );
  const ranges = entries.flatMap((each) => each.ranges.filter(({ type }) => type !== 'GIT'));
  const isAffected =
    withdrawn === undefined &&
    (entries.some(({ versions }) => versions.includes(version)) ||
      ranges.some(({ events }) => isWithin(events, version)));
  const fixes = ranges.flatMap(({ events }) => events.flatMap(({ fixed }) => fixed ?? []));
  return { isAffected, fixes: [...new Set(fixes)] };
}

/**
 * The schema's evaluation: events in the order of their versions, each of which begins or ends a range.
 *
 * @param {z.output<typeof Event>[]} events
 * @param {string} version
 */
function isWithin(events, version) {
  const sorted = events.toSorted((a, b) => compareVersions(versionOf(a), versionOf(b)));
  let isIn = false;
  for (const { introduced, fixed, last_affected: last } of sorted) {
    if (introduced !== undefined && compareVersions(version, introduced) >= 0) isIn = true;
    if (fixed !== undefined && compareVersions(version, fixed) >= 0) isIn = false;
    if (last !== undefined && compareVersions(version, last) > 0) isIn = false;
  }
  return isIn;
}

/** @param {z.output<typeof Event>} event */
function versionOf({ introduced, fixed, last_affected: last }) {
  return introduced ?? fixed ?? last ?? '0';
}

/**
 * The order of https://semver.org/#spec-item-11, in which OSV's `0` is before everything.
 *
 * @param {string} a
 * @param {string} b
 */
function compareVersions(a, b) {
  if (a === '0' || b === '0') return Number(b === '0') - Number(a === '0');
  const [first, second] = [partsOf(a), partsOf(b)];
  return compare(first.core, second.core) || comparePrereleases(first.pre, second.pre);
}

/** @param {string} version */
function partsOf(version) {
  const [, core = '', pre] = /^v?([^-+]*)(?:-([^+]*))?/.exec(version) ?? [];
  return { core: core.split('.'), pre: pre?.split('.') };
}

/**
 * @param {string[] | undefined} a
 * @param {string[] | undefined} b
 */
function comparePrereleases(a, b) {
  // A version without one is later.
  return a && b ? compare(a, b) : Number(a === undefined) - Number(b === undefined);
}

/**
 * @param {string[]} a
 * @param {string[]} b
 */
function compare(a, b) {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [one, other] = [a[at], b[at]];
    if (one === other) continue;
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1;
    const areNumbers = [one, other].map((each) => /^\d+$/.test(each));
    if (areNumbers[0] && areNumbers[1]) return Math.sign(Number(one) - Number(other));
    // Numbers are before words.
    if (areNumbers[0] !== areNumbers[1]) return areNumbers[0] ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return 0;
}
