/**
 * The first start of a card for arm64, on a computer that QEMU emulates: Debian's kernel finds the card, systemd starts, and
 * cloud-init makes it the machine. test/cloud-init/virt-arm64 stands in for the firmware.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onlyLong } from '@skolo/base/durable/fault-injection';
import { run } from '@skolo/base/testing';
import { lacks, peer } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, onTestFailed, onTestFinished } from 'vitest';
import { diskOf } from './disk/disk.ts';
import { openBaseImage } from './image/base-image.ts';
import { customise } from './image/machine-image.ts';
import { writeChanged } from './image/write-image.ts';
import { readByMtools } from './testing/test-image.ts';
import { testSetup } from './testing/test-setup.ts';

/** Of partitions that test/cloud-init/build-arm64 makes, bytes. */
const [bootOffset, rootOffset] = [4, 132].map((mib) => mib * 1024 * 1024);

// Its counterpart is built by hand, which takes up to an hour, and an emulated computer starts for longer than a push may take.
describe.skipIf(onlyLong ?? lacks('virt-arm64', 'mtools'))('a card for arm64', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-arm64-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function makeCard(): Promise<string> {
    const card = join(folder, 'card.img');
    const file = await open(join(dirname(peer('virt-arm64') ?? ''), 'card.img'));
    try {
      const image = await openBaseImage(await diskOf('card.img', file));
      expect(image).toMatchObject({ architecture: 'arm64', system: 'debian trixie' });
      await customise(image, { setup: testSetup, now: new Date() });
      await writeChanged(image.disk, card, new AbortController().signal);
    } finally {
      await file.close();
    }
    return card;
  }

  /** What it prints on its serial line until it restarts. */
  async function start(card: string): Promise<string> {
    const child = spawn(peer('virt-arm64') ?? '', [card], { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        printed += data.toString();
      });
    }
    onTestFinished(() => void child.kill());
    onTestFailed(() => console.log(printed.slice(-2000)));
    await once(child, 'exit');
    return printed;
  }

  it('is the machine after its first start', async () => {
    const card = await makeCard();

    const printed = await start(card);

    expect(printed).toMatch(/REPORT name: rpi-001\s/);
    expect(printed).toMatch(/status: done\s/);
    expect(printed).toMatch(/REPORT ssh: active\s/);
    await expect(readByMtools(card, 'skolo-error.txt', bootOffset)).rejects.toThrow();
    const ext4 = async (path: string) =>
      (await run('debugfs', ['-R', `cat ${path}`, `${card}?offset=${rootOffset}`])).stdout;
    expect(await ext4('/etc/hosts')).toContain('127.0.1.1 rpi-001.lan rpi-001');
    expect(await ext4('/etc/netplan/50-cloud-init.yaml')).toContain('192.168.1.101/24');
    expect(await ext4('/var/log/skolo-setup.log')).not.toContain('failed');
  });
});
