import type { Rack } from '@skolo/rack';

/** Something that the services talk to and that is simulated here. To add one: a file, and a line in index.ts. */
export interface StandIn {
  /** Starts it, and puts what services need to find it into files below `dir`, the folder of rack.yaml. */
  start(rack: Rack, dir: string): Promise<RunningStandIn>;
}

export interface RunningStandIn {
  /** What it stands in for. */
  name: string;
  url: string;
  close(): Promise<void>;
}
