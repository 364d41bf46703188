import { execFile } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { peer } from '../peer.ts';
import { startIphoneTools } from './idevice-tools.ts';
import type { IphoneOptions } from './iphone.ts';

const a = '00008030-000E0D9E1A88802E';

interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** As one types it: with its folder in PATH. */
function run(folder: string, [name = '', ...args]: readonly string[]) {
  const env = { ...process.env, PATH: [folder, process.env.PATH].join(delimiter) };
  return new Promise<Result>((resolve) => {
    const child = execFile(name, args, { env }, (_, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

async function start(...phones: IphoneOptions[]) {
  const tools = await startIphoneTools({ phones });
  onTestFinished(() => tools.close());
  return { tools, run: (line: string) => run(tools.folder, line.split(' ')) };
}

/** Ends it when it has said that. */
async function saysAndStays(folder: string, [name = '', ...args]: string[], text: string) {
  const child = execFile(join(folder, name), args);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data) => {
      said += data;
    });
  }
  await expect.poll(() => said).toBe(text);
  expect(child.exitCode).toBeNull();
  child.kill('SIGKILL');
}

describe('the tools of libimobiledevice', () => {
  it('relay a log for ever', async () => {
    const { tools } = await start({ udid: a });
    tools.phone().faults.add('locked');

    await saysAndStays(
      tools.folder,
      ['idevicesyslog'],
      '\n*** Device is passcode protected, enter passcode on the device to continue ***\n',
    );
  });
});

describe('compared with the real tools, without a device', () => {
  it.for([
    'idevice_id -l',
    `idevice_id ${a}`,
    'ideviceinfo',
    `ideviceinfo -u ${a} -k ProductType`,
    'ideviceinfo -u',
    'ideviceinfo --bogus',
    'ideviceinfo --version',
    'idevicediagnostics restart',
    `idevicediagnostics -u ${a} restart`,
    'idevicediagnostics',
    'idevicescreenshot',
    `idevicescreenshot -u ${a}`,
    'idevicesyslog',
  ])('%s', async (line, context: TestContext) => {
    const real = peer('libimobiledevice');
    if (real === undefined) return context.skip('libimobiledevice is not installed');
    const { tools, run: simulated } = await start();
    // Where the tests run, usbmuxd does not.
    tools.isWithoutUsbmuxd = true;

    const [theirs, ours] = await Promise.all([
      run(dirname(real), line.split(' ')),
      simulated(line),
    ]);

    expect(ours.status).toBe(theirs.status);
    // Of a usage, its beginning.
    expect(theirs.stdout.startsWith(ours.stdout)).toBe(true);
    expect(theirs.stderr.startsWith(ours.stderr)).toBe(true);
    expect(`${ours.stdout}${ours.stderr}`).not.toBe('');
  });
});
