import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';
import { closing, parseJson } from '@skolo/base';
import type { Guardian } from '@skolo/fleet';
import { z } from 'zod';
import { upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError, complain } from '../../errors.ts';
import { programEnd } from '../../reach/run-program.ts';
import { type AccountOptions, rackYamlFor } from './rack-yaml.ts';

interface Options extends AccountOptions {
  key: string;
  port?: number;
}

/** `skolo emulate metadata`: the metadata server for the programs on this computer, without rack.yaml. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Runs the metadata server on 127.0.0.1, so that Google client libraries and gcloud on this computer use a key file as if they ran on a GCE instance. If you specify a command, it runs with the required environment variables; the server stops when the command ends, and skolo returns its exit code. Otherwise, skolo prints the variables, and the server runs until you press Ctrl-C. While the server is running, every user on this computer can get tokens.',
    )
    .summary('run the metadata server for programs on this computer')
    .argument('[command...]', 'command and arguments, after --')
    .requiredOption(
      '--key <file>',
      'key file of a service account, or credentials from gcloud auth application-default login',
    )
    .option('--project <id>', 'project ID (default: from the key file)')
    .option('--email <address>', 'e-mail address of the account (default: from the key file)')
    .option(
      '--port <n>',
      'port to listen on; 0 selects a free port (default: 8080, or 0 with a command)',
      (text) => (text === '0' ? 0 : upTo(65_535)(text)),
    )
    .uses()
    .example('skolo emulate metadata --key key.json -- npm test');

  command.interruptible(async (signal, words: string[], options: Options) => {
    const { io } = command;
    const program = serverProgram();
    const rackYaml = await rackYamlFor(resolve(io.folder, options.key), options);
    const { startGuardian } = await import('@skolo/fleet');
    // The server saves tokens there, and accepts only an in-memory file system for them.
    const memory = existsSync('/dev/shm') && { XDG_RUNTIME_DIR: '/dev/shm' };
    await using guardian = closing(await startGuardian({ ...memory, ...io.env }));
    const rackFile = join(guardian.folder, 'rack.yaml');
    await writeFile(rackFile, await rackYaml(join(guardian.folder, 'tokens')), { mode: 0o600 });
    const port = options.port ?? (words.length > 0 ? 0 : 8080);
    const flags = [program, '--rack', rackFile, '--port', `${port}`];
    await using server = closing(startServer(command, guardian, flags));
    const host = `127.0.0.1:${await listening(command, server.child, signal)}`;
    const variables = { GCE_METADATA_HOST: host, GCE_METADATA_IP: host, GCE_METADATA_ROOT: host };
    const [name, ...args] = words;
    if (name !== undefined) {
      const { GOOGLE_APPLICATION_CREDENTIALS: _, ...env } = io.env;
      const child = guardian.start(name, args, { env: { ...env, ...variables }, stdio: 'inherit' });
      io.exitCode = (await programEnd(io, name, child)).exitCode;
      return;
    }
    io.out('unset GOOGLE_APPLICATION_CREDENTIALS');
    for (const [variable, value] of Object.entries(variables))
      io.out(`export ${variable}=${value}`);
    const isEnded = await once(server.child, 'exit', { signal }).catch(() => false);
    if (isEnded) throw new CliError('the metadata server stopped; run the command again');
  });
}

/** @throws CliError This skolo is a single program, or the command alone. */
function serverProgram(): string {
  // The bundle of the command is in packages/cli/dist.
  const program = import.meta.url.endsWith('.ts')
    ? '../../../../../services/metadata-server/src/main.ts'
    : '../../../services/metadata-server/dist/main.js';
  const file = isSea() ? '' : fileURLToPath(new URL(program, import.meta.url));
  if (existsSync(file)) return file;
  throw new CliError(
    'skolo emulate: this installation does not contain the metadata server; install skolo_VERSION_ARCHITECTURE.deb, or use a clone of the repository',
  );
}

/** Ends with the command, before its directory is removed. Ctrl-C does not reach it: the command may still need tokens. */
function startServer(command: SkoloCommand, guardian: Guardian, program: readonly string[]) {
  const state = ['--state-dir', join(guardian.folder, 'state'), '--log-level', 'info'];
  const loopback = ['--host', '127.0.0.1', '--metrics-port', '0'];
  const child = guardian.start(process.execPath, [...program, ...state, ...loopback], {
    env: command.io.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  return {
    child,
    async close() {
      // It keeps nothing that is worth waiting for.
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const LogLine = z.object({
  level: z.string(),
  msg: z.string(),
  port: z.number().optional(),
  what: z.string().optional(),
  why: z.string().optional(),
  problems: z.array(z.string()).optional(),
});

/** The server's port, once it listens. From then on, its warnings are printed. */
async function listening(
  { io }: SkoloCommand,
  server: ChildProcess,
  signal: AbortSignal,
): Promise<number> {
  const started = Promise.withResolvers<number>();
  if (server.stdout === null) throw new TypeError("the server's log is not piped");
  createInterface({ input: server.stdout }).on('line', (line) => {
    const {
      level,
      msg,
      port,
      what,
      why,
      problems = [],
    } = LogLine.safeParse(parseJson(line)).data ?? {};
    if (msg === 'listening' && port !== undefined) started.resolve(port);
    else if (level !== undefined && level !== 'info')
      complain(io, ['metadata server', what, msg, why, ...problems].filter(Boolean).join(': '));
  });
  server.once('exit', () => started.reject(new CliError('the metadata server did not start')));
  signal.addEventListener('abort', () => started.reject(signal.reason));
  return await started.promise;
}
