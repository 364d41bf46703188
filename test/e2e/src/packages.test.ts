/** The graph of packages (ARCHITECTURE.md), by their package.json and by what their sources import. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const root = join(import.meta.dirname, '../../..');
const ours = '@skolo/';

/**
 * What a package, or a part of one, may import of ours: a part is a folder of `src` with an entry in package.json. Commands and services:
 * anything.
 */
const may: Readonly<Record<string, readonly string[]>> = {
  base: [],
  'base/secrets': ['base'],
  'base/durable': ['base'],
  api: ['base'],
  'equipment/transports': ['base', 'base/secrets', 'base/durable'],
  'equipment/models': ['equipment/transports', 'base', 'base/secrets'],
  rack: ['equipment/models', 'base', 'base/secrets', 'base/durable'],
  google: ['base', 'base/secrets'],
  common: ['rack', 'api', 'google', 'base', 'base/secrets', 'base/durable'],
  console: ['common', 'api', 'base', 'base/durable'],
  backup: ['equipment/models', 'google', 'base', 'base/secrets', 'base/durable'],
  alerts: ['rack', 'google', 'base', 'base/secrets', 'base/durable'],
  fleet: ['api', 'rack', 'base', 'base/secrets', 'base/durable'],
  'fleet/secret-store': [
    'rack',
    'equipment/models',
    'equipment/transports',
    'google',
    'base',
    'base/secrets',
    'base/durable',
  ],
  'setup/engine': ['base'],
  'setup/debian': ['setup/engine', 'base'],
  'setup/k3s': ['setup/engine', 'setup/debian', 'api', 'rack', 'base'],
  'setup/jumphost': [
    'setup/k3s',
    'setup/engine',
    'setup/debian',
    'api',
    'rack',
    'base',
    'base/secrets',
  ],
  'setup/pi': [
    'setup/k3s',
    'setup/engine',
    'setup/debian',
    'rack',
    'base',
    'base/secrets',
    'base/durable',
  ],
  'setup/cluster': [
    'setup/pi',
    'setup/k3s',
    'setup/engine',
    'setup/debian',
    'base',
    'base/durable',
  ],
};
/** Of the models, rack.yaml needs the facts only. */
const protocolClients = ['ssh2', 'net-snmp', 'mqtt'];

const Manifest = z.object({
  name: z.string().startsWith(ours),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
});

interface Package {
  kind: string;
  name: string;
  folder: string;
  /** Dependencies of all kinds, each with its version. */
  versions: Record<string, string>;
  declared: Record<'dependencies' | 'devDependencies', string[]>;
}

const packages = ['packages', 'services', 'test'].flatMap((kind) =>
  readdirSync(join(root, kind)).flatMap((folder): Package[] => {
    const file = join(root, kind, folder, 'package.json');
    if (!existsSync(file)) return [];
    const manifest = Manifest.parse(JSON.parse(readFileSync(file, 'utf8')));
    const own = (map: Record<string, string>) =>
      Object.keys(map).flatMap((name) => (name.startsWith(ours) ? name.slice(ours.length) : []));
    const { name, dependencies, devDependencies } = manifest;
    return [
      {
        kind,
        name: name.slice(ours.length),
        folder: join(root, kind, folder),
        versions: { ...dependencies, ...devDependencies },
        declared: { dependencies: own(dependencies), devDependencies: own(devDependencies) },
      },
    ];
  }),
);
const services = packages.filter(({ kind }) => kind === 'services').map(({ name }) => name);

describe.each(packages)('$kind/$name', ({ kind, name, folder, declared }) => {
  const imported = importsOf(folder);

  it('declares what it imports', () => {
    if (kind === 'test') return;
    const all = [...declared.dependencies, ...declared.devDependencies, name];

    expect([...imported.all].filter((other) => !all.includes(other))).toEqual([]);
    expect(
      [...imported.production].filter((other) => declared.devDependencies.includes(other)),
    ).toEqual([]);
  });

  it('imports no service', () => {
    if (kind === 'test') return;

    expect([...imported.all].filter((other) => services.includes(other))).toEqual([]);
    expect(declared.dependencies.filter((other) => services.includes(other))).toEqual([]);
  });

  it('leaves the way to other racks to the command', () => {
    if (kind === 'test' || ['cli', 'fleet'].includes(name)) return;

    expect([...imported.production]).not.toContain('fleet');
  });

  it('imports node:http by @skolo/base/http, which loads no undici', () => {
    if (kind === 'test') return;

    expect(imported.withUndici).toEqual([]);
  });
});

