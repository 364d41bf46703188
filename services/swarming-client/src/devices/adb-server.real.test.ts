/** Debian's own server of adb, on a port of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { peer } from '@skolo/simulators';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it, type TestContext } from 'vitest';
import { missing, never, startLab, unreadable } from './testing/lab.ts';

async function startReal(context: TestContext) {
  if (peer('adb') === undefined) context.skip('adb is not installed');
  const port = await freeTcpPort();
  return { ...(await startLab({ ANDROID_ADB_SERVER_PORT: String(port) })), port };
}

/** By its command line, which names its port. */
function serverOf(port: number): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return text.startsWith('adb\0') && text.includes(`tcp:${port}\0`);
    } catch {
      return false;
    }
  });
  return found === undefined ? undefined : Number(found);
}

describe('the real adb server', () => {
  it('outlives the command that started it, and ends with the agent', async (context) => {
    const { deps, open, port } = await startReal(context);

    await deps.adb.ensure(never);
    await deps.adb.ensure(never);

    expect(serverOf(port)).toBeDefined();
    expect(await missing(open({ serial: 'none' }))).toMatch(/^not attached/);
    await deps.adb.stop();
    await expect.poll(() => serverOf(port)).toBeUndefined();
  });

  it('that has stopped is found, ended by force and started again', async (context) => {
    const { deps, settings, port, open } = await startReal(context);
    await deps.adb.ensure(never);
    const pid = serverOf(port) ?? 0;
    process.kill(pid, 'SIGSTOP');
    settings.commandSeconds = 1;

    expect((await unreadable(open())).why).toMatch(/did not respond within 1 s/);
    settings.commandSeconds = 20;
    await deps.adb.restart(never);

    expect(serverOf(port)).not.toBe(pid);
    expect(await missing(open({ serial: 'none' }))).toMatch(/^not attached/);
  });
});
