import type { Host } from '@skolo/setup/engine';
import { expect, it } from 'vitest';
import { testSetup } from '../testing/test-setup.ts';
import { firmwareStep } from './firmware.ts';

/** @param found what it has of folders and hooks */
function startPi(found: string, files: Map<string, string>): Host {
  return {
    need: async (script: string) => (script.startsWith('for each') ? found : ''),
    read: async (path: string) => files.get(path),
    write: async ({ path, content }: { path: string; content: string }) =>
      void files.set(path, content),
  } as unknown as Host;
}

const words = /cgroup_memory=1 cgroup_enable=memory/;

it('keeps its words over the next kernel where raspi-firmware writes them again', async () => {
  const files = new Map([
    ['/boot/firmware/config.txt', 'arm_64bit=1\n'],
    ['/boot/firmware/cmdline.txt', 'root=LABEL=RASPIROOT\n'],
  ]);
  const pi = startPi('/boot/firmware\nhook\n', files);
  const step = firmwareStep(testSetup);

  await step.apply?.(pi);

  expect(files.get('/etc/default/raspi-extra-cmdline')).toMatch(words);
  expect(files.get('/boot/firmware/cmdline.txt')).toMatch(words);
  expect(files.get('/boot/firmware/config.txt')).toBe('arm_64bit=1\n');
  expect((await step.check(pi)).differs).toEqual([]);
});

it('writes the files of the firmware of Raspberry Pi OS, and none on another computer', async () => {
  const files = new Map([
    ['/boot/firmware/config.txt', ''],
    ['/boot/firmware/cmdline.txt', 'root=PARTUUID=a-02\n'],
  ]);
  const pi = startPi('/boot/firmware\n', files);

  await firmwareStep(testSetup).apply?.(pi);

  expect([...files.keys()]).toEqual(['/boot/firmware/config.txt', '/boot/firmware/cmdline.txt']);
  expect(files.get('/boot/firmware/config.txt')).toContain('watchdog=on');
  const other = startPi('hook\n', new Map());
  expect(await firmwareStep(testSetup).check(other)).toMatchObject({ differs: [] });
});
