import type { SkoloCommand } from '../../command.ts';
import { complain, failPartly } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { loadRack } from '../../workstation/rack-file.ts';

/** `skolo rack show`: what rack.yaml says about entries, with their wiring. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints what rack.yaml says about entries, their power and network dependencies, and the entries that depend on them. To list all entries, use skolo inventory list; to see the current state of a machine, use skolo show.',
    )
    .summary('print entries of rack.yaml with their wiring')
    .argument(
      '<names...>',
      "the jumphost, machines, equipment, phones, identities, outlets (switch-1/14) or addresses; quote ranges: 'rpi-[001-004]'",
    )
    .option('--json', 'print JSON')
    .uses('rack')
    .example('skolo rack show switch-1/14 skia-rpi2-rack4-shelf1-007');

  command.action(async (names: string[], { json }: { json?: true }) => {
    const { io } = command;
    const rack = await loadRack(command.globals());
    const { findSubjects } = await import('./subjects.ts');
    const { detailsAsJson, detailsOf, printDetails } = await import('./details.ts');
    const { subjects, unknown } = findSubjects(rack, names);
    for (const sentence of unknown) complain(io, sentence);
    if (unknown.length > 0) failPartly(io, subjects.length > 0);
    if (subjects.length === 0) return;
    const details = detailsOf(rack, subjects);
    if (json) printJson(io, detailsAsJson(rack, details));
    else printDetails(io, rack, details);
  });
}
