import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../node.mjs';
import { placeholder, readOwner } from '../release/owner.mjs';
import {
  englishOnly,
  leftOut,
  namesOfCommonJs,
  onlyStagesOfExpress,
  withoutDrivers,
  withScripts,
  withVersion,
} from './plugins.mjs';
import { shares } from './sizes.mjs';
import { billOfMaterials, component, licenceTexts, thirdParties } from './third-parties.mjs';

/** Bundled CommonJS expects these variables. */
const banner = `import{createRequire as __createRequire}from'node:module';
const require=__createRequire(import.meta.url),__filename=import.meta.filename,__dirname=import.meta.dirname;`;

/**
 * Writes the bundle and replaces the previous contents of the directory. The bundle appears as a whole or not at all.
 *
 * @param {import('./bundles.mjs').Bundle} bundle
 * @param {string} folder
 * @param {string | undefined} version that the program prints, instead of the package's
 * @returns {Promise<import('./sizes.mjs').Sizes>}
 */
export async function writeBundle(bundle, folder, version) {
  const draft = `${folder}.${process.pid}`;
  try {
    const sizes = await writeTo(draft, bundle, version);
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
    return { name: bundle.name, ...sizes };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * Compiles a program with all its imports.
 *
 * @param {string | string[]} entry its file or files
 * @param {string} outdir gets `NAME.js` and the chunks that it loads
 * @param {Pick<import('./bundles.mjs').Bundle, 'leastNode' | 'hasDrivers'>} bundle
 * @param {string} version that the program reports
 * @returns {Promise<import('esbuild').Metafile>}
 */
export async function compile(entry, outdir, { leastNode, hasDrivers = false }, version) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry].flat(),
    outdir,
    // Flat, so that `../` is the package's directory in every file, as it is in src.
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    platform: 'node',
    target: `node${leastNode}`,
    format: 'esm',
    splitting: true,
    // Keeps identifiers: stack traces and errors named after their class show them. `keepNames` would call Object.defineProperty for each
    // closure of each request.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    banner: { js: banner },
    plugins: [
      leftOut,
      englishOnly,
      onlyStagesOfExpress,
      ...(hasDrivers ? [] : [withoutDrivers]),
      namesOfCommonJs,
      withVersion(version),
      withScripts,
    ],
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

/**
 * @param {string} out
 * @param {import('./bundles.mjs').Bundle} bundle
 * @param {string | undefined} version
 */
async function writeTo(out, bundle, version) {
  const {
    folder,
    installed = folder,
    copies,
    prepare,
    contains = [],
    files,
    programs = ['main'],
  } = bundle;
  await prepare?.();
  const source = join(root, folder);
  const target = join(out, 'opt', 'skolo', installed);
  const entries = programs.map((name) => join(folder, 'src', `${name}.ts`));
  const ofPackage = manifest(join(source, 'package.json'), version);
  const metafile = await compile(entries, join(target, 'dist'), bundle, ofPackage.version);
  for (const copy of copies) put(join(source, copy), join(target, copy));
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(ofPackage, null, 2)}\n`);
  // The command's bin/skolo.js does the same.
  if (bundle.name !== 'cli') {
    for (const program of programs) checkNodeFirst(join(target, 'dist'), program, bundle);
  }
  const copied = contains.map((name) => `node_modules/${name}/package.json`);
  const thirds = thirdParties([...Object.keys(metafile.inputs), ...copied]);
  writeFileSync(join(target, 'third-parties.txt'), licenceTexts(thirds));
  const libraries = thirds.map((each) => component('library', each));
  writeFileSync(join(target, 'sbom.cdx.json'), billOfMaterials(ofPackage, libraries));
  for (const [path, text] of Object.entries((await files?.()) ?? {})) {
    mkdirSync(dirname(join(out, path)), { recursive: true });
    writeFileSync(join(out, path), text);
  }
  settle(out);
  return shares(metafile, out);
}

/**
 * Sets modes that do not depend on the builder, because image layers contain them. Times stay unchanged: a builder that gets the same files
 * again detects changes by them.
 * @param {string} path
 */
export function settle(path) {
  const isFolder = statSync(path).isDirectory();
  if (isFolder) for (const entry of readdirSync(path)) settle(join(path, entry));
  chmodSync(path, isFolder || statSync(path).mode & 0o100 ? 0o755 : 0o644);
}

/**
 * @param {string} from
 * @param {string} to
 */
function put(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  // Python's cache files are not part of the package.
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('__pycache__') });
}

/**
 * The parts of package.json that are still needed when everything is bundled.
 * @param {string} file
 * @param {string | undefined} wantedVersion
 */
function manifest(file, wantedVersion) {
  const all = JSON.parse(readFileSync(file, 'utf8'));
  /** @type {Record<'name' | 'version' | 'license', string>} */
  const { name, license } = all;
  const { description, type, bin } = all;
  const { repository } = readOwner(root);
  const version = wantedVersion || all.version;
  if (typeof version !== 'string') throw new Error(`${file}: no version; add one`);
  return {
    name,
    version,
    description,
    license,
    // The registry compares it with the repository whose workflow publishes the package.
    ...(repository !== placeholder && {
      repository: { type: 'git', url: `git+${repository}.git` },
    }),
    type,
    bin,
  };
}

/**
 * Puts a file that any version of Node can parse in front of a program, so that an old Node reports in one line that it is too old.
 *
 * @param {string} dist
 * @param {string} program
 * @param {import('./bundles.mjs').Bundle} bundle
 */
function checkNodeFirst(dist, program, { name, leastNode }) {
  const checked = `${program}-program.js`;
  renameSync(join(dist, `${program}.js`), join(dist, checked));
  const [leastMajor, leastMinor] = leastNode.split('.');
  const least = leastNode.replace(/\.0$/, '');
  const message = `\`${name}: Node \${process.versions.node} is too old; install Node ${least} or newer\``;
  writeFileSync(
    join(dist, `${program}.js`),
    `const [major, minor] = process.versions.node.split('.').map(Number);
if (major > ${leastMajor} || (major === ${leastMajor} && minor >= ${leastMinor})) await import('./${checked}');
else {
  console.error(${message});
  process.exitCode = 78;
}
`,
  );
}
