/** Who wrote what is in a bundle, and under what licence: bundling leaves it nowhere else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../ensure.mjs';

/**
 * Each package with its version and its licence's text.
 * @param {string[]} inputs files of the bundle, from the top of the repository
 */
export function thirdParties(inputs) {
  const folders = new Set(inputs.flatMap((path) => packageFolder(path) ?? []));
  return [...folders]
    .sort()
    .map(describe)
    .join(`\n${'-'.repeat(80)}\n`);
}

/** @param {string} path */
function packageFolder(path) {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

/** @param {string} folder */
function describe(folder) {
  const { name, version, license } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  );
  const file = readdirSync(join(root, folder)).find((entry) =>
    /^(?:licen[cs]e|copying)(?:[.-]|$)/i.test(entry),
  );
  const text = file ? `\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n` : '';
  return `${name} ${version}, ${license ?? 'no licence named'}\n${text}`;
}
