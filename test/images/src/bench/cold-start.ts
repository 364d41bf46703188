/** A jumphost whose power was cut, and on which k3s does not start. Nothing is in the kernel's memory. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Jumphost, token } from '../../../e2e/src/fallback/jumphost.ts';
import { bundle } from '../bundles.ts';
import { until } from './pods.ts';

const run = promisify(execFile);

const patienceSeconds = 900;

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
