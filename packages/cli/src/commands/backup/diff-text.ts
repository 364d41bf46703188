import type { Io } from '../../io.ts';
import { type Style, styled } from '../../output/style.ts';
import { visible } from '../../output/text.ts';

/** A unified diff, as it is; coloured in a terminal, with nothing in it that this would obey. */
export function printDiff(io: Pick<Io, 'out' | 'isTerminal' | 'colour'>, diff: string): void {
  const text = diff.replace(/\n$/, '');
  if (!io.isTerminal) {
    io.out(text);
    return;
  }
  const lines = visible(text).split('\n');
  io.out(lines.map((line) => styled(line, styleOf(line), io.colour)).join('\n'));
}

function styleOf(line: string): Style | undefined {
  if (/^(---|\+\+\+|===|diff |Index: )/.test(line)) return 'bold';
  if (line.startsWith('@@')) return 'dim';
  if (line.startsWith('+')) return 'green';
  return line.startsWith('-') ? 'red' : undefined;
}
