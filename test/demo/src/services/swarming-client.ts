import { shellWord } from '@skolo/base';
import { agentMachine } from '../agent-computer.ts';
import type { DemoService, RunningService, Suggestion } from './service.ts';

export const swarmingClient: DemoService = {
  name: 'swarming-client',
  machine: agentMachine,
  suggestions,
};

function suggestions({ rackFile, url }: RunningService): Suggestion[] {
  const where = `--rack ${shellWord(rackFile)}`;
  return [
    {
      text: `The agent of ${agentMachine} runs here for real, with a bot and, if adb is installed, a phone:`,
      commands: [
        `npx skolo machine list --agents ${agentMachine} ${where}`,
        `npx skolo machine log ${agentMachine} ${where}`,
        `curl ${url}/v1/status`,
      ],
    },
  ];
}
