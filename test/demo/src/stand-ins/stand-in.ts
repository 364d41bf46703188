import type { Rack } from '@skolo/rack';

/**
 * Something that the services talk to and that is simulated here. Listens, where it can, before there is a rack.yaml. To
 * add one: a file, and a line in index.ts.
 */
export type StartStandIn = (onProblem: (text: string) => void) => Promise<StandIn>;

export interface StandIn {
  /** What it stands in for. */
  name: string;
  url: string;
  /** The text of rack.yaml that says where it listens, if that is where services look for it. Also of one with mistakes. */
  place?(text: string): string;
  /**
   * Has what this rack.yaml expects of it, and puts what services need to find it into files below `dir`, the folder of
   * rack.yaml. Called at the start, and after each edit, one at a time.
   */
  follow(rack: Rack, dir: string): Promise<void>;
  close(): Promise<void>;
}
