/**
 * Stores versions and pushes each of them until it is killed; reports its progress. Like the service, retries if the remote is still busy
 * with the push of a killed process.
 */

import { fileURLToPath } from 'node:url';
import { pause } from '@skolo/base';
import { report } from '@skolo/base/durable/fault-injection';
import { Repository } from '../history/repository.ts';
import { GitMirror } from '../offsite/git/mirror.ts';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , history = '', folder = '', remote = '', recipient = ''] = process.argv;
  await write(history, new GitMirror({ history, folder, remote, recipients: [recipient] }));
}

async function write(history: string, mirror: GitMirror) {
  const repository = await Repository.open(history, { rack: 'rack4' });
  for (let number = await repository.count('router'); ; number += 1) {
    const content = { bytes: Buffer.from(`version ${number}\n`) };
    const time = new Date(number * 60_000).toISOString();
    const about = { rack: 'rack4', model: 'frr', run: `run-${number}`, time, by: 'schedule' };
    await repository.commit({ device: 'router', content, about });
    report(`stored ${number}`);
    await pushAtLast(mirror);
    report(`pushed ${number}`);
  }
}

async function pushAtLast(mirror: GitMirror): Promise<void> {
  const { signal } = new AbortController();
  for (let tries = 1; ; tries += 1) {
    try {
      return await mirror.push(signal);
    } catch (error) {
      if (tries === 100) throw error;
      await pause(50);
    }
  }
}
