import { Option } from 'commander';
import { commandLine, givenOptions, quoted, type SkoloCommand } from '../../command.ts';
import { type Io, printJson } from '../../io.ts';
import { timestamp } from '../../output/time.ts';
import { shortVersionId } from './backup-words.ts';
import { giveContent } from './give-content.ts';
import { applyVersion, checkVersion } from './load-version.ts';
import { canReadCopies, type ReaderOptions, type RestoreSteps, withReader } from './reader.ts';
import { versionHelp } from './show.ts';
import { oneDevice } from './wanted-names.ts';

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
export function define(command: SkoloCommand, io: Io): void {
  command
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
    const wanted = { device: oneDevice(word), version };
    if (check || apply) {
      if (check) return checkVersion({ io, command, json }, wanted);
      if (reason === undefined) {
        return command.error('--apply needs --reason: who comes next asks why');
      }
      if (!yes && json) command.error('--apply with --json needs --yes: nobody is asked');
      if (!yes && !io.canAsk) command.error('nobody can be asked here; --yes loads it unasked');
      return applyVersion({ io, command, json }, { ...wanted, reason, yes });
    }
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

/**
 * What is not for the device is a comment there, so that the whole can be pasted. Where all of it is done at the desk,
 * that is where it is pasted, and comments are those of a shell.
 */
export function textOfSteps(device: string, { version, comment, steps }: RestoreSteps): string {
  const isForDevice = steps.some(({ where }) => where === 'device');
  const mark = isForDevice ? comment : '#';
  // A device without comments gets nothing but its lines; the titles are among the hints.
  const remark = (text: string) => (mark === '' ? [] : [`${mark} ${oneLine(text)}`]);
  const head = `${device}, version ${shortVersionId(version.id)}, read ${timestamp(version.time)}`;
  const lines = [
    ...remark(head),
    ...steps.flatMap(({ title, where, lines }, i) => {
      const isComment = isForDevice && where === 'desk';
      const place = isForDevice && where === 'desk' ? ', AT THE DESK' : '';
      return [
        ...remark(`${i + 1} of ${steps.length}${place}: ${title}`),
        ...(isComment ? lines.flatMap((line) => remark(`  ${line}`)) : lines),
      ];
    }),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same steps, in which skolo itself reads from where the present line did. */
export function withOptions(steps: RestoreSteps, options: readonly string[]): RestoreSteps {
  const complete = (line: string) =>
    line.startsWith('skolo backup show ') ? [line, ...options.map(quoted)].join(' ') : line;
  return {
    ...steps,
    steps: steps.steps.map((step) => ({ ...step, lines: step.lines.map(complete) })),
  };
}

/** For people, beside the text. */
function hintsOf(
  command: SkoloCommand,
  device: string,
  { version, comment, steps, canApply, canCheck }: RestoreSteps,
): string[] {
  const atDesk = steps.filter(({ where }) => where === 'desk').length;
  const isMixed = atDesk > 0 && atDesk < steps.length;
  const next = (...options: string[]) =>
    commandLine(
      command,
      'backup restore',
      device,
      '--version',
      shortVersionId(version.id),
      ...options,
    );
  return [
    ...(comment === '' && atDesk < steps.length ? titles(steps) : []),
    ...(isMixed
      ? [`${atDesk} of ${steps.length} steps are done at the desk, not on the device`]
      : []),
    'it holds the secrets of the device',
    ...(canCheck ? [`to see what it would change:  ${next('--check')}`] : []),
    ...(canApply ? [`to have it loaded:            ${next('--apply', '--reason', 'WHY')}`] : []),
  ];
}

/** Of a device without comments, this is the only place for them. */
function titles(steps: RestoreSteps['steps']): string[] {
  return steps.flatMap(({ title, where, lines }, i) => [
    `${i + 1} of ${steps.length}, ${where === 'desk' ? 'AT THE DESK' : 'on the device'}: ${oneLine(title)}`,
    ...(where === 'desk' ? lines.map((line) => `  ${line}`) : []),
  ]);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trimEnd();
}
