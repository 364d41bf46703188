/** Begins a push, or resumes it where it is on record, until it ends or is killed; tells how it ended. */

import { kill } from 'node:process';
import { fileURLToPath } from 'node:url';
import { report, startWriter } from '@skolo/base/durable/fault-injection';
import { openRecords, preparePush } from '../index.ts';
import { pushDeps, type Work } from './push-deps.ts';

const file = fileURLToPath(import.meta.url);

/** In a process of its own, which tests can kill. */
export function startPush(work: Work) {
  return startWriter(file, JSON.stringify(work));
}

if (process.argv[1] === file) {
  await run(JSON.parse(process.argv[2] ?? ''));
}

async function run(work: Work) {
  const { request } = work;
  const deps = await pushDeps(work, {
    mayBeDirty: (await openRecords(work.records).read(request.id)) !== undefined,
    workstation: { name: 'ann@desk', pid: process.pid, isAlive },
    times: {
      pollMs: 900,
      readyMs: 600_000,
      patienceMs: 600_000,
      lease: { durationMs: 6_000, renewMs: 1_000 },
    },
  });
  const push = await preparePush(request, deps);
  report('prepared');
  const problem = push.racks.find((rack) => rack.problem)?.problem;
  if (problem) report(`${problem.message}`);
  const ends = await push.run();
  await push.close();
  report(`${ends.map(({ state, why }) => `${state} ${why ?? ''}`.trim()).join(' ')}`);
}

function isAlive(other: number): boolean {
  try {
    return kill(other, 0);
  } catch {
    return false;
  }
}
