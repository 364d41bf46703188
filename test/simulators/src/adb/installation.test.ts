import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { startAdbInstallation } from './installation.ts';
import { runAdb } from './testing.ts';

async function start(context: TestContext) {
  const installed = await startAdbInstallation({ phones: [{ serial: 'A' }] });
  if (!installed) return context.skip('adb is not installed');
  onTestFinished(() => installed.close());
  const adb = (...args: string[]) => runAdb(join(installed.folder, 'adb'), args, installed.env);
  return { ...installed, adb };
}

it('is started by the first client, and told as adb tells it', async (context) => {
  const { adb, port, pid } = await start(context);

  const first = await adb('get-state');
  const second = await adb('shell', 'echo $?');

  expect(first).toEqual({
    status: 0,
    stdout: 'device\n',
    stderr: `* daemon not running; starting now at tcp:${port}\n* daemon started successfully\n`,
  });
  expect(second).toEqual({ status: 0, stdout: '0\n', stderr: '' });
  const line = readFileSync(`/proc/${pid()}/cmdline`, 'utf8').split('\0');
  expect(line[0]).toBe('adb');
  expect(line.slice(2, 6)).toEqual(['-L', `tcp:${port}`, 'fork-server', 'server']);
});

it('is no business of another port', async (context) => {
  const { adb, pid } = await start(context);

  expect((await adb('version')).stdout).toContain('1.0.41');

  expect(pid()).toBeUndefined();
});
