/**
 * Sessions: text files of command lines and all that they print, which are run and compared. What a person sees is
 * what the test sees: the command, in a shell.
 *
 *     ## A title, if wanted
 *     $ skolo check rack broken.yaml
 *     what it prints to standard output
 *     ! what it prints to standard error
 *     [78]
 *
 * `[n]` is the exit code, where it is not 0. `tty 60 skolo …` runs it in a terminal of 60 columns; after `echo yes | typed 60`, that was typed
 * before it began.
 * `npx vitest run -u` writes what is printed now into the files; then read the difference.
 */
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Shell } from './command-lines.ts';

const ownFolder = fileURLToPath(new URL('../../', import.meta.url));
const racks = fileURLToPath(new URL('../../../../racks', import.meta.url));
const kube = fileURLToPath(new URL('../../../../kube', import.meta.url));

/** A directory to run sessions in. */
export interface Place {
  dir: string;
  env: NodeJS.ProcessEnv;
  /** Values that differ between runs, and their fixed replacements. */
  placeholders?: ReadonlyMap<string, string>;
  remove(): Promise<void>;
}

interface Servers {
  /** The metadata server: `$URL`, also in place of `http://127.0.0.1:3` in rack4.yaml. */
  metadata?: { url: string } | undefined;
  /** The power-cycle daemon: `$POWER`, also in place of `http://127.0.0.1:4`. */
  power?: { url: string } | undefined;
  /** The router backup: `$BACKUP`, also in place of `http://127.0.0.1:5`. */
  backup?: { url: string } | undefined;
  /** The alert-to-pubsub: `$ALERTS`, also in place of `http://127.0.0.1:6`, and its Pub/Sub. */
  alerts?: { url: string; pubsub: { endpoint: string } } | undefined;
  /** The machine-state: `$STATE`, also in place of `http://127.0.0.1:8` in rack7.yaml. */
  state?: { url: string } | undefined;
  /** Agents by machine: in place of `http://127.0.0.1:7/NAME` in rack7.yaml; the first is `$AGENT`. */
  agents?: ReadonlyMap<string, { url: string }> | undefined;
  /** In `~/.skolo-token` that of ann, who is admin; in `~/.operate-token` that of bob, who may operate. */
  tokens?: { admin: string; operate: string } | undefined;
}

const ownProcess = `exec "${process.execPath}" "${ownFolder}bin/skolo.js" "$@"`;

/**
 * A copy of `files`, with secrets that only their owner can read, and `skolo` in the PATH, which runs `script`. Nobody is at the
 * ports 3 to 8 themselves. `$RACKS` and `$KUBE/racks` are the examples.
 */
