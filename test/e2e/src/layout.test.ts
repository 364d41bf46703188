/** The layout of the sources: small folders, exports that somebody uses, dependencies passed by name (CONTRIBUTING.md). */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Api } from '@skolo/api';
import * as apis from '@skolo/api';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { unusedExports } from './unused-exports.ts';

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
  return /\.test\.\w+$|\/(testing|bench)\/|\/proof\.ts$/.test(file);
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

/** What is read from a module, not imported by name: by the list of models and their loader, by Node and by vitest. */
const readFromModules =
  /^packages\/equipment\/src\/models\/([\w-]+\/(?:facts|proof)|list)\.ts: |: (backup|connectedHosts|outlets)$|^packages\/cli\/testdata\/|\/vitest\.config\.ts: /;

it('exports nothing that no other file uses', () => {
  const unused = unusedExports(sources, entries()).filter((each) => !readFromModules.test(each));

  expect(sources.size).toBeGreaterThan(1000);
  expect(unused).toEqual([]);
});

const Manifest = z.object({
  name: z.string(),
  exports: z.record(z.string(), z.string()).default({}),
});

/** The files that packages export, by `@skolo/NAME/ENTRY`. */
function entries(): Map<string, string> {
  const manifests = execFileSync('git', ['ls-files', '*/package.json'], {
    cwd: root,
    encoding: 'utf8',
  });
  return new Map(
    manifests
      .trim()
      .split('\n')
      .flatMap((file) => {
        const { name, exports } = Manifest.parse(
          JSON.parse(readFileSync(join(root, file), 'utf8')),
        );
        return Object.entries(exports).map(([key, path]) => [
          join(name, key),
          join(dirname(file), path),
        ]);
      }),
  );
}

