/**
 * The process that copies.kill.test.ts kills: `node offsite-writer.ts DIR RECIPIENT` stores versions of two devices in a history below DIR,
 * and copies them to DIR/offsite; it prints `stored N`. With a trailing `drain`, it only copies what is queued, and exits.
 */

import { writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { argv } from 'node:process';
import { Repository } from '@skolo/backup';
import { pause } from '@skolo/base';
import { Journal } from '@skolo/base/durable';
import { report } from '@skolo/base/durable/fault-injection';
import { createLogger, DegradedList, LastSuccess, systemClock } from '@skolo/common';
import { OffsiteCopies } from '../offsite/copies.ts';
import { smallRack } from './small-rack.ts';

export const devices = ['router', 'switch-1'];

/** From 0 to 200 kB. */
export function versionText(device: string, number: number): string {
  return `${device} ${number}\n${'filling\n'.repeat((number * 7919) % 25_000)}`;
}

const [, script, dir = '', recipient = '', mode] = argv;
if (script?.endsWith('offsite-writer.ts')) await work();

async function work(): Promise<void> {
  const stateDir = join(dir, 'state');
  const offsite = join(dir, 'offsite');
  for (const folder of [stateDir, offsite]) await mkdir(folder, { recursive: true });
  const rack = smallRack({ settings: `{ upload: ${offsite}, encrypt: [${recipient}] }`, dir });
  const repository = await Repository.open(join(stateDir, 'repository'), { rack: 'rack4' });
  const journal = await Journal.open(join(stateDir, 'journal'));
  const log = createLogger({ service: 'router-backup', destination: { write: () => undefined } });
  const degraded = new DegradedList({ clock: systemClock, log });
  const copies = new OffsiteCopies({
    rack: () => rack,
    stateDir,
    tables: {
      journal: () => journal,
      onTrouble: (error) => writeSync(2, `${error}\n`),
      onWell: () => undefined,
    },
    versions: {
      isArchived: () => false,
      inHistory: () => repository.devices(),
      inArchives: async () => [],
      list: (device, limit) => repository.versions(device, limit === undefined ? {} : { limit }),
      contentToFile: (version, file) => repository.contentToFile(version, file),
      archive: async () => undefined,
    },
    lastSuccess: await LastSuccess.open(stateDir, { clock: systemClock, degraded }),
    emit: (event) => event.type === 'degraded' && degraded.set(event.what, event.why),
    clock: systemClock,
    log,
    backOff: { firstMs: 20, maxMs: 200 },
  });
  copies.load(journal);
  await copies.start();
  if (mode === 'drain') {
    while (!(await isDone())) await pause(20);
    report('drained');
    process.exit();
  }
  for (let number = await repository.count('router'); ; number += 1) {
    for (const device of devices) {
      const content = { bytes: Buffer.from(versionText(device, number)) };
      const time = new Date(1_700_000_000_000 + number * 60_000).toISOString();
      const about = { rack: 'rack4', model: 'frr', run: `run-${number}`, time, by: 'schedule' };
      copies.add(await repository.commit({ device, content, about }));
    }
    report(`stored ${number}`);
  }

  async function isDone(): Promise<boolean> {
    for (const device of devices) {
      const newest = await repository.newest(device);
      if (newest && !copies.isStored(device, newest.id)) return false;
    }
    return copies.status().every(({ queued }) => queued === 0);
  }
}
