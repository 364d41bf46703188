import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { peer } from '../peer.ts';
import { startIphoneTools } from './idevice-tools.ts';
import type { IphoneOptions } from './iphone.ts';
import { iphoneScreenshot } from './iphone.ts';

const a = '00008030-000E0D9E1A88802E';
const b = 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678';

interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** As one types it: with its folder in PATH. */
function run(folder: string, [name = '', ...args]: readonly string[], cwd?: string) {
  const env = { ...process.env, PATH: [folder, process.env.PATH].join(delimiter) };
  return new Promise<Result>((resolve) => {
    const child = execFile(name, args, { cwd, env }, (_, stdout, stderr) =>
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
  it('know an iPhone', async () => {
    const { run } = await start({ udid: a });

    expect(await run('idevice_id -l')).toEqual({ status: 0, stdout: `${a}\n`, stderr: '' });
    expect((await run(`ideviceinfo -u ${a} -k ProductType`)).stdout).toBe('iPhone12,1\n');
    expect((await run('ideviceinfo')).stdout).toContain('\nProductVersion: 14.4.2\n');
    expect(
      (await run('ideviceinfo --domain com.apple.mobile.battery -k BatteryCurrentCapacity')).stdout,
    ).toBe('93\n');
    expect(await run('ideviceinfo -k NoSuchKey')).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('know several', async () => {
    const { run } = await start({ udid: a }, { udid: b, productType: 'iPad13,1' });

    expect((await run('idevice_id -l')).stdout).toBe(`${a}\n${b}\n`);
    expect((await run(`ideviceinfo -u ${b} -k ProductType`)).stdout).toBe('iPad13,1\n');
  });

  it('restart it', async () => {
    const { tools, run } = await start({ udid: a, restartMs: 1 });

    expect((await run(`idevicediagnostics -u ${a} restart`)).stdout).toBe('Restarting device.\n');

    await expect.poll(() => tools.phone().boots).toBe(2);
    expect(tools.phone().isPresent()).toBe(true);
  });

  it('see it leave', async () => {
    const { tools, run } = await start({ udid: a });
    tools.phone().unplug();

    expect((await run('idevice_id -l')).stdout).toBe('');
    expect(await run('ideviceinfo')).toEqual({
      status: 255,
      stdout: 'ERROR: No device found!\n',
      stderr: '',
    });
  });

  it.for([
    ['locked', 'Password protected (-17)'],
    ['not-trusted', 'Pairing dialog response pending (-19)'],
    ['trust-denied', 'User denied pairing (-18)'],
    ['mux-error', 'Mux error (-8)'],
  ] as const)('are not let in: %s', async ([fault, why]) => {
    const { tools, run } = await start({ udid: a });
    tools.phone().faults.add(fault);

    expect(await run('ideviceinfo')).toEqual({
      status: 255,
      stdout: '',
      stderr: `ERROR: Could not connect to lockdownd: ${why}\n`,
    });
    expect((await run('idevice_id -l')).stdout).toBe(`${a}\n`);
  });

  it('save a screenshot where they were started', async () => {
    const { tools } = await start({ udid: a });
    const folder = await mkdtemp(join(tmpdir(), 'skolo-shot-'));
    onTestFinished(() => rm(folder, { recursive: true }));

    const { stdout } = await run(tools.folder, ['idevicescreenshot', 'shot.tiff'], folder);

    expect(stdout).toBe('Screenshot saved to shot.tiff\n');
    expect(readFileSync(join(folder, 'shot.tiff'))).toEqual(iphoneScreenshot);
  });

  it('relay a log for ever', async () => {
    const { tools } = await start({ udid: a });
    tools.phone().faults.add('locked');

    await saysAndStays(
      tools.folder,
      ['idevicesyslog'],
      '\n*** Device is passcode protected, enter passcode on the device to continue ***\n',
    );
  });

  it('hang', async () => {
    const { tools } = await start({ udid: a });
    const phone = tools.phone();

    phone.faults.add('hangs-mid-way');
    await saysAndStays(tools.folder, ['ideviceinfo', '-k', 'ProductType'], 'iPhon');
    phone.faults.add('hangs');
    await saysAndStays(tools.folder, ['ideviceinfo', '-k', 'ProductType'], '');

    await expect.poll(() => tools.running()).toBe(0);
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
