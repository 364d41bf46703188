/**
 * What came of a step. `done`: carried out, and nobody knows yet whether it helped. `refused`: whoever would have to do it
 * says no. `postponed`: it may be tried again in `later` seconds.
 */
export type StepResult =
  | { outcome: 'done' | 'failed' | 'refused'; text: string }
  | { outcome: 'postponed'; text: string; later: number };

/** Short, and on one line: it came from a program or from another computer. */
export function textForPeople(text: string): string {
  return text
    .replace(/[^\P{C}\n\t]/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);
}
