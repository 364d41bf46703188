/** What is in bundles: little, all of it, and always the same. */

import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import {
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { serviceNames } from '@skolo/rack';
import { transform } from 'esbuild';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { bundles } from '../../../scripts/bundle/bundles.mjs';
import { compile } from '../../../scripts/bundle/write-bundle.mjs';
import { mayShip } from '../../../scripts/dependencies/licences.mjs';
import { bundle, version } from './bundles.ts';
import { root } from './paths.ts';

const mostBytes = 5_000_000;

const { dir: out, sizes } = inject('bundles');

/** Paths of all files below the folder. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort();
}

/** A digest and the mode of each file, by its path. */
async function contentsOf(folder: string): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const path of await filesIn(folder)) {
    const digest = createHash('sha256')
      .update(await readFile(join(folder, path)))
      .digest('hex');
    const { mode } = await lstat(join(folder, path));
    contents.set(path, `${digest} ${mode.toString(8)}`);
  }
  return contents;
}

/** Read from the sources if the module that replaces them in bundles does not exist. */
const onlyInClone = [
  '../src/main.ts',
  '../../pages/build.ts',
  '../../dist',
  '../../../../../../kube/base/',
];

/** Other uses of a file's own path. */
const harmless = [
  // `shippedPath`: npm-package.test.ts compares each of these files.
  'existsSync(packaged)?packaged:new URL(',
  // `skolo emulate metadata`: looks for the bundle of metadata-server, and reports when it is not installed.
  'program=import.meta.url.endsWith(".ts")',
  'fileURLToPath(new URL(program,import.meta.url))',
  // pino: transports in worker threads, which nothing starts.
  '__dirname,"lib","worker.js"',
  '__dirname,"worker.js"',
  '__dirname,"..","file.js"',
  // ssh2: the agent of PuTTY on Windows, and a compiler's glue around WebAssembly that it contains as text.
  '"util/pagent.exe"',
  'currentScript.src:',
  '.dirname(B)',
  // net-snmp: names of objects; requests contain their numbers.
  '"/lib/mibs/"',
  // Google's clients: services and types that are loaded only when a program asks for them.
  '/../../proto',
  '"build","protos"',
  // node-cron: tasks that are files.
  '"daemon.js"',
  'moduleFilename',
];

/** Of ours. */
const onlyForTests = /^test\/|^(packages|services)\/.*(\/testing\/|\/proof\.ts$|\.test\.)/;

const Manifest = z.object({ dependencies: z.record(z.string(), z.string()).default({}) });

