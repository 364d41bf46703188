/** Decides which licences may ship. docs/reference/dependencies.md has the reasons. */

/** Of SPDX (https://spdx.org/licenses/). Their only condition is that their text is included, which each bundle does. */
const allowed = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Unlicense',
];

/**
 * @param {string | undefined} licence an SPDX expression
 */
export function mayShip(licence) {
  const choices = licence?.replaceAll(/[()]/g, '').split(/ OR /) ?? [];
  return choices.some((each) => each.split(/ AND /).every((part) => allowed.includes(part)));
}
