/** What the benches start: the service as a process, and the simulators' Pub/Sub as another. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  NotRun,
  pinned,
  type ServerProcess,
  type ServiceProcess,
  startServer,
  startService,
} from '@skolo/bench';
import { peer } from '@skolo/simulators';

interface ServiceOptions {
  /** Settings of the service, in block style, indented by four. */
  settings: string;
  /** Default: on the disk. */
  stateDir?: string;
  /** Each sync takes this much longer, as on an SD card. */
  syncMs?: number;
  onAllCores?: boolean;
}

/** Runs the work in its own directory, below the given one, and removes it. */
export async function inFolder<T>(
  work: (folder: string) => Promise<T>,
  below = tmpdir(),
): Promise<T> {
  const folder = await mkdtemp(join(below, 'skolo-alerts-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function startAlertToPubsub(
  folder: string,
  { settings, stateDir = join(folder, 'state'), syncMs = 0, onAllCores = false }: ServiceOptions,
): Promise<ServiceProcess> {
  const rackFile = join(folder, 'rack.yaml');
  await writeFile(
    rackFile,
    `rack: bench
jumphost: { name: jumphost, address: 127.0.0.1 }
access: { anonymousRead: [127.0.0.0/8] }
services:
  alert-to-pubsub:
    project: bench
${settings}
`,
  );
  const wrapper = slowly(syncMs);
  return await startService('alert-to-pubsub', { rackFile, stateDir, wrapper, onAllCores });
}

/** The server that only appends and syncs, and with `json` also parses and serialises. */
export async function startAppendServer(
  folder: string,
  {
    syncMs,
    onAllCores,
    format = 'bytes',
  }: { syncMs: number; onAllCores: boolean; format?: 'bytes' | 'json' },
): Promise<ServerProcess> {
  const main = join(import.meta.dirname, 'append-server.ts');
  return await startServer({
    command: [...slowly(syncMs), process.execPath, main, join(folder, `log.${format}`), format],
    ready: /"msg":"listening","port":(?<port>\d+)/,
    onAllCores,
  });
}

interface AlertmanagerOptions {
  onAllCores: boolean;
  /** Its only receiver, and how long it waits for more alerts. By default, the receiver gets nothing during a bench. */
  receiver?: string;
  groupWait?: string;
}

/** Alertmanager; undefined: it is not installed. */
export async function startAlertmanager(
  folder: string,
  { onAllCores, receiver = 'http://127.0.0.1:1', groupWait = '1h' }: AlertmanagerOptions,
): Promise<ServerProcess | undefined> {
  const program = peer('alertmanager');
  if (program === undefined) return undefined;
  const config = join(folder, 'alertmanager.yml');
  await writeFile(
    config,
    `route: { receiver: hook, group_wait: ${groupWait} }
receivers: [{ name: hook, webhook_configs: [{ url: '${receiver}' }] }]
`,
  );
  const flags = {
    '--config.file': config,
    '--storage.path': join(folder, 'alertmanager'),
    '--web.listen-address': '127.0.0.1:0',
    '--cluster.listen-address': '',
  };
  return await startServer({
    command: [program, ...Object.entries(flags).map(([name, value]) => `${name}=${value}`)],
    ready: /listen.*127\.0\.0\.1:(?<port>\d+)/i,
    onAllCores,
  });
}

/** A Pub/Sub that counts its messages, pinned to the other core. */
export async function startPubSub(): Promise<ServerProcess> {
  const index = createRequire(import.meta.url).resolve('@skolo/simulators');
  const main = join(dirname(index), 'google-pubsub/main.ts');
  return await startServer({
    command: pinned([process.execPath, main], 'load'),
    ready: /"port":(?<port>\d+)/,
  });
}

/** Prefix of a command that delays the return of each sync; with `-D`, signals reach the command itself. */
function slowly(syncMs: number): string[] {
  if (syncMs === 0) return [];
  const strace = peer('strace');
  if (strace === undefined) throw new NotRun('strace is not installed (Debian: strace)');
  // The spool writes with O_DSYNC.
  const syncs = 'fdatasync,fsync,pwrite64';
  const inject = `inject=${syncs}:delay_exit=${syncMs * 1000}`;
  const options = ['-D', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null'];
  return [strace, ...options, '-e', `trace=${syncs}`, '-e', inject];
}

/** A metric of the service, summed over its labels. */
export async function metric({ groups }: ServerProcess, name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${groups.metricsPort}/metrics`);
  const text = await response.text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
