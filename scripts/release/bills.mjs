/** Writes bills of materials of files of a release that contain Node as well as programs, which have their own. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { billOfMaterials, component } from '../bundle/third-parties.mjs';

/** @import { Component, Named, ThirdParty } from '../bundle/third-parties.mjs' */

/**
 * The version of Node that runs this program.
 *
 * @param {string} licence file with its licence, and with those of the libraries in it
 * @returns {ThirdParty}
 */
export function nodeItself(licence) {
  return { ...ofNode(process.versions.node), text: readFileSync(licence, 'utf8').trim() };
}

/**
 * @param {string} version
 * @returns {Named}
 */
export function ofNode(version) {
  return { name: 'node', version, license: 'MIT', purl: `pkg:generic/node@${version}` };
}

/**
 * @param {Named} program
 * @param {Named} node
 * @param {string} folder as /opt/skolo, with the programs
 */
export function billWithNode(program, node, folder) {
  const libraries = globSync('*/*/sbom.cdx.json', { cwd: folder }).flatMap(
    (path) => JSON.parse(readFileSync(join(folder, path), 'utf8')).components,
  );
  return billOfMaterials(program, [component('platform', node), ...merged(libraries)]);
}

/**
 * The components of several programs, without duplicates.
 *
 * @param {Component[]} components
 */
export function merged(components) {
  const byName = new Map(components.map((each) => [each['bom-ref'], each]));
  return [...byName.keys()].sort().flatMap((name) => byName.get(name) ?? []);
}
