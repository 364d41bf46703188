/** Computes the size of a bundle, and how much of it only Google's clients require. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Clients that are only loaded if rack.yaml uses them. */
const clients = {
  pubsub: 'node_modules/@google-cloud/pubsub/',
  storage: 'node_modules/@google-cloud/storage/',
};

/**
 * @typedef {object} Sizes in bytes
 * @property {string} name
 * @property {number} own code that is or may be loaded, without the clients
 * @property {number} pubsub code that only the Pub/Sub client needs
 * @property {number} storage code that only the Cloud Storage client needs
 * @property {number} other files other than JavaScript
 */

/**
 * @param {import('esbuild').Metafile} metafile
 * @param {string} folder that the bundle was written to
 * @returns {Omit<Sizes, 'name'>}
 */
export function shares({ outputs }, folder) {
  const main = Object.keys(outputs).find((path) => outputs[path]?.entryPoint?.endsWith('/main.ts'));
  if (main === undefined) throw new Error('esbuild wrote no main');
  /** @param {string} [except] */
  const bytesWithout = (except) => bytesOf(reached(main, except));
  /** @param {Set<string>} paths */
  const bytesOf = (paths) => [...paths].reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0);
  const all = bytesWithout();
  const pubsub = all - bytesWithout(clients.pubsub);
  const storage = all - bytesWithout(clients.storage);
  const { scripts, other } = filesOf(folder);
  return { own: scripts - pubsub - storage, pubsub, storage, other };

  /**
   * All files that this one loads, statically or dynamically, except through a client.
   * @param {string} path
   * @param {string | undefined} except
   * @param {Set<string>} seen
   */
  function reached(path, except, seen = new Set()) {
    const output = outputs[path];
    if (!output || seen.has(path)) return seen;
    if (except !== undefined && output.entryPoint?.includes(except)) return seen;
    seen.add(path);
    for (const imported of output.imports) {
      if (!imported.external) reached(imported.path, except, seen);
    }
    return seen;
  }
}

/** @param {string} folder */
function filesOf(folder) {
  let [scripts, other] = [0, 0];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { size } = statSync(path);
    if (path.includes('/dist/')) scripts += size;
    else other += size;
  }
  return { scripts, other };
}

/** @param {Sizes[]} sizes */
export function sizeTable(sizes) {
  const header = ['kB', 'bundle', 'other files', 'sum', 'Pub/Sub', 'Cloud Storage'];
  const rows = sizes.map(({ name, own, other, pubsub, storage }) => {
    return [name, ...[own, other, own + other, pubsub, storage].map(kilobytes)];
  });
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

/** @param {number} bytes */
function kilobytes(bytes) {
  return bytes === 0 ? '-' : Math.round(bytes / 1000).toLocaleString('en');
}
