/** What the kill -9 tests share: which moments, how often, and the writer that is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const kills: number = process.env.SKOLO_LONG ? 200 : 20;
export const seed: number = Number(process.env.SKOLO_SEED ?? Date.now() % 1_000_000);

/** `node src/NAME ARGUMENTS…`, reading its standard output. */
export function startWriter(name: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, name), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Lets the writer report something, kills it at some moment within the time, and gives the lines that it wrote. */
export async function killWithin(writer: ChildProcess, milliseconds: number): Promise<string[]> {
  let output = '';
  writer.stdout?.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const closed = once(writer, 'close');
  if (writer.stdout) await Promise.race([once(writer.stdout, 'data'), closed]);
  // The moment of the kill is what the test is about.
  await sleep(milliseconds);
  writer.kill('SIGKILL');
  const [status] = await closed;
  if (status !== null) throw new Error(`the writer ended by itself, with status ${status}`);
  return output.split('\n').filter((line) => line !== '');
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