it('names a model in its directory and in the list: with its simulator, a new one has three places', () => {
  const folder = 'packages/equipment/src/models/';
  const models = [...sources.keys()].flatMap(
    (file) => /models\/([\w-]+)\/facts\.ts$/.exec(file)?.[1] ?? [],
  );
  const imported = (text: string) =>
    [...text.matchAll(/from '[^']*\/([\w-]+)\/[\w-]+\.ts'/g)].map(([, name = '']) => name);
  const importing = production.filter(([file, text]) =>
    imported(text).some((name) => models.includes(name) && !file.includes(`/${name}/`)),
  );

  expect(models.length).toBeGreaterThan(20);
  expect(importing.map(([file]) => file.replace(folder, ''))).toEqual([
    // The bases of tables, also where tables are verified, and what any command line may print.
    'packages/equipment/generate/tables.ts',
    'described/described.ts',
    'generic/generic.ts',
    'list.ts',
  ]);
});

it('passes dependencies by name: no bag is spread into a call, no literal into a literal', () => {
  const spread = /\.\.\.(?:\{|common\(|(?:deps|needs|context|dependencies|shared)\b(?!\.))/;

  const found = production.flatMap(([file, text]) =>
    text.split('\n').flatMap((line, i) => (spread.test(line) ? [`${file}:${i + 1}`] : [])),
  );

  expect(production.length).toBeGreaterThan(1000);
  expect(found).toEqual([]);
});

/** Where an expression is made of a text that is no pattern in the code: with a reason why no rack.yaml or table contains it. */
const otherExpressions = {
  'packages/equipment/src/models/configuration/mask.ts: secret.source':
    'tried in a thread with limits',
  'packages/equipment/src/models/families/described-facts.ts: source': 'only whether it is one',
  'packages/equipment/src/transports/cli/exact-answer.ts: lineEnd': 'of our own',
  'packages/equipment/src/transports/cli/prompt.ts: clockBehind': 'of our own',
  'packages/equipment/src/transports/cli/prompt.ts: pattern': 'of the escaped text of a prompt',
  'packages/equipment/src/models/families/command-line/connected-hosts.ts: macPattern':
    'of our own',
  'packages/fleet/src/secret-store/repository/verify.ts: pattern': 'of our own',
  'packages/fleet/src/secret-store/stores/sops-rules.ts: pattern':
    'of .sops.yaml, with names of files',
  'packages/rack/src/formats/equipment-import.ts: pattern':
    "of a computer's own Oxidized, with its list",
};

it('limits the time of each expression of rack.yaml and tables: it is a DescribedExpression', () => {
  const found = production.flatMap(([file, text]) =>
    [...text.matchAll(/\bRegExp\(\s*([\w.]+)\s*[,)]/g)].map(([, made]) => `${file}: ${made}`),
  );

  expect([...new Set(found)].sort()).toEqual(Object.keys(otherExpressions).sort());
});

/** Files that make an HTTP server besides `newServer`, with its limits and checks. */
const otherServers = {
  'packages/base/src/http.ts': "passes on Node's function",
  'packages/common/src/http/server.ts': 'newServer',
  'packages/fleet/src/way/local/local-proxy.ts': 'a proxy that accepts only CONNECT, on loopback',
  'packages/fleet/src/way/local/local-server.ts':
    'a relay that adds nothing, on loopback, under a secret host name; fleet must not import common',
};

/** The text from an opening parenthesis to its closing one. */
function inParentheses(text: string, from: number): string {
  let [depth, end] = [0, from];
  do {
    if (text[end] === '(') depth += 1;
    if (text[end] === ')') depth -= 1;
    end += 1;
  } while (depth > 0 && end < text.length);
  return text.slice(from, end);
}

it('starts no asynchronous work by setInterval, which would overlap itself: repeat() does not', () => {
  const timers = production.flatMap(([file, text]) =>
    [...text.matchAll(/\bsetInterval(?=\()/g)].map(({ index }) => ({
      file,
      call: inParentheses(text, index + 'setInterval'.length),
    })),
  );
  const isAsync = /\b(void|async|await)\b|\.(then|catch|finally)\(/;

  expect(timers.length).toBeGreaterThan(5);
  expect(timers.filter(({ call }) => isAsync.test(call)).map(({ file }) => file)).toEqual([]);
});

it('makes HTTP servers in one place', () => {
  const made =
    /import\b[^;]*\bcreate(?:Secure)?Server\b[^;]*from '(?:@skolo\/base\/http|node:https?|node:http2)'|\bhttps?\.createServer\(|\bapp\.listen\(|getBuiltinModule\('node:http/;

  const found = production.flatMap(([file, text]) => (made.test(text) ? [file] : []));

  expect(found.sort()).toEqual(Object.keys(otherServers));
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

it('has no metric that no rule, dashboard, page, command or benchmark uses', () => {
  const names = [
    ...new Set(productionText.match(/(?<='|^ +)skolo_[a-z0-9_]+(?='|: \{|: ofSinks)/gm)),
  ];
  const users = textOf(
    'kube',
    'docs',
    'deploy',
    '*.md',
    'packages/fleet',
    'packages/cli',
    '*/bench/*',
  );
  const used = new Set(users.match(/\bskolo_[a-z0-9_]+?(?=(_bucket|_sum|_count)?\b)/g));

  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !used.has(name))).toEqual([]);
});

it('has no route that no client, page or test uses', () => {
  const routes = Object.entries(apis).flatMap(([name, api]) =>
    name.endsWith('Api')
      ? Object.entries(api as Api).map(([key, { path }]) => ({ key, path, at: `${name}.${key}` }))
      : [],
  );
  const pages = textOf('docs', '*.md', 'kube');
  const calls = new Set(`${productionText}\n${testText}`.match(/(?<=\.)\w+(?=\()/g));

  expect(routes.length).toBeGreaterThan(70);
  expect(
    routes
      .filter(({ key }) => !calls.has(key))
      .filter(({ path }) => !pages.includes(path) && !testText.includes(path))
      .map(({ at }) => at),
  ).toEqual([]);
});

it('has no option of the command that no page or test uses', () => {
  const command = production
    .filter(([file]) => file.startsWith('packages/cli/src/'))
    .map(([, text]) => text)
    .join('\n');
  const options = new Set(command.match(/(?<=[Oo]ption\(\s*['"`](?:-\w, )?)--[a-z][a-z-]+/g));
  const used = new Set(
    `${textOf('*.md')}\n${testText}\n${textOf('*.session')}`.match(/--[a-z][a-z-]+/g),
  );

  expect(options.size).toBeGreaterThan(150);
  expect([...options].filter((option) => !used.has(option))).toEqual([]);
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
