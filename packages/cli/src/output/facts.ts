/** Labels and values below a title: one complete entry. */
import type { Io } from '../io.ts';
import { plain, styled, wrapped } from './text.ts';

/** A label and its value: a text, a list with commas, or lines. */
export type Fact = [label: string, value: string | string[] | { lines: string[] } | undefined];

/** Removes facts that have no value. */
export function factsText(io: Io, title: string, facts: readonly Fact[]): string {
  return [styled(title, 'bold', io.colour), ...factLines(io, facts)].join('\n');
}

/** Those below the title. */
export function factLines(io: Io, facts: readonly Fact[]): string[] {
  const shown = facts.flatMap(([label, value]) =>
    linesOf(value).map((items, i) => ({ label: i === 0 ? label : '', items: items.map(plain) })),
  );
  const width = Math.max(...shown.map(({ label }) => label.length));
  return shown.map(({ label, items }) => wrapped(`  ${label.padEnd(width)}  `, items, io.columns));
}

/** The lines, each as items of a list. */
function linesOf(value: Fact[1]): string[][] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [[value]];
  if (!Array.isArray(value)) return value.lines.map((line) => [line]);
  return value.length === 0 ? [] : [value];
}
