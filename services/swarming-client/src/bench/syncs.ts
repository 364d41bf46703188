/** How often a process, including those that it starts meanwhile, makes the kernel sync to the disk. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pause } from '@skolo/base';
import { findProgram, NotRun } from '@skolo/bench';

const calls = 'fsync,fdatasync,sync,syncfs,sync_file_range,msync';

export async function syncsOf(pid: number, seconds: number): Promise<number> {
  const program = findProgram('strace');
  if (program === undefined) throw new NotRun('strace is not installed (Debian: strace)');
  const child = spawn(program, ['-f', '-q', '-e', `trace=${calls}`, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const output = text(child.stderr);
  const ended = once(child, 'exit');
  await Promise.race([pause(seconds * 1000), ended]);
  const isThere = child.exitCode === null;
  child.kill('SIGINT');
  await ended;
  const lines = (await output).split('\n');
  if (!isThere) throw new NotRun(`strace: ${lines[0]}`);
  return lines.filter((line) =>
    /\b(?:fsync|fdatasync|sync|syncfs|sync_file_range|msync)\(/.test(line),
  ).length;
}
