/** How long readers of a hostile device's versions keep the service from responding. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Repository } from '@skolo/backup';
import { lower } from '@skolo/bench';
import { z } from 'zod';
import { withService } from './rack.ts';

const preload = new URL('./event-loop-delay.ts', import.meta.url).pathname;
const Delays = z.object({ all: z.number(), own: z.number() });
const megabyte = 1024 * 1024;
const readers = 6;

/** Two versions of each device, which masking and comparing take long for. */
const versions: Record<string, (version: number) => string> = {
  empty: (version) => `${'\n'.repeat(megabyte)}${version}\n`,
  'one-line': (version) => `${'key '.repeat(megabyte)}${version}\n`,
  numbers: (version) => lines(4 * megabyte, (line) => `${line * version}`),
  secrets: (version) => lines(2 * megabyte, (line) => `key k${line + version}`),
};

function lines(bytes: number, text: (line: number) => string): string {
  const all: string[] = [];
  for (let size = 0; size < bytes; size += (all.at(-1)?.length ?? 0) + 1)
    all.push(text(all.length));
  return `${all.join('\n')}\n`;
}

async function store(folder: string): Promise<void> {
  const repository = await Repository.open(folder, { rack: 'bench' });
  for (const [device, textOf] of Object.entries(versions)) {
    for (const version of [1, 2]) {
      const time = `2026-11-2${version}T00:00:00.000Z`;
      const about = { rack: 'bench', model: 'cisco-ios', run: `${version}`, time, by: 'bench' };
      await repository.commit({ device, content: { bytes: Buffer.from(textOf(version)) }, about });
    }
  }
  await repository.close();
}

/** The longest delay of the event loop, while six readers at a time request each version and each difference. */
export const eventLoop = lower('event-loop', 'ms', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-backup-bench-'));
  const file = join(folder, 'delay');
  const entries = Object.keys(versions).map(
    (name) => `  ${name}: { model: cisco-ios, address: 127.0.0.1, ports: { ssh: 9 }, login: none }`,
  );
  const yaml = `logins:\n  none: { username: nobody, password: none }\nequipment:\n${entries.join('\n')}`;
  const how = { nodeFlags: ['--import', preload], env: { SKOLO_BENCH_DELAY: file } };
  try {
    return await withService(
      { yaml, secrets: { none: 'x' }, prepare: store, ...how },
      async (service) => {
        await service.idle();
        const measure = async () => {
          process.kill(service.pid, 'SIGUSR2');
          await sleep(500);
          return Delays.parse(JSON.parse(await readFile(file, 'utf8')));
        };
        // The start is not measured.
        await measure();
        for (const device of Object.keys(versions)) {
          const params = { equipment: device };
          const { client } = service;
          const content = () =>
            client.content({ params: { ...params, version: 'latest' }, query: {} });
          const diff = () => client.diff({ params, query: {} });
          // Some get a 429.
          await Promise.allSettled(Array.from({ length: readers }, content));
          await Promise.allSettled(Array.from({ length: readers }, diff));
          await sleep(20_000);
        }
        const { own: figure, all } = await measure();
        return { figure, against: { 'with waiting for a processor': all } };
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
