/** The layout of the sources: small folders, exports that somebody uses, dependencies passed by name (CONTRIBUTING.md). */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Api } from '@skolo/api';
import * as apis from '@skolo/api';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** Source files by path, tests too: those that git knows, and new ones. */
const sources = new Map(
  execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*.tsx', '*.mjs'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .flatMap((file): [string, string][] => {
      try {
        return [[file, readFileSync(join(root, file), 'utf8')]];
      } catch {
        return []; // removed, but not yet in a commit
      }
    }),
);
const production = [...sources].filter(
  ([file]) => /^(packages|services)\//.test(file) && !isTest(file),
);

function isTest(file: string): boolean {
  return /\.test\.\w+$|\/(testing|bench)\//.test(file);
}

/** Folders that may have more files: the work on pushes splits it. */
const large = ['packages/fleet/src/push'];

it('has at most 20 source files in a folder', () => {
  const sizes = new Map<string, number>();
  for (const file of sources.keys()) {
    const folder = dirname(file);
    if (!file.includes('.test.')) sizes.set(folder, (sizes.get(folder) ?? 0) + 1);
  }

  expect(sizes.size).toBeGreaterThan(100);
  expect([...sizes].filter(([, size]) => size > 20).map(([folder]) => folder)).toEqual(large);
});

/**
 * Models of equipment: what `facts.ts` loads has one name in all of them, so it is read from the module and not imported by name.
 */
const readFromModules = new Set(['accounts', 'backup', 'connectedHosts', 'outlets']);

it('exports nothing that no other file uses', () => {
  const users = usersOfNames();

  const unused = [...sources].flatMap(([file, text]) =>
    exportsOf(text)
      .filter((name) => !readFromModules.has(name))
      .filter((name) => ![...(users.get(name) ?? [])].some((user) => user !== file))
      .map((name) => `${file}: ${name}`),
  );

  expect(users.size).toBeGreaterThan(1000);
  expect(unused).toEqual([]);
});

function exportsOf(text: string): string[] {
  const declaration =
    /^export (?:async )?(?:function\*?|const|let|(?:abstract )?class|interface|type) (\w+)/gm;
  return [...text.matchAll(declaration)].map(([, name = '']) => name);
}

/** The files that import each name, or load its module and read the name from it. An entry that only passes it on is no user. */
function usersOfNames(): ReadonlyMap<string, ReadonlySet<string>> {
  const users = new Map<string, Set<string>>();
  const use = (name: string, file: string) =>
    users.set(name, (users.get(name) ?? new Set()).add(file));
  const useAll = (names: string, file: string) => {
    for (const name of names.match(/\w+/g) ?? []) use(name, file);
  };
  for (const [file, text] of sources) {
    for (const [, names = ''] of text.matchAll(/^import [^;']*?\{([^}]*)\} from '/gm)) {
      useAll(names, file);
    }
    // Another name than that of its file: not just passed on.
    for (const [, name = ''] of text.matchAll(/^export \{ (\w+) as \w+ \} from '/gm)) {
      use(name, file);
    }
    for (const [, name = ''] of text.matchAll(/\bimport\([^)]*\)+(?:\.then\(\(\{|\.) ?(\w+)/g)) {
      use(name, file);
    }
    for (const [, names = ''] of text.matchAll(
      /const ([^=;]*) =\s+await (?:import|Promise\.all)\(/g,
    )) {
      useAll(names, file);
    }
    for (const [, module = ''] of text.matchAll(/^import \* as (\w+) from '/gm)) {
      for (const [, name = ''] of text.matchAll(new RegExp(`\\b${module}\\.(\\w+)`, 'g'))) {
        use(name, file);
      }
    }
  }
  // The list of models is read as a whole.
  for (const [, name = ''] of (sources.get('packages/models/src/list.ts') ?? '').matchAll(
    /\{ (\w+) \}/g,
  )) {
    use(name, 'packages/models/src/list.ts');
  }
  return users;
}

it('passes dependencies by name: no bag is spread into a call, no literal into a literal', () => {
  const spread = /\.\.\.(?:\{|(?:deps|needs|context|dependencies)\b(?!\.))/;

  const found = production.flatMap(([file, text]) =>
    text.split('\n').flatMap((line, i) => (spread.test(line) ? [`${file}:${i + 1}`] : [])),
  );

  expect(production.length).toBeGreaterThan(1000);
  expect(found).toEqual([]);
});

/** Text of all files below these folders, of pages, rules, dashboards and code. */
function textOf(...paths: string[]): string {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...paths], {
    cwd: root,
    encoding: 'utf8',
  });
  return files
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(root, file)))
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
}

const testText = [...sources].flatMap(([file, text]) => (isTest(file) ? [text] : [])).join('\n');
const productionText = production.map(([, text]) => text).join('\n');

it('has no metric that no rule, dashboard, page, command or test uses', () => {
  const names = [...new Set(productionText.match(/(?<='|^ +)skolo_[a-z0-9_]+(?='|: \{)/gm))];
  const users = `${textOf('kube', 'docs', 'deploy', '*.md', 'packages/fleet/src', 'packages/cli/src')}\n${testText}`;

  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !users.includes(name))).toEqual([]);
});

it('has no route that no client, page or test uses', () => {
  const routes = Object.entries(apis).flatMap(([name, api]) =>
    name.endsWith('Api')
      ? Object.entries(api as Api).map(([key, { path }]) => ({ key, path, at: `${name}.${key}` }))
      : [],
  );
  const pages = textOf('docs', '*.md', 'kube');
  const calls = new Set(`${productionText}\n${testText}`.match(/(?<=\.)\w+(?=\()/g));

  expect(routes.length).toBeGreaterThan(80);
  expect(
    routes
      .filter(({ key }) => !calls.has(key))
      .filter(({ path }) => !pages.includes(path) && !testText.includes(path))
      .map(({ at }) => at),
  ).toEqual([]);
});

it('reads each key of rack.yaml', () => {
  const keys = keysOf(JSON.parse(textOf('packages/rack/rack.schema.json')));
  const readers = production
    .filter(([file]) => !/^packages\/rack\/src\/schema\/(?!back-check)|facts\.ts$/.test(file))
    .map(([, text]) => text)
    .join('\n');
  const words = new Set(readers.match(/\w+/g));

  expect(keys.size).toBeGreaterThan(200);
  expect([...keys].filter((key) => !words.has(key.replace(/\W.*/, '')))).toEqual([]);
});

/** Names of properties in a JSON Schema. */
function keysOf(schema: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(schema)) for (const each of schema) keysOf(each, found);
  else if (typeof schema === 'object' && schema !== null) {
    for (const [name, value] of Object.entries(schema)) {
      if (name === 'properties') for (const key of Object.keys(value)) found.add(key);
      keysOf(value, found);
    }
  }
  return found;
}
