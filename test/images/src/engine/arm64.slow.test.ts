/** The images of the machines: built for arm64 under QEMU, and started. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLong, onlyLong } from '@skolo/base/durable/fault-injection';
import { serviceNames } from '@skolo/rack';
import { lacks } from '@skolo/simulators';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { baseName } from './base.ts';
import { imageName, openBuilder, targets } from './build.ts';
import { startContainer } from './container.ts';
import { useDocker } from './docker.ts';
import { emulateArm64 } from './emulation.ts';
import { readPodAlone } from './pod.ts';
import { rackOfOne } from './rack-of-one.ts';
import { type Relay, startRelay } from './relay.ts';
import { becomesReady, theEngine } from './testing.ts';

/** Emulation makes each image a minute's work. Each push builds and starts one of them. */
const built = isLong ? targets : (['cli'] as const);

let relay: Relay | undefined;
let stopEmulating: (() => Promise<void>) | undefined;
let etc: string;

function whyNot(): string | undefined {
  return lacks('qemu-user-static', 'root');
}

beforeAll(async () => {
  const prepared = inject('prepared');
  if (prepared.is !== 'ready' || whyNot() !== undefined) return;
  const { access } = prepared;
  stopEmulating = await emulateArm64();
  const builder = await openBuilder(access, 'arm64');
  try {
    await builder.build(built);
  } finally {
    await builder.close();
  }
  etc = join(access.dir, 'etc-arm64');
  await mkdir(etc);
  await writeFile(join(etc, 'rack.yaml'), rackOfOne);
  relay = await startRelay({
    docker: useDocker(access),
    image: baseName('amd64'),
    dir: access.dir,
    network: ['--network', 'bridge'],
  });
});
afterAll(async () => {
  await relay?.close();
  await stopEmulating?.();
});

it.skipIf(onlyLong).for(serviceNames)(
  '%s for arm64 gets ready, and ends on SIGTERM',
  async (service, { skip }) => {
    const why = whyNot();
    if (why !== undefined) return skip(why);
    const { access, docker } = theEngine(skip);
    if (!relay) expect.fail('the images have not been built');
    const { args, command, metricsPort } = await readPodAlone(service, etc);
    const container = await startContainer(
      access,
      imageName(access, service, 'arm64'),
      [...args, '--platform', 'linux/arm64'],
      command,
    );
    onTestFinished(() => container.remove());

    const url = `http://${container.address}:${metricsPort}`;
    await becomesReady(container, relay, url);
    expect(await docker(['exec', container.name, 'uname', '-m'])).toBe('aarch64');
    expect(await container.stop(900)).toMatchObject({ Status: 'exited', ExitCode: 0 });
  },
);

it('cli for arm64 is the skolo command', async ({ skip }) => {
  const why = whyNot();
  if (why !== undefined) return skip(why);
  const { access, docker } = theEngine(skip);
  const image = imageName(access, 'cli', 'arm64');

  const run = ['run', '--rm', '--read-only', '--network', 'none', '--platform', 'linux/arm64'];
  const output = await docker([
    ...run,
    `--volume=${etc}:/work:ro`,
    image,
    'rack',
    'check',
    'rack.yaml',
  ]);

  expect(output).toContain('rack4');
});
