/** Third-party packages in a bundle: their licences, and a bill of materials. Bundling leaves neither of them anywhere else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../node.mjs';

/**
 * @typedef {object} ThirdParty
 * @property {string} name
 * @property {string} version
 * @property {string | undefined} license an SPDX expression
 * @property {string} text of its licence
 */

/**
 * The packages that these files belong to, each once.
 *
 * @param {string[]} inputs files of the bundle, relative to the top of the repository
 * @returns {ThirdParty[]}
 */
export function thirdParties(inputs) {
  const folders = [...new Set(inputs.flatMap((path) => packageFolder(path) ?? []))].sort();
  return folders.map(read);
}

/**
 * Each package with its version under the text of its licence. A text that several packages share is printed once.
 *
 * @param {ThirdParty[]} packages
 */
export function licenceTexts(packages) {
  /** @type {Map<string, string[]>} */
  const names = new Map();
  for (const { name, version, license, text } of packages) {
    const line = `${name} ${version} (${license ?? 'no licence named'})`;
    names.set(text, [...(names.get(text) ?? []), line]);
  }
  return [...names]
    .map(([text, named]) => `${named.join('\n')}\n\n${text}\n`)
    .join(`\n${'-'.repeat(80)}\n\n`);
}

/**
 * A bill of materials in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). It has neither a time nor a random serial number, so
 * the same commit makes the same bytes.
 *
 * @param {Omit<ThirdParty, 'text'>} program
 * @param {Omit<ThirdParty, 'text'>[]} packages
 */
export function billOfMaterials(program, packages) {
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: component('application', program) },
    components: packages.map((each) => component('library', each)),
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

/**
 * @param {'application' | 'library'} type
 * @param {Omit<ThirdParty, 'text'>} of
 */
function component(type, { name, version, license }) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  // A single identifier is a licence, and several with operators are an expression.
  const licenses = /\s/.test(license ?? '')
    ? [{ expression: license }]
    : [{ license: license === undefined ? { name: 'not named' } : { id: license } }];
  return { type, 'bom-ref': purl, name, version, purl, licenses };
}

/** @param {string} path */
function packageFolder(path) {
  // What a plugin has made of it has the plugin's name before it.
  return /^(?:[\w-]+:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

/**
 * @param {string} folder
 * @returns {ThirdParty}
 */
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
    name,
    version,
    license,
    text:
      text?.replaceAll('\r\n', '\n').trim() ??
      'Its package does not contain the text of the licence.',
  };
}
