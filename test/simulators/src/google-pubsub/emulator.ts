import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeTcpPort } from '../free-port.ts';
import { peer } from '../peer.ts';

export interface PubSubEmulator {
  /** `127.0.0.1:PORT`: PUBSUB_EMULATOR_HOST. */
  endpoint: string;
  close(): Promise<void>;
}

/** Google's own emulator, empty; undefined where it is not installed. It is Java: ready in a second or three. */
export async function startPubSubEmulator(): Promise<PubSubEmulator | undefined> {
  const path = peer('pubsub-emulator');
  if (path === undefined) return undefined;
  // Somebody may take the port between our look and its start.
  for (let attempt = 1; ; attempt += 1) {
    const emulator = await startAt(path, await freeTcpPort());
    if (emulator) return emulator;
    if (attempt === 5) throw new Error('the Pub/Sub emulator finds all ports taken');
  }
}

/** Undefined: the port is taken. */
async function startAt(path: string, port: number): Promise<PubSubEmulator | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-pubsub-'));
  // The script starts Java as a child, so both are ended as a group.
  const child = spawn(path, ['--host=127.0.0.1', `--port=${port}`, `--data-dir=${dir}`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' },
  });
  const endWithUs = () => endGroup(child);
  process.once('exit', endWithUs);
  async function close(): Promise<void> {
    process.off('exit', endWithUs);
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const ended = once(child, 'close');
      endGroup(child);
      await ended;
    }
    await rm(dir, { recursive: true, force: true });
  }
  let log = '';
  const isListening = new Promise<boolean>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        log = `${log}${data}`.slice(-4000);
        if (log.includes('Server started, listening on')) resolve(true);
        // It says so and stays.
        if (log.includes('java.net.BindException')) resolve(false);
      });
    }
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`the Pub/Sub emulator has ended: ${log}`)));
  });
  try {
    if (await isListening) return { endpoint: `127.0.0.1:${port}`, close };
  } catch (error) {
    await close();
    throw error;
  }
  await close();
  return undefined;
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}
