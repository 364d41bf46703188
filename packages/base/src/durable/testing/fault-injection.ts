/**
 * Random tests of all packages: how many rounds, and a process that is killed at a random moment.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeSync } from 'node:fs';
import { errorCode, pause } from '@skolo/base';

/** Whether `npm run test:long` is running: more rounds, larger sizes, from a random seed. */
export const isLong: boolean = Boolean(process.env.SKOLO_LONG);

/**
 * The reason of `skipIf` for what takes more time than a push may: it is run every night, and
 * before a release.
 */
export const onlyLong: string | undefined = isLong ? undefined : 'only in npm run test:long';

/**
 * Returns the number of rounds of a fault-injection test: `some` on each push, `all` in `npm run
 * test:long`.
 */
export function countRounds(some = 2, all = 200): number {
  return isLong ? all : some;
}

/** mulberry32: small, good enough for moments in time. */
export function seeded(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** `node FILE ARGUMENTS…`, reading its standard output. */
export function startWriter(file: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/**
 * The time from the first report of a writer to the one with this beginning, undisturbed. Kills the
 * writer then.
 */
export async function timeUntil(writer: ChildProcess, report: string): Promise<number> {
  let output = '';
  let start: number | undefined;
  const lasts = new Promise<number>((resolve, reject) => {
    writer.stdout?.on('data', (text: Buffer) => {
      start ??= performance.now();
      output += text.toString();
      if (`\n${output}`.includes(`\n${report}`)) resolve(performance.now() - start);
    });
    writer.once('close', () => reject(new Error(`the writer ended: ${output}`)));
  });
  const milliseconds = await lasts;
  await killAfter(writer, 0, { all: true, atOnce: true });
  return milliseconds;
}

/**
 * Prints a line before it returns, also where nobody reads at the moment: Node makes its end of a
 * pipe non-blocking.
 */
export function report(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/**
 * Lets the writer report something, kills it after some time, and gives the lines that it wrote.
 *
 * @param all also kills what it started, as a power cut does; otherwise that continues
 * @param atOnce does not wait for what it reports
 * @param report beginning of the report that it waits for; default: any
 */
export async function killAfter(
  writer: ChildProcess,
  milliseconds: number,
  {
    all = false,
    atOnce = false,
    report = '',
  }: { all?: boolean; atOnce?: boolean; report?: string } = {},
): Promise<string[]> {
  let output = '';
  const reported = new Promise<void>((resolve) => {
    writer.stdout?.setEncoding('utf8').on('data', (text) => {
      output += text;
      if (`\n${output}`.includes(`\n${report}`)) resolve();
    });
  });
  const closed = once(writer, 'close');
  if (!atOnce) await Promise.race([reported, closed]);
  // The moment of the kill is what the test is about.
  await pause(milliseconds);
  writer.kill('SIGSTOP');
  const started = all ? childrenOf(writer.pid ?? 0) : [];
  for (const pid of started) killGroup(pid);
  writer.kill('SIGKILL');
  const [status] = await closed;
  if (status !== null) throw new Error(`the writer ended by itself, with status ${status}`);
  return output.split('\n').filter((line) => line !== '');
}

/** Each leads a process group of its own. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
      } catch {
        return false;
      }
    })
    .map(Number);
}

function killGroup(pid: number) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
