/** Stores versions and pushes each of them, for ever, until it is killed; tells how far it is. */
import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Repository } from '../repository.ts';
import { GitMirror } from './git-mirror.ts';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , history = '', folder = '', remote = '', recipient = ''] = process.argv;
  await write(history, new GitMirror({ history, folder, remote, recipients: [recipient] }));
}

async function write(history: string, mirror: GitMirror) {
  const repository = await Repository.open(history, { rack: 'rack4' });
  const { signal } = new AbortController();
  for (let number = await repository.count('router'); ; number += 1) {
    const content = { bytes: Buffer.from(`version ${number}\n`) };
    const time = new Date(number * 60_000).toISOString();
    const about = { rack: 'rack4', model: 'frr', run: `run-${number}`, time, by: 'schedule' };
    await repository.commit({ device: 'router', content, about });
    writeSync(1, `stored ${number}\n`);
    await mirror.push(signal);
    writeSync(1, `pushed ${number}\n`);
  }
}
