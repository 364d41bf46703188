import { commandLine, type SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { expandedNames, folded } from '../../names.ts';
import { routerBackup } from '../../reach/service-client.ts';
import { waitForRun } from './wait.ts';

interface Options {
  reason?: string;
  wait?: true;
  json?: boolean;
}

/** `skolo backup run`: backs up devices now. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Immediately backs up all equipment in the rack, or only the specified equipment. Exit codes with --wait: 0 all succeeded, 3 some failed, 1 none succeeded.',
    )
    .summary('back up equipment now')
    .argument('[names...]', "names (default: all); quote ranges: 'switch-[1-3]'")
    .option('--reason <text>', 'reason to record in the history, for other operators')
    .option('--wait', 'wait until each backup has succeeded or failed, and show each result')
    .option('--json', 'print JSON: the run, or its result with --wait')
    .example("skolo backup run router --reason 'new vlan for the lab' --wait");

  command.action(async (words: string[], { reason, wait, json = false }: Options) => {
    const names = expandedNames(words);
    const service = routerBackup(command);
    const body = { equipment: names.length > 0 ? [...new Set(names)] : undefined, reason };
    const run = await service.ask((client) => client.requestBackup({ body }));
    if (wait) {
      return waitForRun({ command, service, run, json });
    }
    if (json) return printJson(command.io, run);
    command.io.out(`${run.id}: ${folded(run.equipment.map(({ equipment }) => equipment))}`);
    command.io.err(`to follow: ${commandLine(command, 'backup runs', run.id, '--wait')}`);
  });
}
