import type { Host } from './host/host.ts';

/** One part of a computer's setup. */
export interface Step {
  /** One word. */
  name: string;
  /**
   * Names of the earlier steps that it depends on; it waits if one of them fails. Absent: it depends on every earlier step, and
   * every later one depends on it.
   */
  needs?: readonly string[];
  /** The state when it is done, as text. */
  about: string;
  /** Other programs that must respond: `apt and its package sources`. */
  waitsFor?: string;
  /** Its check would see what those of other steps do, such as temporary files. */
  isAlone?: true;
  /** A text for each difference; empty if it is done. Changes nothing. */
  check(host: Host): Promise<Check>;
  /** Applies it. Absent: only an operator can, and `differs` says how. An earlier run may have been interrupted. */
  apply?(host: Host): Promise<void>;
  /** Improves what is no difference, each time that the step has been applied or matches. */
  renew?(host: Host): Promise<void>;
}

export interface Check {
  /** Readable texts; without `apply`, each says what to do. */
  differs: string[];
  /** Settings by others, which `apply` therefore does not change. Each text says what to do. */
  byHand?: string[];
  /** Information if nothing differs, such as a version. */
  note?: string;
}

/** At most five names: `a, b, c, d, 7 more`. */
export function fewOf(names: readonly string[]): string {
  const shown = names.length > 5 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
  return shown.join(', ');
}
