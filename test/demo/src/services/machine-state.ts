import { join } from 'node:path';
import { shellWord } from '@skolo/base';
import { operatorTokenFile } from '../folder/tokens.ts';
import type { DemoService, RunningService, Suggestion } from './service.ts';

export const machineState: DemoService = {
  name: 'machine-state',
  suggestions,
};

function suggestions({ rack, rackFile, url }: RunningService): Suggestion[] {
  const [machine] = rack.machines.keys();
  if (machine === undefined) return [];
  const token = shellWord(join(rackFile, '..', operatorTokenFile));
  const where = `--rack ${shellWord(rackFile)} --token-file ${token}`;
  return [
    {
      text: `The console is at ${url}/ and shows the whole rack. Signed in, you can act there:`,
      commands: [`npx skolo console ${where}`],
    },
    {
      text: 'The state of the rack in one line:',
      commands: [`npx skolo status --rack ${shellWord(rackFile)}`],
    },
    {
      text: 'All machines with what they do or lack; take one of them out for a while, and see what happened to it:',
      commands: [
        `npx skolo machine list ${where}`,
        `npx skolo machine maintain ${machine} --reason 'a new fan' ${where}`,
        `npx skolo machine history ${machine} ${where}`,
        `npx skolo machine maintain ${machine} --end ${where}`,
      ],
    },
  ];
}