it.each(Object.entries(may))('%s imports only what it may', (part, allowed) => {
  const [name = ''] = part.split('/');
  const source = join(root, 'packages', name, 'src');
  const inPart = filesIn(source, /\.ts$/)
    .map((file) => relative(source, file))
    .filter((file) => !isTestFile(file) && partOf(name, file) === part);
  const found = inPart.flatMap((file) => {
    const text = readFileSync(join(source, file), 'utf8');
    const byName = [...text.matchAll(/(?:from|import\() ?'@skolo\/([\w-]+)\/?([\w/-]*)/g)].map(
      ([, other = '', entry = '']) => partOf(other, `${entry}/`),
    );
    const byPath = [...text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map(([, from = '']) =>
      partOf(name, join(file, '..', from)),
    );
    const wrong = [
      ...byName.filter((other) => other !== part && !allowed.includes(other)),
      // Other parts, too, are imported by their entries.
      ...byPath.filter((other) => other !== part),
    ];
    return wrong.map((other) => `${file}: ${other}`);
  });

  expect(inPart.length).toBeGreaterThan(2);
  expect(found).toEqual([]);
});

/** @param file below src, or an entry */
function partOf(name: string, file: string): string {
  const part = `${name}/${file.split('/')[0]}`;
  return part in may ? part : name;
}

it('has one version of each dependency', () => {
  const versions = new Map<string, Set<string>>();
  for (const [name, version] of packages.flatMap((one) => Object.entries(one.versions))) {
    versions.set(name, (versions.get(name) ?? new Set()).add(version));
  }

  expect([...versions].filter(([, found]) => found.size > 1)).toEqual([]);
});

it('has no cycle', () => {
  const needs = new Map(packages.map(({ name, declared }) => [name, declared.dependencies]));

  expect(inCycles(needs)).toEqual([]);
});

/** The simulated switch and the data of its model are described by each other: commands act on the switch. */
const describedByEachOther = ['model', 'switch', 'talk'].map(
  (name) => `test/simulators/src/equipment/cli/switch/${name}.ts`,
);

const files = [
  ...packages.flatMap(({ folder }) => filesIn(folder, /(^|\/)src\/.*\.tsx?$/)),
  ...filesIn(join(root, 'kube'), /\.ts$/),
];
const imports = new Map(files.map((file) => [file, importedFrom(file)]));

it('has no cycle of files that import from each other, types included', () => {
  expect(files.length).toBeGreaterThan(1000);
  expect(inCycles(imports).map((file) => relative(root, file))).toEqual(describedByEachOther);
});

/** A request passes through all of them, and each of them rejects it as HTTP does. */
const passedByRequests = ['access', 'audit', 'connections', 'health', 'http', 'process', 'state'];

it('has no cycle of folders of packages and services, types included', () => {
  const needs = new Map<string, string[]>();
  for (const [file, others] of imports) {
    const folder = stageOf(file);
    if (folder === undefined) continue;
    const needed = others.flatMap((other) => stageOf(other) ?? []);
    const known = needs.get(folder) ?? [];
    needs.set(folder, [...known, ...needed.filter((other) => other !== folder)]);
  }

  expect(needs.size).toBeGreaterThan(100);
  expect(inCycles(needs).sort()).toEqual(
    passedByRequests.map((name) => `packages/common/src/${name}`),
  );
});

it('packages/rack loads the facts of models, and no code that connects to equipment', async () => {
  const inputs = await loadedBy(join(root, 'packages/rack/src/index.ts'));
  const models = inputs.filter((file) => file.startsWith('packages/equipment/src/models/'));

  expect(
    inputs.filter((file) => protocolClients.some((name) => file.includes(`node_modules/${name}/`))),
  ).toEqual([]);
  expect(models.length).toBeGreaterThan(20);
  expect(models.filter((file) => !isFacts(file))).toEqual([]);
  expect(inputs.filter((file) => file.startsWith('packages/equipment/src/transports/'))).toEqual(
    [],
  );
});

function isFacts(file: string): boolean {
  return /^packages\/equipment\/src\/models\/([\w-]+\/facts|families\/\w+-facts|contract\/model|described\/\w+|proofs\/(levels|sightings)|index|list)\.ts$/.test(
    file,
  );
}

function isTestFile(file: string): boolean {
  return /\.test(-\w+)?\.ts$|(^|\/)(testing|bench)\/|testing\.ts$|\/proof\.ts$/.test(file);
}

function filesIn(folder: string, names: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => names.test(file))
    .map((file) => join(folder, file));
}

/**
 * Packages of ours that the sources import. `production`: those that are no tests. `withUndici`: files of these that import
 * values of node:http.
 */
function importsOf(folder: string) {
  const all = new Set<string>();
  const production = new Set<string>();
  const withUndici: string[] = [];
  const source = join(folder, 'src');
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(ts|mjs)$/.test(file)) continue;
    const text = readFileSync(join(source, file), 'utf8');
    const isTest = isTestFile(file);
    for (const [, name = ''] of text.matchAll(/(?:from|import\() ?'@skolo\/([\w-]+)/g)) {
      all.add(name);
      if (!isTest) production.add(name);
    }
    if (!isTest && /^import (?!type\b)[^;]*from 'node:http';$/m.test(text)) withUndici.push(file);
  }
  return { all, production, withUndici };
}

/** The nodes of a graph that are in a cycle, or on a way from one to another. */
function inCycles(needs: ReadonlyMap<string, readonly string[]>): string[] {
  const left = new Map(needs);
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    const needed = new Set([...left.values()].flat());
    for (const [name, others] of left) {
      if (!needed.has(name) || !others.some((other) => left.has(other))) left.delete(name);
    }
  }
  return [...left.keys()];
}

/** The folder of `src` that a file is in; undefined for files of `src` itself, tests, and what only they use. */
function stageOf(file: string): string | undefined {
  const isTest = /\.test\.tsx?$|\/(testing|bench)\/|\/proof\.ts$/.test(file);
  const stage = /^((packages|services)\/.*?\bsrc\/[\w-]+)\//.exec(relative(root, file));
  return isTest ? undefined : stage?.[1];
}

/** The files of its package that a file imports, for values or types; dynamic imports are not among them. */
function importedFrom(file: string): string[] {
  const imports = /^(?:import|export) [^;']*? from '(\.[^']+)';$/gm;
  return [...readFileSync(file, 'utf8').matchAll(imports)].map(([, from = '']) =>
    join(file, '..', from),
  );
}

/** The files that are loaded with a module: what it imports dynamically is not among them. */
async function loadedBy(entry: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    outdir: 'out',
    platform: 'node',
    format: 'esm',
    splitting: true,
    metafile: true,
    logLevel: 'silent',
    // From the sources, also where a package still exports what is built.
    plugins: [
      {
        name: 'sources',
        setup(setup) {
          setup.onResolve({ filter: /^@skolo\/[\w-]+$/ }, ({ path }) => {
            const file = join(root, 'packages', path.slice(ours.length), 'src/index.ts');
            return existsSync(file) ? { path: file } : undefined;
          });
          setup.onResolve({ filter: /\.node$/ }, ({ path }) => ({ path, external: true }));
        },
      },
    ],
  });
  return [...reached(metafile, relative(root, entry))];
}

function reached(metafile: Metafile, file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const { path, kind } of metafile.inputs[file]?.imports ?? []) {
    if (kind !== 'dynamic-import') reached(metafile, path, found);
  }
  return found;
}
