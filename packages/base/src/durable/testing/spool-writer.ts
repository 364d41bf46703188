/**
 * The process that spool.kill.test.ts kills: `node spool-writer.ts FOLDER SEED` appends to the spool as several workers
 * at the same time for ever, while two readers follow and what both have read is trimmed. It prints
 * `append LANE VERSION COUNT SEQ` once that is reported as written, `cursor NAME SEQ` once that is, and
 * `trim SEQ` before it trims.
 */

import { argv } from 'node:process';
import { Spool } from '../spool/spool.ts';
import { report, seeded } from './fault-injection.ts';

export const workers = [0, 1, 2, 3, 4, 5];
export const segmentBytes = 20_000;

/** Text number `part` of that change: whoever sees it knows if it is whole. */
function textOf(worker: number, version: number, part: number): string {
  const filling = 'f'.repeat((version * 7919 + part * 31) % 1500);
  return JSON.stringify({ worker, version, part, filling });
}

function countOf(version: number): number {
  return 1 + (version % 3);
}

/** What `textOf` made; undefined if it is anything else. */
export function parsed(text: string) {
  const { worker, version, part } = JSON.parse(text);
  return text === textOf(worker, version, part) ? { worker, version, part } : undefined;
}

async function appendForEver(spool: Spool, worker: number, from: number) {
  for (let version = from; ; version += 1) {
    const count = countOf(version);
    const texts = Array.from({ length: count }, (_, part) => textOf(worker, version, part));
    const seq = await spool.append(texts);
    report(`append ${worker} ${version} ${count} ${seq}`);
  }
}

async function followForEver(spool: Spool, name: string) {
  for (let next = spool.cursor(name) ?? 1; ; await spool.changed(next)) {
    for await (const { seq } of spool.read(next)) next = seq + 1;
    spool.setCursor(name, next);
    await spool.sync();
    report(`cursor ${name} ${next}`);
  }
}

async function trimForEver(spool: Spool, random: () => number) {
  for (;;) {
    await spool.changed(spool.next + 20);
    const done = Math.min(spool.cursor('a') ?? 1, spool.cursor('b') ?? 1);
    const before = random() < 0.2 ? done : Math.max(1, done - 100);
    report(`trim ${before}`);
    await spool.trim(before);
  }
}

const [, script, folder, seed, ...versions] = argv;
if (script?.endsWith('spool-writer.ts') && folder !== undefined) {
  const spool = await Spool.open(folder, { segmentBytes });
  await Promise.all([
    ...workers.map((worker) => appendForEver(spool, worker, Number(versions[worker] ?? 1))),
    followForEver(spool, 'a'),
    followForEver(spool, 'b'),
    trimForEver(spool, seeded(Number(seed))),
  ]);
}
