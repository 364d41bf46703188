/** A rack for benchmarks, and the service as its own process. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BackupRun, type Client, createClient, routerBackupApi } from '@skolo/api';
import { bundleOf, type ServerProcess, startService } from '@skolo/bench';
import { newToken } from '@skolo/common';

export interface Service extends ServerProcess {
  client: Client<typeof routerBackupApi>;
  /** When its process was started, as of `performance.now()`. */
  began: number;
  /** Starts a manual run and returns the seconds until it is finished. */
  run(...devices: string[]): Promise<{ seconds: number; run: BackupRun }>;
  /** This device has a version. */
  stored(device: string): Promise<void>;
  /** All equipment that is backed up has a version, and none is being read any more. */
  idle(): Promise<void>;
}

interface Files {
  /** rack.yaml from `logins:` on, without `services:`. */
  yaml: string;
  /** More settings of the service, as YAML lines. */
  settings?: string;
  /** Files beside rack.yaml, by name. */
  secrets: Record<string, string>;
  /** Creates a history, before the service starts. */
  prepare?: (repository: string) => Promise<void>;
  nodeFlags?: string[];
  env?: Record<string, string>;
}

/** Until all equipment has been read for the first time, which takes seconds. */
const firstRunMs = 60_000;

/** Runs the work with a service for such a rack, and removes everything afterwards. */
export async function withService<T>(
  { yaml, settings = '', secrets, prepare, ...how }: Files,
  work: (service: Service, dir: string) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-backup-bench-'));
  try {
    for (const [name, text] of Object.entries(secrets)) {
      await writeFile(join(dir, name), text, { mode: 0o600 });
    }
    await writeFile(
      join(dir, 'rack.yaml'),
      `rack: bench
timezone: UTC
network: { subnet: 127.0.0.0/8, domain: lan }
jumphost: { name: jumphost, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml }, anonymousRead: [127.0.0.0/8] }
${yaml}
services:
  power-cycle-daemon: { url: "http://127.0.0.1:9" }
  router-backup:
    jitterSeconds: 0
${settings}
`,
    );
    await prepare?.(join(dir, 'state', 'repository'));
    const service = await start(dir, how);
    try {
      return await work(service, dir);
    } finally {
      await service.stop();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function start(dir: string, how: Pick<Files, 'nodeFlags' | 'env'>): Promise<Service> {
  const token = await newToken(join(dir, 'tokens.yaml'), {
    name: 'bench',
    role: 'operate',
    expiresInDays: 1,
  });
  // It is built before the process starts.
  await bundleOf('router-backup');
  const began = performance.now();
  const server = await startService('router-backup', {
    rackFile: join(dir, 'rack.yaml'),
    stateDir: join(dir, 'state'),
    ...how,
  });
  const client = createClient(routerBackupApi, {
    baseUrl: `http://127.0.0.1:${server.port}`,
    token,
    timeoutMs: 60_000,
  });

  async function finished(id: string, everyMs: number): Promise<BackupRun> {
    for (;;) {
      const run = await client.backup({ params: { id } });
      if (run.finishedAt !== undefined) return run;
      await sleep(everyMs);
    }
  }

  return {
    ...server,
    client,
    began,
    async run(...devices) {
      const began = performance.now();
      const body = devices.length === 0 ? {} : { equipment: devices };
      const { id } = await client.requestBackup({ body });
      const run = await finished(id, devices.length === 1 ? 3 : 25);
      const seconds = (performance.now() - began) / 1000;
      const failed = run.equipment.find(({ result }) => result === 'failed');
      if (failed !== undefined) throw new Error(`${failed.equipment}: ${failed.detail}`);
      return { seconds, run };
    },
    async stored(device) {
      while ((await client.equipment({ params: { equipment: device } })).versions === 0)
        await sleep(10);
    },
    async idle() {
      const end = performance.now() + firstRunMs;
      const isRead = async () =>
        (await client.allEquipment({ query: {} })).equipment.every(
          ({ versions = 0, state }) => versions > 0 || state === 'not-backed-up',
        );
      while (!(await isRead())) {
        if (performance.now() > end) throw new Error('no run has read all equipment');
        await sleep(100);
      }
      const { backups } = await client.backups({ query: {} });
      for (const { id, finishedAt } of backups) {
        if (finishedAt === undefined) await finished(id, 25);
      }
    },
  };
}
