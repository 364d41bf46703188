import { join } from 'node:path';
import { shellWord } from '@skolo/base';
import { operatorTokenFile } from '../folder/tokens.ts';
import type { DemoService, RunningService, Suggestion } from './service.ts';

export const powerCycleDaemon: DemoService = {
  name: 'power-cycle-daemon',
  suggestions,
};

function suggestions({ rack, rackFile }: RunningService): Suggestion[] {
  const machine = [...rack.machines.values()].find(({ power }) => power.length > 0);
  if (machine === undefined) return [];
  const token = join(rackFile, '..', operatorTokenFile);
  const where = `--rack ${shellWord(rackFile)} --token-file ${shellWord(token)}`;
  const feed = machine.power.map(({ device, outlet }) => `${device}/${outlet}`).join(' and ');
  return [
    {
      text: `Power-cycle ${machine.name}, which ${feed} powers, and watch each step; while it runs a task, this is rejected:`,
      commands: [
        `npx skolo power cycle ${machine.name} --mode hard --reason 'to see it' --wait ${where}`,
      ],
    },
    {
      text: 'What has power, and what happened to it:',
      commands: [`npx skolo power status ${where}`, `npx skolo power log ${where}`],
    },
  ];
}
