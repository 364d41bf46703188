import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import { canReadCopies, type ReaderOptions, withReader } from './reader.ts';
import { versionHelp } from './show.ts';

interface Options extends ReaderOptions {
  version: string;
  check?: true;
  apply?: true;
  yes?: true;
  reason?: string;
  output?: string;
  json?: true;
}

/** `skolo backup restore`: the way back. */
export function addBackupRestore(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('restore')
    .description(
      'Prints how a version is brought back by hand, in text that can be pasted into the device: what it does, and what is done at the desk, are comments there. It holds the secrets of the device, and is for who is admin. With --check: what would change, and what the device says to it. With --apply: that, and then loads it, where the model has a safe way.',
    )
    .summary('how a version is brought back, or do it')
    .argument('<device>', 'its name in rack.yaml')
    .option('--version <version>', versionHelp, 'latest')
    .addOption(new Option('--check', 'rehearse it; changes nothing').conflicts('apply'))
    .option('--apply', 'load it into the device, after showing what changes, and asking')
    .option('--reason <text>', 'for the audit log; needed with --apply')
    .option('--yes', 'do not ask')
    .option('-o, --output <file>', 'into this file, which only you can read')
    .option('--json', 'print JSON');
  canReadCopies(command).example(
    "skolo backup restore router --version latest~1 --apply --reason 'the vlan broke dhcp'",
  );

  command.action(async (word: string, options: Options) => {
    const { version, check, apply, reason, yes = false, output, json = false } = options;
    refuseUseless(command, options);
    const { oneDevice } = await import('./wanted-names.ts');
    const wanted = { device: oneDevice(word), version };
    if (check || apply) {
      const { applyVersion, checkVersion } = await import('./load-version.ts');
      if (check) return checkVersion({ io, command, json }, wanted);
      if (reason === undefined) {
        return command.error('--apply needs --reason: who comes next asks why');
      }
      if (!yes && json) command.error('--apply with --json needs --yes: nobody is asked');
      if (!yes && !io.canAsk) command.error('nobody can be asked here; --yes loads it unasked');
      return applyVersion({ io, command, json }, { ...wanted, reason, yes });
    }
    const { hintsOf, textOfSteps, withOptions } = await import('./steps-text.ts');
    const { givenOptions } = await import('../../hints.ts');
    const { giveContent } = await import('./give-content.ts');
    const steps = await withReader({ io, command, options }, (reader) =>
      reader.restoreSteps(wanted.device, version),
    );
    if (json) return printJson(io, steps);
    const more = [...givenOptions(command), ...givenPlace(command, options)];
    const text = Buffer.from(textOfSteps(wanted.device, withOptions(steps, more)));
    await giveContent(io, text, { exact: true, output });
    for (const hint of hintsOf(command, wanted.device, steps)) io.err(hint);
    return undefined;
  });
}

/** What the present line says of a copy. */
function givenPlace(command: SkoloCommand, { from, identity }: Options): string[] {
  const isSaid = command.getOptionValueSource('identity') === 'cli';
  return [
    ...(from === undefined ? [] : ['--from', from]),
    ...(isSaid && identity !== undefined ? ['--identity', identity] : []),
  ];
}

function refuseUseless(command: SkoloCommand, options: Options): void {
  const { check, apply, yes, reason, from, output, json } = options;
  if (from !== undefined && (check || apply)) {
    command.error(`option '--${check ? 'check' : 'apply'}' has no effect with '--from'`);
  }
  if (output !== undefined && (check || apply || json)) {
    const other = json ? 'json' : check ? 'check' : 'apply';
    command.error(`option '--output' has no effect with '--${other}'`);
  }
  if (apply) return;
  if (yes) command.error("option '--yes' has no effect without '--apply'");
  if (reason !== undefined) command.error("option '--reason' has no effect without '--apply'");
}
