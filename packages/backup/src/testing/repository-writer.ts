/**
 * The process that repository.kill.test.ts kills: `node repository-writer.ts FOLDER FIRST [LAST]` stores version FIRST, FIRST + 1,
 * … of four devices, now and then as a large file, repacks at times, and prints `DEVICE NUMBER ID` once a version is stored.
 */

import { writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { sha256 } from '@skolo/base';
import { report } from '@skolo/base/durable/fault-injection';
import { Repository } from '../history/repository.ts';

const [, script, folder, first, last = 'Infinity'] = argv;

export const devices = ['router', 'switch-1', 'switch-2', 'jumphost'];

/** Its number, a checksum, and 0 to 64 KiB of padding; up to 5 MB for the jumphost. */
export function versionText(device: string, version: number): Buffer {
  const size = device === 'jumphost' ? (version * 7919) % 5_000_000 : (version * 7919) % 65_536;
  const text = `${version}\n${String.fromCharCode(97 + (version % 26)).repeat(size)}\n`;
  return Buffer.from(`${sha256(text)}\n${text}`);
}

async function store(repository: Repository, device: string, version: number) {
  const bytes = versionText(device, version);
  const file = `${folder}.${device}`;
  if (device === 'jumphost') writeFileSync(file, bytes);
  const { id } = await repository.commit({
    device,
    content: device === 'jumphost' ? { file, size: bytes.length } : { bytes },
    about: {
      rack: 'rack4',
      model: 'test',
      run: `run-${version}`,
      // A rack's clock may jump.
      time: new Date(1_700_000_000_000 + ((version * 7919) % 1_000_000) * 1000).toISOString(),
      by: 'test',
    },
  });
  report(`${device} ${version} ${id}`);
}

if (script?.endsWith('repository-writer.ts') && folder !== undefined) {
  const repository = await Repository.open(folder, { rack: 'rack4' });
  report('open');
  for (let version = Number(first); version <= Number(last); version += 1) {
    const work = devices.map((device) => store(repository, device, version));
    if (version % 5 === 0) work.push(repository.maintain(new AbortController().signal));
    await Promise.all(work);
  }
}
