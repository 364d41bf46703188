import { basename, dirname, join, resolve } from 'node:path';
import { count } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import type { Difference, Remark } from '@skolo/rack/render';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { plain, styled } from '../../output/text.ts';
import { loadRack } from '../../workstation/rack-file.ts';

interface Options {
  to?: string;
  check?: true;
}

/** `skolo rack render`: writes the derived files of an overlay. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Generates the derived files of a rack's overlay from rack.yaml: a kustomize component with host names, scrape targets, network policies and references to Secrets. The command removes derived files that are no longer needed, leaves other files unchanged, and warns about settings that cannot work on k3s.",
    )
    .summary("write the k3s overlay's derived files")
    .option('--to <folder>', 'output directory (default: derived/ next to rack.yaml)')
    .option(
      '--check',
      'only list files that do not match rack.yaml, and exit with code 1 if there are any',
    )
    .uses('rack')
    .example('skolo rack render --rack kube/racks/rack4/rack.yaml');

  command.action(async ({ to, check }: Options) => {
    const globals = command.globals();
    const rack = await loadRack(globals);
    const { compareDerived, UnmountedSecretsError, renderDerived, writeDerived } = await import(
      '@skolo/rack/render'
    );
    const folder = to ?? join(dirname(globals.rack), 'derived');
    try {
      const { files, warnings } = renderDerived(rack);
      const difference = await compareDerived(folder, files);
      const changes = changesOf(folder, difference);
      if (check) {
        for (const { file, is } of changes) command.io.out(`${file}: ${is}`);
        if (changes.length > 0) command.io.exitCode = exitCodes.failed;
      } else {
        const warning = styled('warning:', 'yellow', command.io.colour);
        for (const each of [...ofOverlay(rack, folder), ...warnings])
          command.io.err(`${globals.rack} ${warning} ${sentence(each)}`);
        rejectForeign(folder, difference);
        await writeDerived(folder, files, difference);
        for (const { file, becomes } of changes) command.io.out(`${file}: ${becomes}`);
      }
      const differ = `${changes.length} ${check ? 'to change' : 'changed'}`;
      command.io.out(
        `${rack.name}: ${count(files.size, 'derived file')}, ${changes.length === 0 ? 'all up to date' : differ}`,
      );
    } catch (error) {
      if (!(error instanceof UnmountedSecretsError)) throw error;
      for (const problem of error.problems) command.io.err(`${globals.rack} ${sentence(problem)}`);
      command.io.exitCode = exitCodes.badConfiguration;
    }
  });
}

/** Overlays are `racks/NAME`. Detects a copy of another rack's rack.yaml. */
function ofOverlay({ name }: Rack, folder: string): Remark[] {
  const overlay = dirname(resolve(folder));
  if (basename(dirname(overlay)) !== 'racks' || basename(overlay) === name) return [];
  return [
    {
      where: 'rack',
      message: `the file is for ${name}, but the overlay is for ${basename(overlay)}, so alerts and backups would use the name ${name}`,
    },
  ];
}

function sentence({ where, message }: Remark): string {
  return plain(`${where}: ${message}`);
}

interface Change {
  file: string;
  is: string;
  becomes: string;
}

function changesOf(folder: string, { missing, stale, leftOver, foreign }: Difference): Change[] {
  const all = [
    ...missing.map((name) => ({ name, is: 'missing', becomes: 'written' })),
    ...stale.map((name) => ({ name, is: 'stale', becomes: 'written' })),
    ...leftOver.map((name) => ({ name, is: 'no longer needed', becomes: 'removed' })),
    ...foreign.map((name) => ({ name, is: 'not created by skolo', becomes: '' })),
  ];
  return all
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, ...change }) => ({ file: join(folder, name), ...change }));
}

/** @throws CliError Before anything is written. */
function rejectForeign(folder: string, { foreign }: Difference): void {
  const [first, ...more] = foreign;
  if (first === undefined) return;
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  throw new CliError(
    `${join(folder, first)}${others}: not created by skolo; move ${more.length === 0 ? 'this file' : 'these files'} elsewhere, or specify another directory with --to`,
  );
}
