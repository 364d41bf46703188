/** A bill of materials of images: what each one contains, with licences. */
import { billOfMaterials, component } from '../bundle/third-parties.mjs';
import { merged, ofNode } from './bills.mjs';

/** @import { Component } from '../bundle/third-parties.mjs' */

/**
 * For `sh`, in an image: Node's version and the Debian packages; after an empty line, lines of these packages that name licences; after another
 * one, the bill of the image's program.
 */
export const contentScript = `node --version
dpkg-query --show --showformat '\${binary:Package} \${Version} \${Architecture}\\n'
echo
cd /usr/share/doc
grep -EHo '^License: .*|/usr/share/common-licenses/[[:alnum:].+-]+' */copyright || true
echo
for each in /opt/skolo/*/*/sbom.cdx.json; do if [ -e "$each" ]; then cat "$each"; fi; done`;

/**
 * @typedef {object} Content of an image
 * @property {[name: string, version: string][]} packages of Debian
 * @property {Component[]} components
 */

/**
 * @param {string} printed by the script
 * @returns {Content}
 */
export function contentOf(printed) {
  const [programs = '', licences = '', bill = ''] = printed.split('\n\n');
  const [node = '', ...lines] = programs.split('\n');
  const byPackage = licencesOf(licences);
  const packages = lines.map((line) => line.split(' '));
  return {
    packages: packages.map(([name = '', version = '']) => [name, version]),
    components: [
      component('platform', ofNode(node.replace('v', ''))),
      ...packages.map(([name = '', version = '', arch = '']) => {
        const [shortName = ''] = name.split(':');
        const purl = `pkg:deb/debian/${encodeURIComponent(shortName)}@${encodeURIComponent(version)}?arch=${arch}`;
        const named = byPackage.get(shortName) ?? [`see /usr/share/doc/${shortName}/copyright`];
        // Debian has its own identifiers.
        const licenses = named.map((each) => ({ license: { name: each } }));
        return { type: 'library', 'bom-ref': purl, name: shortName, version, purl, licenses };
      }),
      ...(bill.trim() === '' ? [] : JSON.parse(bill).components),
    ],
  };
}

/**
 * @param {string} lines `PACKAGE/copyright:…`
 * @returns {Map<string, string[]>} licences by package
 */
function licencesOf(lines) {
  /** @type {Map<string, Set<string>>} */
  const found = new Map();
  for (const line of lines.split('\n')) {
    const [, name, text = ''] = /^(.+)\/copyright:(?:License: |.*\/)(.*)$/.exec(line) ?? [];
    const licence = text.trim().replace(/[.-]+$/, '');
    if (name === undefined || !isIdentifier(licence)) continue;
    found.set(name, (found.get(name) ?? new Set()).add(licence));
  }
  return new Map([...found].map(([name, licences]) => [name, [...licences].sort()]));
}

/**
 * Some packages have the text of the licence where its identifier should be.
 *
 * @param {string} licence
 */
function isIdentifier(licence) {
  const parts = licence.split(/,? (?:and|or|with) /);
  return parts.every((part) => /^\S+(?: \S+)?$/.test(part));
}

/**
 * @typedef {object} Base
 * @property {string} name
 * @property {string} digest
 * @property {'manifest' | 'image ID'} digestOf
 */

/**
 * @param {object} of
 * @param {string} of.version
 * @param {string} of.arch
 * @param {Base} of.base
 * @param {ReadonlyMap<string, Content>} of.images by their names
 */
export function billOfImages({ version, arch, base, images }) {
  const purl = `pkg:generic/skolo-images@${version}?arch=${arch}`;
  const baseImage = {
    type: 'container',
    'bom-ref': base.name,
    name: base.name,
    version: base.digest,
    properties: [{ name: 'skolo:digest-of', value: base.digestOf }],
  };
  const containers = [...images.keys()].map((name) => {
    const licenses = [{ license: { id: 'Apache-2.0' } }];
    return { type: 'container', 'bom-ref': name, name, version, licenses };
  });
  const inside = [...images.values()].flatMap(({ components }) => components);
  return billOfMaterials(
    { name: 'skolo-images', version, license: 'Apache-2.0', purl },
    [baseImage, ...containers, ...merged(inside)],
    [...images].map(([name, { components }]) => ({
      ref: name,
      dependsOn: [base.name, ...components.map((each) => each['bom-ref'])],
    })),
  );
}
