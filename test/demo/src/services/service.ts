import { join } from 'node:path';
import type { Rack, ServiceName } from '@skolo/rack';
import { root } from '../folder/folders.ts';

/** What the demo knows about a service. */
export interface DemoService {
  name: ServiceName;
  /** It listens on this port if its usual one is not free, and on any free port if neither is. */
  otherPort?: number;
  /** It is the agent of this machine: at its address, configured in its entry, and without a rack.yaml. In the demo only. */
  machine?: string;
  /** What to try with it. Commands must work as printed. */
  suggestions?(running: RunningService): Suggestion[];
}

export interface RunningService {
  rack: Rack;
  /** rack.yaml, with its path as a person would write it. */
  rackFile: string;
  url: string;
  metricsUrl: string;
}

export interface Suggestion {
  /** Ends with a colon if commands follow. */
  text: string;
  commands?: string[];
}

/** The program of a service. */
export function mainOf(name: ServiceName): string {
  return join(root, 'services', name, 'src', 'main.ts');
}
