/**
 * `npm run scan -- --database PATH`: compares the packages in package-lock.json with a database of known vulnerabilities, and their licences
 * with those that may ship (docs/reference/dependencies.md).
 *
 * --database PATH   in OSV's form: a file, a directory, a ZIP of files, or the URL of one
 * --threshold WORD  low (the default), moderate, high or critical: less severe findings are printed, and do not fail. An entry without
 *                   a severity fails at any threshold
 * --vex FILE        statements about what does not affect skolo, in OpenVEX's form; default: docs/reference/vex.json
 * --lock FILE       instead of package-lock.json
 *
 * Exits with 1 if there are findings, and 2 if it could not compare.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { licenceOf } from '../bundle/third-parties.mjs';
import { root } from '../node.mjs';
import { mayShip } from './licences.mjs';
import { affects, severities, severityOf, vulnerabilitiesIn } from './osv.mjs';
import { statementsIn, whyNotAffected } from './vex.mjs';

const Lock = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      license: z.string().optional(),
      link: z.boolean().default(false),
      dev: z.boolean().default(false),
    }),
  ),
});

try {
  const options = readOptions();
  const database = /^https?:/.test(options.database)
    ? await download(options.database)
    : options.database;
  process.exitCode = scan({ ...options, database }) ? 0 : 1;
} catch (error) {
  console.error(`scan: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
}

/**
 * @param {ReturnType<typeof readOptions>} options
 * @returns whether nothing was found that fails
 */
function scan({ database, threshold, vex, lock }) {
  const packages = packagesIn(lock);
  const statements = statementsIn(vex);
  const found = [];
  let entries = 0;
  for (const vulnerability of vulnerabilitiesIn(database)) {
    entries += 1;
    const names = vulnerability.affected.flatMap((each) => each.package?.name ?? []);
    for (const name of new Set(names)) {
      for (const each of packages.get(name) ?? []) {
        const { isAffected, fixes } = affects(vulnerability, each.name, each.version);
        if (isAffected) found.push({ vulnerability, ...each, fixes });
      }
    }
  }
  let isClean = true;
  for (const { vulnerability, name, version, isDevelopment, fixes } of found) {
    const ids = [vulnerability.id, ...vulnerability.aliases];
    const severity = severityOf(vulnerability);
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
    const why = whyNotAffected(statements, { ids, purl });
    const isBelow =
      severity !== undefined && severities.indexOf(severity) < severities.indexOf(threshold);
    const verdict = why ? `not affected: ${why}` : isBelow ? 'below the threshold' : 'fails';
    if (verdict === 'fails') isClean = false;
    const where = isDevelopment ? ' (development only)' : '';
    const fix = fixes.length > 0 ? `fixed in ${fixes.join(', ')}` : 'no fixed version';
    console.log(
      `${name} ${version}${where}: ${ids.join(', ')}: ${severity ?? 'severity unknown'}: ${vulnerability.summary}; ${fix}; ${verdict}`,
    );
  }
  const all = [...packages.values()].flat();
  const shipped = all.filter(({ isDevelopment }) => !isDevelopment);
  for (const { name, version, licence } of shipped.filter((each) => !mayShip(each.licence))) {
    isClean = false;
    console.log(
      `${name} ${version}: licence ${licence ?? 'not specified'}; see docs/reference/dependencies.md`,
    );
  }
  console.log(
    `${all.length} packages (${shipped.length} may ship) compared with ${entries} entries: ${isClean ? 'nothing at or above' : 'findings at or above'} ${threshold}`,
  );
  return isClean;
}

/** @param {string} url */
async function download(url) {
  const answer = await fetch(url);
  if (!answer.ok || answer.body === null) throw new Error(`${url}: HTTP ${answer.status}`);
  const work = mkdtempSync(join(tmpdir(), 'skolo-osv-'));
  process.once('exit', () => rmSync(work, { recursive: true }));
  const file = join(work, basename(new URL(url).pathname));
  await writeFile(file, answer.body);
  return file;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      database: { type: 'string' },
      threshold: { type: 'string', default: 'low' },
      vex: { type: 'string', default: join(root, 'docs/reference/vex.json') },
      lock: { type: 'string', default: join(root, 'package-lock.json') },
    },
  });
  const { database } = values;
  if (database === undefined) throw new Error('specify --database PATH');
  const threshold = severities.find((each) => each === values.threshold);
  if (threshold === undefined) {
    throw new Error(`--threshold ${values.threshold}: specify ${severities.join(', ')}`);
  }
  return { ...values, database, threshold };
}

/**
 * Packages from the registry, by name.
 *
 * @param {string} file
 */
function packagesIn(file) {
  const { packages } = Lock.parse(JSON.parse(readFileSync(file, 'utf8')));
  /** @type {Map<string, { name: string, version: string, licence: string | undefined, isDevelopment: boolean }>} */
  const all = new Map();
  for (const [path, { version, license, link, dev }] of Object.entries(packages)) {
    const name = path.split('node_modules/').at(-1) ?? '';
    if (link || name === path || version === undefined) continue;
    const key = `${name} ${version}`;
    // npm installs some versions in several directories.
    const isDevelopment = dev && (all.get(key)?.isDevelopment ?? true);
    all.set(key, { name, version, licence: license ?? licenceOf(path), isDevelopment });
  }
  return Map.groupBy(all.values(), ({ name }) => name);
}
