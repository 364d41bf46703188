/** `npm run bench -w services/swarming-client [-- --json] [-- --only NAME]` */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '@skolo/base';
import { inRounds, lower, memoryOf, peakMemory, runBenches, writtenBytes, wrk } from '@skolo/bench';
import { workedSeconds } from './cpu.ts';
import { withAgent } from './lab.ts';
import { hookScript } from './requests.ts';
import { syncsOf } from './syncs.ts';

const usualReadSeconds = 30;
const idleSeconds = 120;

/** The bot sends one request after the other; here without a pause, while the phone is read every second. */
const hookP99 = lower('hook-p99', 'ms', () =>
  withAgent(1, async ({ agent, lab }) => {
    const script = join(lab.dir, 'hooks.lua');
    await writeFile(script, hookScript());
    const url = `http://127.0.0.1:${agent.hookPort}/`;
    const p99 = async () => {
      const { latency } = await wrk({ url, connections: 1, seconds: 4, script });
      return latency.p99;
    };
    return await inRounds(3, { figure: p99 });
  }),
);

/** A million bytes each, the unit of the 60 that it may take. */
const memoryIdle = lower('memory-idle', 'MB', async () => {
  const { figure, against } = await whileIdle(async (pid) => memoryOf(pid), idleSeconds);
  return {
    figure: megabytes(figure),
    against: { proportional: megabytes(against?.proportional ?? 0) },
  };
});

/** Peak: during startup. */
const memoryPeak = lower('memory-peak', 'MB', () =>
  ofIdle(async (pid) => megabytes(peakMemory(pid)), idleSeconds),
);

/** Of one core, by the agent and its reading commands. The bot and the adb server are excluded. */
const cpuIdle = lower('cpu-idle', '% of a core', () =>
  ofIdle(async (pid) => {
    const before = workedSeconds(pid);
    await pause(idleSeconds * 1000);
    return ((workedSeconds(pid) - before) / idleSeconds) * 100;
  }),
);

const idleWrites = lower('idle-writes', 'B/min', () =>
  ofIdle(async (pid) => {
    const before = writtenBytes(pid);
    await pause(idleSeconds * 1000);
    return (writtenBytes(pid) - before) / (idleSeconds / 60);
  }),
);

const idleSyncs = lower('idle-syncs', '1/min', () =>
  ofIdle(async (pid) => (await syncsOf(pid, idleSeconds)) / (idleSeconds / 60)),
);

/** By then startup is over: what it compiled and read has been collected. */
const settleSeconds = 15;

async function ofIdle(measure: (pid: number) => Promise<number>, afterSeconds = settleSeconds) {
  return { figure: await whileIdle(measure, afterSeconds) };
}

async function whileIdle<T>(measure: (pid: number) => Promise<T>, afterSeconds: number) {
  return await withAgent(usualReadSeconds, async ({ agent }) => {
    await pause(afterSeconds * 1000);
    return await measure(agent.pid);
  });
}

function megabytes(mebibytes: number): number {
  return (mebibytes * 2 ** 20) / 1e6;
}

process.exitCode = await runBenches(
  [hookP99, memoryIdle, memoryPeak, cpuIdle, idleWrites, idleSyncs],
  process.argv.slice(2),
);
