/** Adds dead letters until it is killed; prints those that are kept. `node dead-letters-writer.ts FOLDER MAX_BYTES FIRST [END]` */
import { DeadLetters } from '../state/dead-letters.ts';

const [folder = '', maxBytes, first, end = 'Infinity'] = process.argv.slice(2);
const letters = new DeadLetters(folder, () => Number(maxBytes));
for (let number = Number(first); number < Number(end); number += 3) {
  const found = 'x'.repeat((number * 37) % 3000);
  const at = new Date(0).toISOString();
  const numbers = [number, number + 1, number + 2];
  await Promise.all(
    numbers.map((one) => letters.add([{ at, from: 'v2', why: String(one), found }])),
  );
  console.log(numbers.join('\n'));
}
