/**
 * Everything of a rack ends at once and starts from its disks, with nothing in the kernel's memory and no registry: with kubelet and a
 * control plane, which are not k3s, and by the fallback, if k3s does not start. Only Google is there, for tokens.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Jumphost, token } from '../../../e2e/src/fallback/jumphost.ts';
import { bundle } from '../bundles.ts';
import type { EngineAccess } from '../engine/engine.ts';
import { allWorkloads, startRackOnNodes } from '../engine/rack-on-nodes.ts';
import { readyAt, until } from './pods.ts';

const run = promisify(execFile);
const url = 'http://127.0.0.1/computeMetadata/v1/instance/service-accounts/default/token';

const patienceSeconds = 900;

/** Seconds since everything started. */
export interface ColdStart {
  token: number;
  /** Until all pods are ready. */
  pods: number;
}

export async function coldStartOfNodes(access: EngineAccess): Promise<ColdStart> {
  const folder = await mkdtemp(join(access.dir, 'cold-start-'));
  const rack = await startRackOnNodes(access, allWorkloads, folder);
  try {
    await untilReady(new Date(0));
    let since = stopwatch();
    let began = new Date();
    await rack.restart(async () => {
      await dropCaches();
      since = stopwatch();
      began = new Date(Math.floor(Date.now() / 1000) * 1000);
    });
    const [ofToken, ofPods] = await Promise.all([
      until('metadata-server', askToken, patienceSeconds).then(since),
      untilReady(began).then(since),
    ]);
    return { token: ofToken, pods: ofPods };
  } finally {
    await rack.close();
    await rm(folder, { recursive: true, force: true });
  }

  async function askToken(): Promise<true | undefined> {
    const command = ['curl', '-s', '-m', '2', '-H', 'Metadata-Flavor: Google', url];
    const text = await rack.nodes.jumphost.run(...command).catch(() => '');
    return text.includes('access_token') || undefined;
  }

  async function untilReady(since: Date): Promise<void> {
    for (const workload of allWorkloads) {
      await until(
        workload,
        async () => {
          const pod = await rack.podOf(workload);
          return ((pod && readyAt(pod)) ?? new Date(Number.NaN)) >= since || undefined;
        },
        patienceSeconds,
      );
    }
  }
}

/** Seconds until its units serve the first token, with the times that an installation has. */
export async function coldStartOfFallback(nspawn: string): Promise<number> {
  const bundles = await mkdtemp('/var/tmp/skolo-cold-start-');
  await bundle(bundles, ['metadata-server', 'power-cycle-daemon', 'fallback']);
  const jumphost = await Jumphost.start(nspawn, bundles);
  const hasToken = async () => (await jumphost.askToken()).includes(token) || undefined;
  try {
    await jumphost.computer.run('/opt/skolo/deploy/jumphost/install');
    await until('k3s', hasToken);
    const isCopied = async () => (await jumphost.journal()).includes('copied') || undefined;
    await until('its configuration for the units', isCopied);
    await jumphost.bePatient();
    await jumphost.trouble({ crashes: true });
    await jumphost.computer.cutPower();
    await dropCaches();
    const since = stopwatch();
    await jumphost.computer.boot();
    await until('fallback', hasToken, patienceSeconds);
    return since();
  } finally {
    await jumphost.computer.scrap();
    await rm(bundles, { recursive: true, force: true });
  }
}

function stopwatch(): () => number {
  const began = performance.now();
  return () => (performance.now() - began) / 1000;
}

/** Of the whole computer. Programs and images are read from its disk again. */
async function dropCaches(): Promise<void> {
  await run('sync');
  await writeFile('/proc/sys/vm/drop_caches', '3');
}