export async function createPlace(
  files: string,
  servers: Servers,
  script = ownProcess,
): Promise<Place> {
  const { metadata, power, backup, alerts, agents, state, tokens } = servers;
  const root = await mkdtemp(join(tmpdir(), 'skolo-cli-'));
  const dir = join(root, 'files');
  await cp(files, dir, { recursive: true });
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await chmod(join(entry.parentPath, entry.name), 0o600);
  }
  // No key is in the repository, not even an unused one.
  const bots = join(dir, 'secrets/bots.json');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(bots, (await readFile(bots, 'utf8')).replace('"KEY"', JSON.stringify(pem)));
  const rack = join(dir, 'rack4.yaml');
  const urls = (await readFile(rack, 'utf8'))
    .replace('"http://127.0.0.1:3/', `"${metadata?.url ?? 'http://127.0.0.1:3'}/`)
    .replace('"http://127.0.0.1:4"', `"${power?.url ?? 'http://127.0.0.1:4'}"`)
    .replace('"http://127.0.0.1:5"', `"${backup?.url ?? 'http://127.0.0.1:5'}"`)
    .replace('"http://127.0.0.1:6"', `"${alerts?.url ?? 'http://127.0.0.1:6'}"`);
  await writeFile(rack, urls);
  const agentUrls = [...(agents ?? [])].map(([name, { url }]) => [name, url] as const);
  const withAgents = join(dir, 'rack7.yaml');
  await writeFile(
    withAgents,
    agentUrls.reduce(
      (text, [name, url]) => text.replaceAll(`"http://127.0.0.1:7/${name}"`, `"${url}"`),
      (await readFile(withAgents, 'utf8')).replace(
        '"http://127.0.0.1:8"',
        `"${state?.url ?? 'http://127.0.0.1:8'}"`,
      ),
    ),
  );
  await writeFile(join(root, '.skolo-token'), tokens?.admin ?? '', { mode: 0o600 });
  await writeFile(join(root, '.operate-token'), tokens?.operate ?? '', { mode: 0o600 });
  await writeScript(join(root, 'skolo'), script);
  await writeScript(join(root, 'tty'), inTerminal('$*'));
  // Without it, what is typed would be shown where the command happens to be when `script` hands it over.
  const untilTyped = `bash -c 'until read -t 0; do sleep 0.01; done'`;
  await writeScript(join(root, 'typed'), inTerminal(`${untilTyped}; $*`));
  return {
    dir,
    // HOME is in this directory, and is otherwise empty: the user's own files do not affect the tests.
    env: {
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      PATH: `${root}:${process.env.PATH}`,
      HOME: root,
      TERM: 'xterm',
      TZ: 'UTC',
      ...(metadata && { URL: metadata.url }),
      ...(power && { POWER: power.url }),
      ...(backup && { BACKUP: backup.url }),
      ...(alerts && { ALERTS: alerts.url, PUBSUB_EMULATOR_HOST: alerts.pubsub.endpoint }),
      ...(state && { STATE: state.url }),
      ...(agentUrls[0] && { AGENT: agentUrls[0][1] }),
      RACKS: racks,
      KUBE: kube,
    },
    ...(agentUrls.length > 0 && {
      placeholders: new Map(agentUrls.map(([name, url]) => [url, `http://127.0.0.1:7/${name}`])),
    }),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

function inTerminal(commands: string): string {
  return `columns=$1; shift; exec script -qec "stty cols $columns; ${commands}" /dev/null`;
}

async function writeScript(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** Whether `tty` works here: `script` of util-linux. That of BSD and macOS takes other options. */
export async function canTty(): Promise<boolean> {
  const version = await promisify(execFile)('script', ['--version']).catch(() => undefined);
  return version?.stdout.includes('util-linux') ?? false;
}

/** Runs a session's commands again, in order, and returns the complete new text. */
export async function replay(text: string, place: Place, shell: Shell): Promise<string> {
  const { dir: cwd, env } = place;
  const steps = [];
  for (const { title, command } of commandsOf(text)) {
    const { stdout, stderr, exitCode } = await shell.run(command, { cwd, env });
    steps.push(
      [
        ...title,
        `$ ${command}`,
        ...lines(Buffer.from(stdout).toString()),
        ...lines(stderr).map((line) => `! ${line}`),
        ...(exitCode === 0 ? [] : [`[${exitCode}]`]),
        '',
      ].join('\n'),
    );
  }
  return steadied(steps.join('\n'), place);
}

interface Command {
  title: string[];
  command: string;
}

function commandsOf(text: string): Command[] {
  const commands: Command[] = [];
  let title: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) {
      title.push(line);
    } else if (line.startsWith('$ ')) {
      commands.push({ title, command: line.slice(2) });
      title = [];
    }
  }
  return commands;
}

function lines(output: string): string[] {
  return output === '' ? [] : output.replace(/\n$/, '').split('\n');
}

/** The expected text, if it matches the output with parts replaced by `…`; otherwise the output. */
export function abridged(printed: string, expected: string): string {
  const parts = expected.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*?')}$`, 's').test(printed) ? expected : printed;
}

/** Replaces values that differ between runs with names. */
export function steadied(text: string, { dir, env, placeholders }: Omit<Place, 'remove'>): string {
  return (
    [...(placeholders ?? [])]
      .reduce((steady, [word, placeholder]) => steady.replaceAll(word, placeholder), text)
      .replaceAll('\r\n', '\n')
      .replaceAll('\x1b', '\\e')
      .replaceAll(dir, '$DIR')
      .replaceAll(racks, '$RACKS')
      .replaceAll(kube, '$KUBE')
      .replaceAll(env.URL ?? '$URL', '$URL')
      .replaceAll(env.POWER ?? '$POWER', '$POWER')
      .replaceAll(env.BACKUP ?? '$BACKUP', '$BACKUP')
      .replaceAll(env.ALERTS ?? '$ALERTS', '$ALERTS')
      .replaceAll(env.STATE ?? '$STATE', '$STATE')
      .replaceAll(env.HOME ?? '$HOME', '$HOME')
      .replaceAll(/skolo_[\w-]{43}/g, 'skolo_…')
      // The time until the year 2099 differs each day.
      .replaceAll(/\b\d{5} days\b/g, '26663 days')
      // Levels of models rise with each contributed evidence file.
      .replaceAll(/(?<=hardware evidence( \(.*?\): info: |",[^}]*"found": "))[^"\n]*/g, '…')
      .replaceAll(/(?<="models": )\[.*?\n {6}\]/gs, '[…]')
      .replaceAll(/<secret [0-9a-f]{12}>/g, '<secret 5e1f00>')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'YYYY-MM-DDThh:mm:ssZ')
  );
}
