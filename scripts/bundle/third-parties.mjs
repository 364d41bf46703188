/** Who wrote what is in a bundle, and under what licence: bundling leaves it nowhere else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../node.mjs';

/**
 * Each package with its version, under the text of its licence; a text that many have is there once.
 * @param {string[]} inputs files of the bundle, from the top of the repository
 */
export function thirdParties(inputs) {
  const folders = [...new Set(inputs.flatMap((path) => packageFolder(path) ?? []))].sort();
  /** @type {Map<string, string[]>} */
  const names = new Map();
  for (const folder of folders) {
    const { name, text } = read(folder);
    names.set(text, [...(names.get(text) ?? []), name]);
  }
  return [...names]
    .map(([text, named]) => `${named.join('\n')}\n\n${text}\n`)
    .join(`\n${'-'.repeat(80)}\n\n`);
}

/** @param {string} path */
function packageFolder(path) {
  // What a plugin has made of it has the plugin's name before it.
  return /^(?:[\w-]+:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

/** @param {string} folder */
function read(folder) {
  // Some name it in npm's previous way: a list of objects.
  const {
    name,
    version,
    licenses,
    license = licenses?.[0]?.type,
  } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const file = readdirSync(join(root, folder))
    .sort()
    .find((entry) => /^(?:licen[cs]e|copying)(?:[.-]|$)/i.test(entry));
  const text = file && readFileSync(join(root, folder, file), 'utf8');
  return {
    name: `${name} ${version} (${license ?? 'no licence named'})`,
    text: text?.replaceAll('\r\n', '\n').trim() ?? 'Its package brings no text of the licence.',
  };
}
