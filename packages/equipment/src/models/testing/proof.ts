/** What a model's tests are made with. The `proof.ts` of its directory exports one; the suites of all models find it by the list. */
import type { CliDevice, CliOptions, ConfiguredDevice } from '@skolo/simulators';

export interface ModelProof {
  /** Its simulated command line. */
  start?(options: CliOptions): Promise<ConfiguredDevice>;
  /** What it says about itself. */
  reported?: {
    /** Absent: its simulator says it while its configuration is read. */
    text?: string;
    hardware?: string;
    firmware: string;
  };
  hosts?: PluggedIn;
  /** What of the outputs of real equipment its tests read, or why they read none. */
  recorded: readonly string[] | { no: string };
}

/** Machines at the ports of a simulated device. */
export interface PluggedIn {
  /** Ports of the three machines, then one with nothing plugged in. */
  ports: readonly [string, string, string, string];
  /** Where it knows addresses. */
  knows: readonly ('arp' | 'lease' | 'address')[];
  /** It has no MAC table. */
  isRouter?: boolean;
  options?: Record<string, unknown>;
  /** Older firmware, which prints other tables. */
  older?(options: CliOptions): Promise<CliDevice>;
}
