import { join } from 'node:path';
import type { Rack, ServiceName } from '@skolo/rack';
import { root } from '../folder/folders.ts';

/** What the demo knows about a service. */
export interface DemoService {
  name: ServiceName;
  /** It listens here if its usual port is not free, and on any free port if neither is. */
  otherPort?: number;
  /** It is the agent of this machine: at its address, configured in its entry, and without a rack.yaml. In the demo only. */
  machine?: string;
  /** What to try with it. Commands must work as they are printed. */
  suggestions?(running: RunningService): Suggestion[];
}

export interface RunningService {
  rack: Rack;
  /** rack.yaml, as a person would write its path. */
  rackFile: string;
  url: string;
  metricsUrl: string;
}

export interface Suggestion {
  /** Ends with a colon where commands follow. */
  text: string;
  commands?: string[];
}

/** The program of a service. */
export function mainOf(name: ServiceName): string {
  return join(root, 'services', name, 'src', 'main.ts');
}
