import type { RunCommand } from '@skolo/base/run-command';
import type { Clock, Emit } from '@skolo/common/light';
import type { AgentEvent } from './events.ts';

/** What many parts of the agent depend on. Each picks what it uses. */
export interface PartDeps {
  run: RunCommand;
  clock: Clock;
  emit: Emit<AgentEvent>;
  stateDir: string;
}
