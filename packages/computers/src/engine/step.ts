import type { Host } from '../host/host.ts';

/** One part of what a jumphost has to be. */
export interface Step {
  /** One word. */
  name: string;
  /**
   * Names of the earlier steps that it depends on: it waits when one of them fails. Absent: it depends on every earlier step, and
   * every later one on it.
   */
  needs?: readonly string[];
  /** For people: what is there when it is done. */
  about: string;
  /** What else has to answer for it: `apt and its package sources`. */
  waitsFor?: string;
  /** What differs from that, a text for each; empty when it is done. Changes nothing. */
  check(host: Host): Promise<Check>;
  /** Makes it so. Absent: only a person can, and `differs` says how. It may have been interrupted before. */
  apply?(host: Host): Promise<void>;
}

export interface Check {
  /** Texts for people; without `apply` each says what to do. */
  differs: string[];
  /** What somebody else has set up, and `apply` therefore does not touch. Each says what to do. */
  byHand?: string[];
  /** What is worth to know where nothing differs: a version. */
  note?: string;
}

/** Names for people, at most five: `a, b, c, d, 7 more`. */
export function fewOf(names: readonly string[]): string {
  const shown = names.length > 5 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
  return shown.join(', ');
}
