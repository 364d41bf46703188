import { type ChildProcess, execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a program, and returns what it prints; throws if it fails. */
export const run = promisify(execFile);

/** Gives a program its whole input. One that ends before it has read all of it needs no more, or says why: that is no error of ours. */
export function feed({ stdin }: ChildProcess, input: string): void {
  stdin?.on('error', () => undefined);
  stdin?.end(input);
}
