import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { runCommand } from '@skolo/base/run-command';
import { tempDir, testSeed } from '@skolo/base/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { quietLog } from '../testing/quiet-log.ts';
import { UsbPorts } from './usb.ts';

const kills = countRounds();

/** A hub of one port, in a file. Like the real uhubctl it takes its time to turn one off, and outlives whoever asked. */
const uhubctl = `#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >> begun
case "$*" in *"-a off"*) sleep 0.05; echo 0000 off > port;; *"-a on"*) echo 0100 power > port;; esac
echo "$*" >> asked
echo 'Current status for hub 1-1 [2109:3431, USB 2.10, 4 ports, ppps]'
echo "  Port 2: $(cat port)"
`;

async function startHub() {
  const folder = await tempDir();
  await writeFile(join(folder, 'uhubctl'), uhubctl);
  await chmod(join(folder, 'uhubctl'), 0o755);
  await writeFile(join(folder, 'port'), '0100 power\n');
  const port = () => readFile(join(folder, 'port'), 'utf8');
  const linesOf = async (file: string) =>
    (await readFile(join(folder, file), 'utf8')).split('\n').length;
  const asked = () => linesOf('asked');
  /** Fulfilled when no uhubctl is running, also none that the killed agent has started. */
  const isIdle = () => expect.poll(async () => (await linesOf('begun')) - (await asked())).toBe(0);
  return { folder, port, asked, isIdle };
}

/** Runs an agent that cycles the port, and kills it when `moment` is over. */
async function killAt(
  moment: () => Promise<unknown>,
  { folder, offSeconds }: { folder: string; offSeconds: number },
): Promise<void> {
  const file = fileURLToPath(new URL('testing/usb-cycler.ts', import.meta.url));
  const child = spawn(process.execPath, [file, folder, String(offSeconds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  await moment();
  child.kill('SIGKILL');
  await exited;
}

describe('a port that was being cycled when the agent was killed', () => {
  it(`has power again when the next one begins`, async () => {
    const random = seeded(testSeed());
    const { folder, port, asked, isIdle } = await startHub();
    const run = runCommand;
    const power = { hub: '1-1', port: 2 };
    for (let kill = 0; kill < kills; kill += 1) {
      if (kill % 2 === 0) {
        const isOff = () => expect.poll(port).toContain('off');
        await killAt(isOff, { folder, offSeconds: 3600 });
      } else {
        await killAt(() => sleep(random() * 250), { folder, offSeconds: 0.02 });
      }
      const before = await asked();
      let looks = 0;
      const usb = new UsbPorts({
        devices: () => [{ name: 'phone', fullName: 'rpi-1-phone', kind: 'android', power }],
        run: async (file, args, options) => {
          looks += 1;
          // Usually ten seconds later than the first look: a uhubctl of the agent that was killed has ended by then.
          if (looks > 1) await isIdle();
          return await run(join(folder, file), args, options);
        },
        log: quietLog(),
        retrySeconds: 0.1,
      });
      usb.start();
      // Two looks: at the first, a uhubctl of the one that was killed may still be about to turn it off.
      await expect.poll(asked).toBeGreaterThanOrEqual(before + 2);
      await expect.poll(port).toContain('power');
      await usb.stop();
    }
  });
});
