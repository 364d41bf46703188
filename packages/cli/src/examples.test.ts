/** Command lines that help, documents and alerts show: their commands and options exist. */
import { spawnSync } from 'node:child_process';
import { glob, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { underNewName } from './renamed.ts';
import { runCommand } from './testing/run-command.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const rulesFolder = 'kube/base/prometheus/rules';

it('examples of all helps name commands and options that exist', async () => {
  const wrong: string[] = [];
  for (const noun of commandsIn(await helpOf([]))) {
    const help = await helpOf([noun]);
    const verbs = commandsIn(help).filter((verb) => verb !== 'help');
    const texts = await Promise.all(verbs.map((verb) => helpOf([noun, verb])));
    for (const text of [help, ...texts]) {
      const [, example = ''] = /\nExample:\n +(.*)/.exec(text) ?? [];
      const why = await whatIsWrong(example);
      if (why !== undefined) wrong.push(`skolo ${noun}: ${example}: ${why}`);
    }
  }

  expect(wrong).toEqual([]);
});

it('so do those of the documents', async () => {
  const wrong: string[] = [];
  let count = 0;
  for (const path of await documents()) {
    // YAML sentences continue on the next line.
    const text = (await readFile(path, 'utf8')).replaceAll(/(?<=`[^`\n]*)\n +(?=[^`\n]*`)/g, ' ');
    // A sentence may also begin with the name.
    const code = text.split(/^```\w*$/m).filter((_, index) => index % 2 === 1);
    const lines = [
      ...(text.match(/(?:^\$ |`)(?:npx )?skolo [a-z][^`\n]*/gm) ?? []),
      ...(code.join('\n').match(/^(?:npx )?skolo [a-z].*/gm) ?? []),
    ];
    for (const line of lines) {
      count += 1;
      const isHistory = path.endsWith('/CHANGELOG.md');
      const why = await whatIsWrong(line.replace(/^`|^\$ |npx /g, ''), isHistory);
      if (why !== undefined) wrong.push(`${path.slice(repository.length)}: ${line}: ${why}`);
    }
  }

  expect(wrong).toEqual([]);
  expect(count).toBeGreaterThan(200);
});

it('the first command of each alert is a whole command line, which needs only the list of racks', async () => {
  const commands = await firstCommands();

  // Every command looks for its rack only after its arguments and options are validated.
  const complaints = await Promise.all(
    wordsOf(commands).map(async (words) => ({ words, err: (await runCommand(words)).err })),
  );

  expect(commands.length).toBeGreaterThan(100);
  expect(complaints.length).toBe(commands.length);
  expect(complaints.filter(({ err }) => !/^skolo: no kube\/clusters\/[^\n]+\n$/.test(err))).toEqual(
    [],
  );
});

const Rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({ annotations: z.object({ first_command: z.string() }).exactOptional() }),
      ),
    }),
  ),
});

/** With a word for each label. */
async function firstCommands(): Promise<string[]> {
  const folder = join(repository, rulesFolder);
  const names = (await readdir(folder)).filter((name) => /(?<!\.test)\.yaml$/.test(name));
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return files
    .flatMap((text) => Rules.parse(parse(text)).groups.flatMap(({ rules }) => rules))
    .flatMap(({ annotations }) => annotations?.first_command ?? [])
    .map((command) => command.replaceAll(/\{\{[^}]*[.$](\w+) \}\}/g, '$1'));
}

/** The arguments of `skolo` in each line, parsed by a real shell, because a line may have quotes and pipes. */
function wordsOf(lines: readonly string[]): string[][] {
  const skolo = `skolo() { printf '%s\\t' "$@" >&3; echo >&3; }`;
  const { output } = spawnSync('sh', ['-c', [skolo, ...lines].join('\n')], {
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  const printed = (output[3] ?? '').trimEnd().split('\n');
  return printed.map((line) => line.split('\t').slice(0, -1));
}

/** Not another program's arguments, nor lines that begin with a shell keyword. */
/** @param mayBeOld it may have a name that works until the next version */
async function whatIsWrong(line: string, mayBeOld = false): Promise<string | undefined> {
  if (mayBeOld) {
    const all = line.replace(/^.*?skolo /, '').split(' ');
    if (underNewName(all, [...all.keys()]) !== undefined) return undefined;
  }
  const [own = ''] = line
    .replace(/^.*?skolo (?:--rack \S+ )?/, '')
    .split(/ (?:--|[|>#&;]|2>) | {3,}|[);]/);
  const words = own.replaceAll(/'[^']*'|"[^"]*"/g, 'WORD').split(/\s+/);
  const [noun = '', ...others] = words;
  if (noun === 'help') return undefined;
  const path = [noun];
  let known = await helpOf(path);
  if (known === '') return `no command ${noun}`;
  // A verb may have nested verbs.
  for (const verb of others) {
    if (!commandsIn(known).includes(verb)) break;
    path.push(verb);
    known = await helpOf(path);
  }
  const [verb = ''] = others.slice(path.length - 1);
  const takesOnlyVerbs = /^Usage: skolo [a-z].* \[command\]$/m.test(known);
  if (takesOnlyVerbs && /^[a-z-]+$/.test(verb)) return `no verb ${verb}`;
  const option = words
    .map((word) => word.replace(/^\[/, '').replace(/[\].,…=|].*$/, ''))
    .find((word) => word.startsWith('--') && !new RegExp(`${word}(?![a-z-])`).test(known));
  return option && `no option ${option}`;
}

const helps = new Map<string, Promise<string>>();

/** Empty if there is no such command. */
function helpOf(words: readonly string[]): Promise<string> {
  const key = words.join(' ');
  const known = helps.get(key) ?? printed([...words, '--help']);
  helps.set(key, known);
  return known;
}

async function printed(args: readonly string[]): Promise<string> {
  const { out, exitCode } = await runCommand(args);
  return exitCode === 0 ? out : '';
}

function commandsIn(help: string): string[] {
  const [, list = ''] = /\nCommands:\n((?: {2}.*\n?)+)/.exec(help) ?? [];
  return [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name);
}

async function documents(): Promise<string[]> {
  const where = '{.,docs/*,kube,deploy/*,services/*,packages/*,kube/base/prometheus/rules}';
  const found = [];
  for await (const path of glob(`${where}/*.{md,yaml}`, { cwd: repository })) {
    if (!path.endsWith('.test.yaml')) found.push(join(repository, path));
  }
  return found;
}
