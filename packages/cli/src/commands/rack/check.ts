import { count } from '@skolo/base';
import { formatIssue } from '@skolo/rack/light';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { plain, type Style, styled } from '../../output/text.ts';
import { rackFile } from '../../workstation/rack-file.ts';
import type { CheckedFile } from './checked-file.ts';

interface Options {
  secrets?: true;
  json?: true;
}

/** `skolo rack check`: prints errors and warnings of inventories. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Checks rack.yaml files and prints all errors and likely oversights, one per line. The exit code is 78 if there are errors, and 0 otherwise.',
    )
    .summary('check rack.yaml')
    .argument('[files...]', 'rack.yaml files (default: --rack)')
    .option(
      '--secrets',
      'also check for missing secrets and for secret files with permissions that are too open',
    )
    .option('--json', 'print JSON')
    .uses('rack')
    .example('skolo rack check racks/*/rack.yaml');

  command.action(async (given: string[], { secrets, json }: Options) => {
    if (given.length > 0 && command.gives('rack')) {
      command.error("specify files or '--rack', not both");
    }
    const { checkFile, evidenceLine, hasErrors } = await import('./checked-file.ts');
    const files = given.length > 0 ? given : [await rackFile(command.globals())];
    const checked: CheckedFile[] = [];
    for (const file of files) checked.push(await checkFile(file, { secrets: secrets ?? false }));
    if (checked.some(hasErrors)) command.io.exitCode = exitCodes.badConfiguration;
    if (json) {
      printJson(command.io, { files: checked.map(asJson) });
    } else {
      for (const each of checked) print(command.io, each, evidenceLine(each));
    }
  });
}

function print(io: Io, checked: CheckedFile, evidence: string | undefined): void {
  const { file, rack, errors, warnings, secrets } = checked;
  const coloured = (word: string, style: Style) => styled(word, style, io.colour);
  const warning = coloured('warning:', 'yellow');
  for (const issue of [...errors, ...(secrets?.errors ?? [])]) io.out(plain(formatIssue(issue)));
  for (const issue of [...warnings, ...(secrets?.warnings ?? [])]) {
    const place = `${issue.file}:${issue.line}:${issue.column} `;
    const text = formatIssue(issue).slice(place.length);
    io.out(`${plain(place)}${warning} ${plain(text)}`);
  }
  if (evidence) io.out(`${rack?.name ?? file}: ${evidence}`);

  const wrong = errors.length + (secrets?.errors.length ?? 0);
  const doubtful = warnings.length + (secrets?.warnings.length ?? 0);
  const summary = [
    ...(rack
      ? [count(rack.machines.size, 'machine'), count(rack.infrastructure.size, 'device')]
      : []),
    ...(secrets ? [count(secrets.count, 'secret')] : []),
    wrong === 0 ? coloured('no errors', 'green') : coloured(count(wrong, 'error'), 'red'),
    ...(rack
      ? [doubtful === 0 ? 'no warnings' : coloured(count(doubtful, 'warning'), 'yellow')]
      : []),
  ];
  io.out(`${rack?.name ?? file}: ${summary.join(', ')}`);
}

function asJson({ file, rack, errors, warnings, secrets, models }: CheckedFile) {
  return {
    file,
    ...(rack && {
      rack: rack.name,
      machines: rack.machines.size,
      devices: rack.infrastructure.size,
      models,
    }),
    errors,
    warnings,
    ...(secrets && { secrets }),
  };
}
