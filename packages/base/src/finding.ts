/**
 * The form of a check's result: one thing that was compared with what it should be. Every `skolo check` has only these, as text and as JSON.
 */
export interface Finding {
  /** What was compared: a machine, a place in a file, a part of a cluster. */
  thing: string;
  /** Names of the nodes or devices that the thing was compared on, unless the thing is one itself. */
  where?: string[];
  state: FindingState;
  /** Unless `found` says it. */
  expected?: string | undefined;
  found: string;
  /** What to do: `run systemctl restart chrony`. */
  advice?: string | undefined;
}

export type FindingState =
  | 'differs'
  /** It could not be compared: a device that does not respond. */
  | 'unchecked'
  | 'warning'
  /** It is not compared: a fact for people. */
  | 'info'
  /** It does not apply: a node without a temperature sensor. */
  | 'skipped'
  | 'ok';
