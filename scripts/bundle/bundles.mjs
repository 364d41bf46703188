/** Lists what each bundle contains: services, the command, and their other files. */
import { globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPages } from '@skolo/console/build';
import { parseRack, serviceNames, swarmingConfig } from '@skolo/rack';
import { shipped } from '../../packages/cli/src/shipped.ts';
import { root } from '../node.mjs';

/**
 * @typedef {object} Bundle
 * @property {string} name
 * @property {string} folder of the package: in the repository, and under /opt/skolo
 * @property {string} [installed] its folder under /opt/skolo, if another: units of running jumphosts name it
 * @property {string} leastNode the oldest supported version of Node: 22.15 for programs that run on arm/v7 or read Zstandard
 * @property {string[]} [programs] names of its programs (default: main)
 * @property {boolean} [hasDrivers] whether it loads the models' drivers, not only their facts
 * @property {string[]} [nodeFlags] Node and V8 flags in its image and its systemd unit
 * @property {string[]} copies files of the package to copy unchanged, in addition to the bundled code
 * @property {() => Promise<void>} [prepare] creates the files in `copies`
 * @property {string[]} [contains] packages in the copied files, for their licences
 * @property {() => Promise<Record<string, string>>} [files] additional files, by path in the root file system
 */

/**
 * Without this, V8 lets the heap grow to several times the memory in use. With 300 machines that did not respond, machine-state had 183 MiB
 * resident after two minutes, and 113 MiB with this; metadata-server had 207 MiB after a million token requests.
 */
const tight = '--heap-growing-percent=20';
/** V8's young generation is three times this size, or 16 MB without the flag, although these services are mostly idle. */
const small = ['--max-semi-space-size=4', tight];
/** For services that handle thousands of requests a second: a smaller young generation costs throughput. */
const busy = ['--max-semi-space-size=8', tight];
/**
 * Without this, V8 keeps the pages of garbage as a pool, which counts as memory of the pod: 180 MiB after a large request, beside which the
 * next one did not fit.
 */
const noPool = '--memory-saver-mode';

/**
 * Service-specific parts of a bundle.
 * @type {Partial<Record<string, Partial<Bundle>>>}
 */
const special = {
  'metadata-server': { nodeFlags: busy },
  'alert-to-pubsub': { nodeFlags: [...busy, noPool] },
  'machine-state': {
    nodeFlags: small,
    programs: ['main', 'history-worker'],
    prepare: buildPages,
    contains: ['preact'],
    files: consolePages,
  },
  'power-cycle-daemon': { nodeFlags: small, hasDrivers: true },
  'router-backup': {
    nodeFlags: small,
    hasDrivers: true,
    programs: ['main', 'text-worker'],
  },
  'swarming-client': { leastNode: '22.15', copies: ['python', 'shim'], files: filesForTheBot },
};

/** @type {Bundle[]} */
export const bundles = [
  ...serviceNames.map((name) => ({
    name,
    folder: `services/${name}`,
    leastNode: '24.0',
    copies: [],
    ...special[name],
  })),
  {
    name: 'cli',
    folder: 'packages/cli',
    leastNode: '22.15',
    // `skolo secrets` signs in to devices and changes their passwords.
    hasDrivers: true,
    copies: ['bin'],
    files: async () => shippedFiles(),
  },
  {
    name: 'fallback',
    folder: 'services/fallback',
    installed: 'packages/fallback',
    leastNode: '24.0',
    copies: ['bin'],
    programs: ['main', 'active'],
  },
];

/** As a module, so that the bundle does not look for directories. */
async function consolePages() {
  const folder = fileURLToPath(new URL('../../packages/console/dist', import.meta.url));
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const texts = Object.fromEntries(
    names
      .filter((name) => /\.(css|html|js|svg)$/.test(name))
      .map((name) => [`/${name}`, readFileSync(join(folder, name), 'utf8')]),
  );
  const module = `export const texts = ${JSON.stringify(texts)};\n`;
  return { 'opt/skolo/services/machine-state/dist/console-pages-texts.js': module };
}

/** Files of the repository that the command needs, under its own directory. */
function shippedFiles() {
  const paths = globSync(
    shipped.flatMap((path) => [path, `${path}/**`]),
    { cwd: root },
  ).sort();
  const files = paths.filter((path) => statSync(join(root, path)).isFile());
  return Object.fromEntries(
    files.map((path) => [`opt/skolo/packages/cli/${path}`, readFileSync(join(root, path), 'utf8')]),
  );
}

/** Machines reach the jumphost as `metadata`; all others mount the output of `skolo rack swarming-config`. */
const usualRack = `
rack: usual
timezone: UTC
network: { subnet: 192.0.2.0/24 }
jumphost: { name: jumphost, address: 192.0.2.1, aliases: [metadata] }
`;

/** Files in which the Swarming bot looks for its tokens, and by which it knows whether it is in a container. */
async function filesForTheBot() {
  const rack = parseRack(usualRack, { file: 'rack.yaml' });
  return {
    'etc/swarming_config/oauth2_access_token_config.json': swarmingConfig(rack),
    '.dockerenv': '',
  };
}
