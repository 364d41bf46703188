import { count } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { rackFile } from '../../workstation/rack-file.ts';
import { defineCheck } from './check.ts';
import type { CheckedFile } from './checked-file.ts';

/** `skolo check rack`: errors and warnings of inventories. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Checks rack.yaml files, and prints all errors and likely oversights with their positions.',
    )
    .summary('check rack.yaml')
    .argument('[files...]', 'rack.yaml files (default: --rack)')
    .option(
      '--secrets',
      'also check for missing secrets and for secret files with permissions that are too open',
    )
    .uses('rack')
    .example('skolo check rack racks/*/rack.yaml');

  defineCheck(command, async (_signal, given: string[], { secrets }: { secrets?: true }) => {
    if (given.length > 0 && command.gives('rack')) {
      command.error("specify files or '--rack', not both");
    }
    const { checkFile } = await import('./checked-file.ts');
    const files = given.length > 0 ? given : [await rackFile(command.globals())];
    const checked: CheckedFile[] = [];
    for (const file of files) checked.push(await checkFile(file, secrets ?? false));
    const [{ file, rack } = {}] = checked;
    return {
      name: checked.length === 1 ? `${rack ?? file}` : count(checked.length, 'file'),
      findings: checked.flatMap(({ findings }) => findings),
      about: totals(checked),
      details: { files: checked.map(({ findings: _, ...each }) => each) },
      differs: exitCodes.badConfiguration,
    };
  });
}

function totals(checked: readonly CheckedFile[]): string[] {
  const sum = (of: (file: CheckedFile) => number | undefined, ...nouns: [string, string?]) => {
    const known = checked.flatMap((each) => of(each) ?? []);
    const total = known.reduce((all, each) => all + each, 0);
    return known.length === 0 ? [] : [count(total, ...nouns)];
  };
  return [
    ...sum(({ machines }) => machines, 'machine'),
    ...sum(({ equipment }) => equipment, 'piece of equipment', 'pieces of equipment'),
    ...sum(({ secrets }) => secrets, 'secret'),
  ];
}
