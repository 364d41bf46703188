/** Screens of iPhones, by a simulated idevicescreenshot. Those of Android are in agent.test.ts. */
import { mkdir, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { screenshot, startIphoneTools } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { startLab } from '../devices/testing/lab.ts';
import { Screens } from './screen.ts';

const fresh = { fresh: true, force: false };

async function startPhone() {
  const tools = await startIphoneTools({ phones: [{ udid: '00008030-001C2D3E0123802E' }] });
  onTestFinished(() => tools.close());
  const lab = await startLab({ PATH: [tools.folder, process.env.PATH ?? ''].join(delimiter) });
  const memory = join(lab.dir, 'memory');
  await mkdir(memory);
  const device = { name: 'device', device: lab.open({ kind: 'ios' }) };
  const screens = new Screens({
    devices: () => [device],
    evidence: { lastScreen: async () => undefined },
    task: () => ({ running: false }),
    now: Date.now,
    memory,
  });
  const { signal } = new AbortController();
  const take = () => screens.get(fresh, signal);
  return { phone: tools.phone(), take, left: () => readdir(memory) };
}

it('is a PNG of an iPhone, which is not stored', async () => {
  const { phone, take, left } = await startPhone();
  phone.screenshot = screenshot;

  const { png } = await take();

  expect(Buffer.from(png)).toEqual(screenshot);
  expect(await left()).toEqual([]);
});

it('says why an iPhone gives none', async () => {
  const { phone, take, left } = await startPhone();

  await expect(take()).rejects.toThrow(
    'the screenshot is not a PNG file; older iPhones return TIFF',
  );
  phone.faults.add('no-screenshots');
  await expect(take()).rejects.toThrow('mount the Developer disk image');
  phone.faults.clear();
  phone.faults.add('locked');
  await expect(take()).rejects.toThrow('locked with a passcode');
  phone.unplug();
  await expect(take()).rejects.toThrow('not attached');
  expect(await left()).toEqual([]);
});
