/** The answers of the example's agents. */
import { AgentStatus, LogLine } from '@skolo/api';
import { z } from 'zod';
import { load } from './load.ts';

export const exampleAgents = load(
  'agents.yaml',
  z.object({ statuses: z.array(AgentStatus), log: z.array(LogLine) }),
);