/** Texts of a package and of all packages of ours that it needs, but for packages/equipment. */
async function sourcesOf(folder: string, seen = new Set<string>()): Promise<string[]> {
  if (seen.has(folder) || folder === 'packages/equipment') return [];
  seen.add(folder);
  const files = (await filesIn(join(root, folder, 'src')))
    .filter((path) => path.endsWith('.ts') && !/\.test|testing\/|bench\//.test(path))
    .map((path) => readFile(join(root, folder, 'src', path), 'utf8'));
  const text = await readFile(join(root, folder, 'package.json'), 'utf8');
  const needed = Object.keys(Manifest.parse(JSON.parse(text)).dependencies)
    .filter((name) => name.startsWith('@skolo/'))
    .map((name) => sourcesOf(name.replace('@skolo', 'packages'), seen));
  return [...(await Promise.all(files)), ...(await Promise.all(needed)).flat()];
}

/** Other tests write there meanwhile: caches of Node, Vite and turbo. Nothing that a bundle is made of has such a name. */
const isCache = (name: string) => /^\.|^__pycache__$/.test(name);

/** The same files at another place, without a second copy of each. */
async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (isCache(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkTree(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (entry.isFile()) await link(source, target);
  }
}

/** A checkout that is somewhere else, installed and built. */
async function anotherCheckout(): Promise<string> {
  await mkdir(join(root, '.skolo'), { recursive: true });
  const folder = await mkdtemp(join(root, '.skolo', 'elsewhere-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['package.json', 'package-lock.json', 'owner.yaml', 'tsconfig.base.json']) {
    await link(join(root, name), join(folder, name));
  }
  for (const name of ['node_modules', 'packages', 'services', 'scripts', 'kube']) {
    await linkTree(join(root, name), join(folder, name));
  }
  return folder;
}

describe('a bundle', () => {
  it('exists for every service', async () => {
    // The fallback runs on the jumphost itself, not in a pod.
    expect([...serviceNames, 'fallback'].sort()).toEqual(
      (await readdir(join(root, 'services'))).sort(),
    );
    expect(sizes.map(({ name }) => name)).toEqual(expect.arrayContaining([...serviceNames]));
  });

  it.each(serviceNames)('of %s is under 5 MB without Google’s clients', (name) => {
    const { own = Infinity, other = 0 } = sizes.find((one) => one.name === name) ?? {};

    expect(own + other).toBeLessThan(mostBytes);
  });

  it('runs on every platform: it has no native file', async () => {
    const beginnings = ['7f454c46', 'cffaedfe', 'feedfacf', '4d5a'];
    const native: string[] = [];
    for (const path of await filesIn(out)) {
      const bytes = await readFile(join(out, path));
      const beginning = bytes.toString('hex', 0, 4);
      if (path.endsWith('.node') || beginnings.some((each) => beginning.startsWith(each))) {
        native.push(path);
      }
    }

    expect(native).toEqual([]);
  });

  it('has Google’s clients only where something is sent with them', () => {
    const having = (client: 'pubsub' | 'storage') =>
      sizes.filter((one) => one[client] > 0).map(({ name }) => name);

    expect(having('pubsub')).toEqual(['alert-to-pubsub', 'cli']);
    expect(having('storage')).toEqual(['router-backup', 'cli']);
  });

  it('has drivers of equipment only where equipment is reached', async () => {
    const files = (await filesIn(out)).filter((path) => basename(path) === 'third-parties.txt');
    const texts = await Promise.all(files.map((path) => readFile(join(out, path), 'utf8')));
    const withSsh = files.filter((_, i) => /^ssh2 /m.test(texts[i] ?? ''));
    expect(withSsh.map((path) => path.split('/')[0])).toEqual([
      'cli',
      'power-cycle-daemon',
      'router-backup',
    ]);
  });

  it.each(bundles)(
    'of $name has the drivers of models where its sources load them',
    async ({ folder, hasDrivers = false }) => {
      const sources = await sourcesOf(folder);

      expect(sources.some((source) => source.includes("'@skolo/equipment/models/load'"))).toBe(
        hasDrivers,
      );
    },
  );

  it.each(bundles.filter(({ hasDrivers }) => hasDrivers))(
    'of $name contains nothing that only tests need',
    async (about) => {
      const folder = await tempDir();
      const { inputs } = await compile(
        join(root, about.folder, 'src/main.ts'),
        folder,
        about,
        version,
      );

      const files = Object.keys(inputs);
      expect(files).toContain('packages/equipment/src/models/nxos/nxos.ts');
      expect(files.filter((file) => onlyForTests.test(file))).toEqual([]);
    },
  );

  it('contains the text of each script that its sources read', async () => {
    const scripts = globSync('packages/*/src/**/*.{sh,pl,mjs}', { cwd: root }).filter(
      (path) => !path.includes('/testing/'),
    );
    const programs = (await filesIn(out)).filter((path) => path.endsWith('.js'));
    const texts = await Promise.all(programs.map((path) => readFile(join(out, path), 'utf8')));
    const all = texts.join('');

    // The longest part that no string literal writes differently.
    const missing = scripts.filter((path) => {
      const parts = readFileSync(join(root, path), 'utf8').match(/[\w .,:;=/|()-]+/g) ?? [''];
      return !all.includes(parts.reduce((a, b) => (b.length > a.length ? b : a)));
    });

    expect(scripts.length).toBeGreaterThan(40);
    expect(missing).toEqual([]);
  });

  it('does not contain the path of the folder that it was made in', async () => {
    const paths = [root, basename(out), tmpdir()].filter((path) => path.length > 4);
    const found: string[] = [];
    for (const path of await filesIn(out)) {
      const text = await readFile(join(out, path), 'latin1');
      if (paths.some((each) => text.includes(each))) found.push(path);
    }

    expect(found).toEqual([]);
  });

  it('is made of the same bytes wherever it is made', async () => {
    const second = join(await anotherCheckout(), 'out', 'second');
    const names = sizes.map(({ name }) => name);

    await bundle(second, ['--version', version, ...names], join(second, '../..'));

    for (const name of names) {
      expect(await contentsOf(join(second, name))).toEqual(await contentsOf(join(out, name)));
    }
  });

  it('names those whose software is in it, with their licences', async () => {
    const file = join(out, 'alert-to-pubsub/opt/skolo/services/alert-to-pubsub/third-parties.txt');
    const text = await readFile(file, 'utf8');

    expect(text).toMatch(/^@google-cloud\/pubsub \d+\.\d+\.\d+ \(Apache-2\.0\)$/m);
    expect(text).toMatch(/^zod \d+\.\d+\.\d+ \(MIT\)$/m);
    expect(text).toContain('Apache License');
    expect(text).not.toContain('no licence specified');
  });

  it('contains only libraries whose licence may ship', async () => {
    const Licence = z.union([
      z.object({ expression: z.string() }).transform(({ expression }) => expression),
      z.object({ license: z.object({ id: z.string() }) }).transform(({ license }) => license.id),
    ]);
    const Bill = z.object({
      components: z.array(z.object({ purl: z.string(), licenses: z.tuple([Licence]) })),
    });
    const files = (await filesIn(out)).filter((each) => each.endsWith('sbom.cdx.json'));
    const bills = await Promise.all(files.map((file) => readFile(join(out, file), 'utf8')));
    const libraries = bills.flatMap((text) => Bill.parse(JSON.parse(text)).components);

    const others = libraries.filter(({ licenses: [licence] }) => !mayShip(licence));

    expect(libraries.length).toBeGreaterThan(100);
    expect(others).toEqual([]);
  });

  it('names each library once in its bill of materials', async () => {
    const file = join(out, 'router-backup/opt/skolo/services/router-backup/sbom.cdx.json');
    const Bill = z.object({ components: z.array(z.object({ purl: z.string() })) });
    const { components } = Bill.parse(JSON.parse(await readFile(file, 'utf8')));

    const names = components.map(({ purl }) => purl);

    expect(names.length).toBeGreaterThan(50);
    expect([...new Set(names)]).toEqual(names);
  });

  it('contains each file to which its code has a relative path', async () => {
    const lost: string[] = [];
    // The console's pages are text here: their paths are those of a browser.
    const isCode = (path: string) => path.endsWith('.js') && !path.endsWith('-pages-texts.js');
    for (const path of (await filesIn(out)).filter(isCode)) {
      const text = await readFile(join(out, path), 'utf8');
      const code = text.replace(/^import\{createRequire.*\n.*$/m, '');
      // A worker's file ends like its starter: `.ts` in a clone, `.js` here.
      const named = code.replaceAll(
        /new URL\(`(\.[^`$]*)\$\{[\w$]+\(import\.meta\.filename\)\}`, ?import\.meta\.url\)/g,
        (_, to) => `new URL("${to}.js",import.meta.url)`,
      );
      const others = named.replaceAll(
        /new URL\(["'](\.[^"']*)["'], ?import\.meta\.url\)/g,
        (_, to) => {
          const isThere = existsSync(join(out, dirname(path), to));
          if (!isThere && !onlyInClone.includes(to)) lost.push(`${path}: ${to}`);
          return '';
        },
      );
      for (const { index } of others.matchAll(/\b(?:__dirname|__filename|import\.meta\.)\b/g)) {
        const use = others.slice(index - 80, index + 80);
        if (!harmless.some((each) => use.includes(each))) lost.push(`${path}: ${use}`);
      }
    }

    expect(lost).toEqual([]);
  });

  it.each(['swarming-client', 'cli'])('of %s has only syntax that Node 22 reads', async (name) => {
    const files = (await filesIn(join(out, name))).filter((path) => path.endsWith('.js'));
    expect(files.length).toBeGreaterThan(1);
    for (const path of files) {
      const text = await readFile(join(out, name, path), 'utf8');
      const [as, lowered] = await Promise.all(
        ['esnext', 'node22.15'].map((target) => transform(text, { target, format: 'esm' })),
      );
      expect(lowered?.code === as?.code, path).toBe(true);
    }
  });

  it.each([
    ['cli/opt/skolo/packages/cli/bin/skolo.js', 'skolo', 1, '22.15', '22.14.0'],
    ['cli/opt/skolo/packages/cli/bin/skolo.js', 'skolo', 1, '22.15'],
    [
      'swarming-client/opt/skolo/services/swarming-client/dist/main.js',
      'swarming-client',
      78,
      '22.15',
    ],
    ['machine-state/opt/skolo/services/machine-state/dist/main.js', 'machine-state', 78, '24'],
    ['fallback/opt/skolo/packages/fallback/dist/main.js', 'fallback', 78, '24'],
    ['fallback/opt/skolo/packages/fallback/dist/active.js', 'fallback', 78, '24'],
  ])(
    'reports a Node that is too old for %s',
    async (path, name, code, least, version = '20.20.2') => {
      const old = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`;

      const asked = run(process.execPath, [
        '--import',
        `data:text/javascript,${old}`,
        join(out, path),
      ]);

      await expect(asked).rejects.toMatchObject({
        code,
        stdout: '',
        stderr: `${name}: Node ${version} is too old; install Node ${least} or newer\n`,
      });
    },
  );

  it('of an unknown program is rejected', async () => {
    await expect(bundle(join(out, 'none'), ['metadata'])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no metadata here, but metadata-server, /),
    });
  });
});

describe('the bundle of swarming-client', () => {
  const inBundle = (path: string) => join(out, 'swarming-client', path);

  it('has the files that the bot needs in a container', async () => {
    const text = await readFile(
      inBundle('etc/swarming_config/oauth2_access_token_config.json'),
      'utf8',
    );

    expect(JSON.parse(text)).toEqual({
      url: 'http://metadata/computeMetadata/v1/instance/service-accounts/default/token',
      headers: { 'Metadata-Flavor': 'Google' },
    });
    expect(await readFile(inBundle('.dockerenv'), 'utf8')).toBe('');
  });

  it('brings the programs of the agent as they are', async () => {
    const [from, to] = [
      join(root, 'services/swarming-client'),
      inBundle('opt/skolo/services/swarming-client'),
    ];
    for (const folder of ['python', 'shim']) {
      const there = await filesIn(join(from, folder));
      expect(await filesIn(join(to, folder))).toEqual(there);
      for (const name of there) {
        const [source, copy] = [join(from, folder, name), join(to, folder, name)];
        expect(await readFile(copy, 'utf8')).toBe(await readFile(source, 'utf8'));
      }
    }
    expect((await lstat(join(to, 'shim/sudo'))).mode & 0o777).toBe(0o755);
  });
});
