import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { root } from '../folder/folders.ts';

const main = join(root, 'test', 'demo', 'src', 'processes', 'guard-main.ts');

async function started(args: string[], detached = false): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], detached });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child;
}

/** A service that prints when it runs. */
async function service(script: string): Promise<ChildProcess> {
  const code = `${script}; setInterval(() => {}, 1000); console.log('there');`;
  const child = await started(['-e', code], true);
  if (child.stdout) await once(child.stdout, 'data');
  return child;
}

it('ends what it watches when its stdin is closed, but not what has ended before', async () => {
  const [obedient, stubborn, forgotten] = [
    await service(''),
    await service("process.on('SIGTERM', () => {})"),
    await service(''),
  ];
  const guard = await started([main]);
  // Before anything may end: a later listener gets no event of an earlier exit.
  const guardEnd = once(guard, 'exit');
  const ends = [obedient, stubborn].map((child) => once(child, 'exit'));
  const watch = (child: ChildProcess, stopWithinMs: number) =>
    guard.stdin?.write(`${JSON.stringify({ pid: child.pid, stopWithinMs })}\n`);
  watch(obedient, 3_600_000);
  watch(stubborn, 300);
  watch(forgotten, 300);
  guard.stdin?.write(`${JSON.stringify({ pid: forgotten.pid })}\n`);

  guard.stdin?.end();

  expect(await Promise.all(ends)).toEqual([
    [null, 'SIGTERM'],
    [null, 'SIGKILL'],
  ]);
  await guardEnd;
  expect(forgotten.exitCode ?? forgotten.signalCode).toBeNull();
});
