import type { RunCommand } from '@skolo/base/run-command';
import type { Clock, Emit } from '@skolo/common/light';
import type { AgentEvent } from './events.ts';

/** Dependencies that many parts of the agent share. Each part picks those that it uses. */
export interface PartDeps {
  run: RunCommand;
  clock: Clock;
  emit: Emit<AgentEvent>;
  stateDir: string;
}
