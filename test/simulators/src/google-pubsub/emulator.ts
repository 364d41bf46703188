import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeTcpPort } from '../equipment/free-port.ts';
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
  const dir = await mkdtemp(join(tmpdir(), 'skolo-pubsub-'));
  const port = await freeTcpPort();
  // The script starts Java as a child, so both are ended as a group.
  const child = spawn(path, ['--host=127.0.0.1', `--port=${port}`, `--data-dir=${dir}`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
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
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        log = `${log}${data}`.slice(-4000);
        if (log.includes('Server started, listening on')) resolve();
      });
    }
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`the Pub/Sub emulator has ended: ${log}`)));
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { endpoint: `127.0.0.1:${port}`, close };
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}
