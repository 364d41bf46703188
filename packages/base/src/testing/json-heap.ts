/**
 * A program for tests, with `--expose-gc`: how many bytes of heap each JSON text on stdin takes with its value, and the value alone, after
 * a collection, and what `measureJson` estimates. A process of its own, because a heap with little else in it is measured exactly.
 */
import { text } from 'node:stream/consumers';
import { measureJson } from '../json/memory.ts';

function heapBytes(): number {
  global.gc?.();
  global.gc?.();
  return process.memoryUsage().heapUsed;
}

/** In a function of its own, because V8 keeps temporary values of the main program. */
function parsed(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString());
}

const all = JSON.parse(await text(process.stdin)) as string[];
const found = all.map((each) => {
  const bytes = Buffer.from(each);
  const { memory, value } = measureJson(bytes);
  const before = heapBytes();
  const kept = [parsed(bytes)];
  const realValue = heapBytes() - before;
  kept.push(bytes.toString());
  const real = heapBytes() - before;
  return { real: kept.length > 0 ? real : 0, estimate: memory, realValue, value };
});
process.stdout.write(JSON.stringify(found));
