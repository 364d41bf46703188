/**
 * A program for tests, with `--expose-gc`: how many bytes of heap each JSON text on stdin takes with its value, after a collection, and
 * what `measureJson` estimates. A process of its own, because a heap with little else in it is measured exactly.
 */
import { text } from 'node:stream/consumers';
import { measureJson } from '../json/memory.ts';

function heapBytes(): number {
  global.gc?.();
  global.gc?.();
  return process.memoryUsage().heapUsed;
}

const all = JSON.parse(await text(process.stdin)) as string[];
const found = all.map((each) => {
  const bytes = Buffer.from(each);
  const estimate = measureJson(bytes).memory;
  const before = heapBytes();
  const kept = [bytes.toString()];
  kept.push(JSON.parse(kept[0] ?? ''));
  const real = heapBytes() - before;
  return { real: kept.length > 0 ? real : 0, estimate };
});
process.stdout.write(JSON.stringify(found));
