import type { Rack } from '@skolo/rack';
import type { YamlText } from '../addresses/yaml-text.ts';
import type { AgentComputer } from '../agent-computer.ts';
import type { Suggestion } from '../services/service.ts';

/**
 * Something that the services talk to and that is simulated here. Listens, where it can, before there is a rack.yaml. To
 * add one: a file, and a line in index.ts.
 */
export type StartSimulator = (needs: SimulatorNeeds) => Promise<Simulator>;

export interface SimulatorNeeds {
  /** Where it listens, but for equipment, whose addresses are in rack.yaml. */
  host: string;
  onProblem: (text: string) => void;
  /** The machine whose agent runs for real; undefined: none does. */
  computer: AgentComputer | undefined;
}

export interface Simulator {
  /** What it stands in for. */
  name: string;
  url: string;
  /** What to try with it. */
  suggestions?: Suggestion[];
  /**
   * Writes into rack.yaml where it listens, if that is where services look for it. Also into one with errors. `dir` is
   * its folder.
   */
  place?(rack: YamlText, dir: string): void;
  /**
   * Has what this rack.yaml expects of it, and puts what services need to find it into files below `dir`, the folder of
   * rack.yaml. Called at the start, and after each edit, one at a time.
   */
  follow(rack: Rack, dir: string): Promise<void>;
  close(): Promise<void>;
}
