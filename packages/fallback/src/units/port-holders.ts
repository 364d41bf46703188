/** Other programs that listen on a service's ports, so that it cannot. */

import { readFile } from 'node:fs/promises';
import { run } from '@skolo/base/run';
import { servicePorts } from '@skolo/rack/light';
import { type PodService, programOf } from './services.ts';

/** @returns such as `nginx (process 812) on port 80`, for each; only root learns the names of others' programs */
export async function portHolders(service: PodService): Promise<string[]> {
  const { port, metricsPort } = servicePorts[service.name];
  const holders: string[] = [];
  for (const each of new Set([port, metricsPort])) {
    const args = ['--no-header', '--listening', '--tcp', '--numeric', '--processes'];
    const { stdout } = await run('ss', [...args, `sport = :${each}`], {
      timeout: 10_000,
    }).catch(() => ({ stdout: '' }));
    for (const line of new Set(stdout.split('\n').filter((found) => found !== ''))) {
      const [, name, pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(line) ?? [];
      const who = name === undefined ? 'another program' : `${name} (process ${pid})`;
      if (pid !== undefined && (await isOwn(service, pid))) continue;
      holders.push(`${who} on port ${each}`);
    }
  }
  return [...new Set(holders)];
}

async function isOwn(service: PodService, pid: string): Promise<boolean> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return line.split('\0').some((word) => word.endsWith(programOf(service)));
}
