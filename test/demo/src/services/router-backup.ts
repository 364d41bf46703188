import { join } from 'node:path';
import { shellWord } from '@skolo/base';
import { adminTokenFile, operatorTokenFile } from '../folder/tokens.ts';
import type { DemoService, RunningService, Suggestion } from './service.ts';

export const routerBackup: DemoService = {
  name: 'router-backup',
  suggestions,
};

function suggestions({ rack, rackFile }: RunningService): Suggestion[] {
  const router = [...rack.equipment.values()].find(({ model }) => model === 'edgeos');
  const login = router?.login === undefined ? undefined : rack.logins.get(router.login);
  const key = login?.privateKey;
  if (router?.address === undefined || key === undefined || !('file' in key)) return [];
  const below = (file: string) => shellWord(join(rackFile, '..', file));
  const as = (token: string) => `--rack ${shellWord(rackFile)} --token-file ${below(token)}`;
  const where = as(operatorTokenFile);
  const ssh = [
    `ssh -tt -q -F none -i ${below(key.file)} -p ${router.ports.ssh ?? 22}`,
    `-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null`,
    `${login?.username}@${router.address}`,
  ].join(' ');
  const lines = [
    'configure',
    'set system domain-name lab.example',
    'commit',
    'save',
    'exit',
    'exit',
  ];
  return [
    {
      text: `Change the configuration of ${router.name}, back it up, and see what changed:`,
      commands: [
        `printf '${lines.join('\\n')}\\n' | ${ssh}`,
        `npx skolo backup run ${router.name} --reason 'to see it' --wait ${where}`,
        `npx skolo backup diff ${router.name} ${where}`,
      ],
    },
    {
      text: 'What is backed up, and the way back, in text that the router accepts:',
      commands: [
        `npx skolo backup status ${where}`,
        `npx skolo backup restore ${router.name} --version latest~1 ${as(adminTokenFile)}`,
      ],
    },
    {
      text: 'Change the uplink of a machine in rack.yaml, as if you had forgotten a cable, and find it:',
      commands: [`npx skolo check cabling ${where}`],
    },
  ];
}
