import type { Rack } from '@skolo/rack';
import type { YamlText } from '../addresses/yaml-text.ts';
import type { AgentComputer } from '../agent-computer.ts';
import type { Suggestion } from '../services/service.ts';

/**
 * A simulated peer of the services. Starts listening, if possible, before there is a rack.yaml. To add one: a file, and a line in index.ts.
 */
export type StartSimulator = (needs: SimulatorNeeds) => Promise<Simulator>;

export interface SimulatorNeeds {
  /** Its address, except for equipment, whose addresses are in rack.yaml. */
  host: string;
  onProblem: (text: string) => void;
  /** The machine whose agent really runs; undefined: none. */
  computer: AgentComputer | undefined;
}

export interface Simulator {
  /** What it stands in for. */
  name: string;
  url: string;
  /** What to try with it. */
  suggestions?: Suggestion[];
  /** Writes its address into rack.yaml, if services look for it in that file. Also works if the file has errors. `dir` is its directory. */
  place?(rack: YamlText, dir: string): void;
  /**
   * Provides what this rack.yaml expects of it, and writes what services need to find it into files below `dir`, the directory of
   * rack.yaml. Called at the start and after each edit, one call at a time.
   */
  follow(rack: Rack, dir: string): Promise<void>;
  close(): Promise<void>;
}
