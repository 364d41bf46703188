import type { Host } from '@skolo/setup/engine';
import { expect, it } from 'vitest';
import { systemStep } from './system.ts';

const needs = {
  architectures: ['amd64', 'arm64'],
  freeBytes: 1024 ** 3,
  memoryBytes: 1024 ** 3,
  now: () => 1_800_000_000_000,
} as const;

function answering({ unwritable = '', ...changes }: Record<string, string>): Host {
  const facts = {
    id: 'debian',
    version: '13',
    machine: 'aarch64',
    kernel: '6.12.0',
    userland: 'arm64',
    init: 'systemd',
    time: '1800000000',
    folder: '/var/lib',
    freeKib: `${8 << 20}`,
    diskKib: `${60 << 20}`,
    isFilled: 'no',
    usedPercent: '20',
    memoryKib: `${4 << 20}`,
    cgroupMemory: 'yes',
    ...changes,
  };
  const text = Object.entries(facts).map(([key, value]) => `${key}=${value}`);
  const need = async (script: string) => (/mktemp/.test(script) ? unwritable : text.join('\n'));
  return { need } as unknown as Host;
}

it.each([
  ['debian', '13', 'Debian 13, arm64', []],
  ['raspbian', '12', 'Debian 12, arm64', []],
  ['ubuntu', '24.04', 'Ubuntu 24.04, arm64', []],
  ['ubuntu', '22.04', expect.anything(), [expect.stringContaining('Ubuntu 24.04 or newer')]],
  [
    'debian',
    '11',
    expect.anything(),
    [expect.stringContaining('the operating system is debian 11')],
  ],
])('of an agent may be %s %s, or not', async (id, version, note, differs) => {
  const step = systemStep({ ...needs, hasUbuntu: true });

  expect(await step.check(answering({ id, version }))).toEqual({ differs, note });
});

it('of a jumphost is Debian, and says all that is wrong', async () => {
  const host = answering({ id: 'ubuntu', version: '24.04', cgroupMemory: 'no', time: '1' });

  const { differs } = await systemStep(needs).check(host);

  expect(differs).toEqual([
    'the operating system is ubuntu 24.04; install Debian 12 or 13',
    expect.stringContaining('cgroup_memory=1'),
    expect.stringContaining('1799999999 s behind'),
  ]);
});

it.each([
  [{ usedPercent: '98' }, '/var/lib has 8192 MiB (2%) free, but 1024 MiB and 10% are required; '],
  [{ unwritable: '/var/lib/skolo is read-only; x\n' }, '/var/lib/skolo is read-only; x'],
])('of a jumphost has a disk with room, and not %o', async (changes, text) => {
  const { differs } = await systemStep(needs).check(answering({ id: 'debian', ...changes }));

  expect(differs).toEqual([expect.stringContaining(text)]);
});

it.each([
  ['of 64 GB', 'no', 61_200_000, '', []],
  [
    'of 32 GB',
    'no',
    30_100_000,
    '',
    ['the disk has 30 GB, but 64 GB are required; install Debian on a larger disk'],
  ],
  [
    'of 32 GB, in use',
    'yes',
    30_100_000,
    '; the disk has 30 GB, but 64 GB are recommended: replace the jumphost before it is full',
    [],
  ],
])('a disk %s', async (_, isFilled, diskKib, note, differs) => {
  const step = systemStep({ ...needs, diskGb: 64 });

  const check = await step.check(answering({ isFilled, diskKib: `${diskKib}` }));

  expect(check).toEqual({ differs, note: `Debian 13, arm64${note}` });
});
