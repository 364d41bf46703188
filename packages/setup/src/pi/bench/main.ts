/**
 * How fast a card is written, against dd with the same image and the same device, and O_DIRECT for both: a loop device, as root.
 * `npm run bench -w packages/setup` prints a table; `npm run --silent bench -w packages/setup -- --json` one object a line.
 *
 * --device /dev/sdX   a card instead, which is overwritten
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findTarget, openDisk } from '../burn/target.ts';
import { writeCard } from '../burn/write-card.ts';
import { diskOf } from '../disk/disk.ts';

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, device: { type: 'string' } },
});
const rounds = flags.device === undefined ? 5 : 1;
const mib = 1024 * 1024;
const size = 512 * mib;
const { signal } = new AbortController();

const folder = mkdtempSync(join(tmpdir(), 'skolo-bench-'));
const image = join(folder, 'image');
const card = join(folder, 'card');
const fd = openSync(image, 'w');
ftruncateSync(fd, size);
ftruncateSync(openSync(card, 'w'), size + mib);
// Half of a published image is data.
for (let at = 0; at < size; at += 8 * mib) writeSync(fd, randomBytes(4 * mib), 0, 4 * mib, at);
const device = flags.device ?? run('losetup', '--find', '--show', card).trim();

try {
  const seconds = { ours: [] as number[], dd: [] as number[], back: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const { write, back } = await burn();
    seconds.ours.push(write);
    seconds.back.push(back);
    const start = performance.now();
    run('dd', `if=${image}`, `of=${device}`, 'bs=4M', 'oflag=direct', 'conv=fsync', 'status=none');
    seconds.dd.push((performance.now() - start) / 1000);
  }
  report('write', median(seconds.ours), median(seconds.dd));
  report('read back and compare', median(seconds.back), undefined);
} finally {
  if (flags.device === undefined) run('losetup', '--detach', device);
  rmSync(folder, { recursive: true });
}

async function burn() {
  const disk = await findTarget(device, signal);
  if (disk === undefined) throw new Error(`${device} is not a disk`);
  const target = await openDisk(disk, { bytes: size, confirmed: [] }, signal);
  const source = await open(image);
  const start = performance.now();
  let written = start;
  await writeCard(await diskOf(image, source), target, {
    signal,
    progress({ phase, done }) {
      if (phase === 'reads back' && done === 0) written = performance.now();
    },
  });
  const end = performance.now();
  await target.file.close();
  await source.close();
  return { write: (written - start) / 1000, back: (end - written) / 1000 };
}

function report(bench: string, ours: number, theirs: number | undefined) {
  const rate = (seconds: number) => Math.round(size / seconds / 1e6);
  const figure = rate(ours);
  const peer =
    theirs === undefined
      ? {}
      : {
          against: 'dd',
          theirs: rate(theirs),
          ratio: Math.round((figure / rate(theirs)) * 100) / 100,
        };
  const line = { bench, figure, unit: 'MB/s', better: 'higher', ...peer };
  if (flags.json) console.log(JSON.stringify(line));
  else {
    const against = theirs === undefined ? '' : `, dd ${rate(theirs)} MB/s`;
    console.log(`${bench.padEnd(24)} ${figure} MB/s${against}`);
  }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' });
}
