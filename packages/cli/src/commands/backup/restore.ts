import { shellWord } from '@skolo/base';
import { Option } from 'commander';
import { givenOptions, type SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { mustHaveTerminal } from '../../must-type.ts';
import { timestamp } from '../../output/time.ts';
import { partLines, restoreLine, shortVersionId } from './backup-text.ts';
import { oneName } from './equipment-names.ts';
import { applyVersion, checkVersion } from './load-version.ts';
import { outputContent } from './output-content.ts';
import { canReadCopies, type ReaderOptions, type RestoreSteps, withReader } from './reader.ts';
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

/** `skolo backup restore`: prints, checks or runs a restore. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints the steps to restore a version manually, as text to paste into the equipment. The text contains secrets, so this requires the admin role. --check shows what would change and whether the equipment accepts the version. --apply also asks for confirmation and then loads the version, if the model supports this.',
    )
    .summary('restore a version')
    .argument('<equipment>', 'name in rack.yaml')
    .option('--version <version>', versionHelp, 'latest')
    .addOption(new Option('--check', 'only show what would change').conflicts('apply'))
    .option('--apply', 'show what would change, ask for confirmation, and load the version')
    .option('--reason <text>', 'reason to record in the audit log; required with --apply')
    .option('--yes', 'with --apply: do not ask for confirmation')
    .option('-o, --output <file>', 'output file, readable only by you')
    .option('--json', 'print JSON');
  canReadCopies(command).example(
    "skolo backup restore router --version latest~1 --apply --reason 'the vlan broke dhcp'",
  );

  command.action(async (word: string, options: Options) => {
    const { version, check, apply, reason, yes = false, output, json = false } = options;
    rejectUnused(command, options);
    const wanted = { equipment: oneName(word), version };
    if (check || apply) {
      if (check) return checkVersion({ command, json }, wanted);
      if (reason === undefined) {
        return command.error("option '--apply' requires '--reason'");
      }
      if (!yes && json) command.error("option '--apply' with '--json' requires '--yes'");
      if (!yes) mustHaveTerminal(command.io, '--yes');
      return applyVersion({ command, json }, { ...wanted, reason, yes });
    }
    const steps = await withReader(command, options, (reader) =>
      reader.restoreSteps(wanted.equipment, version),
    );
    if (json) return printJson(command.io, steps);
    const more = [...givenOptions(command), ...givenPlace(command, options)];
    const text = Buffer.from(textOfSteps(wanted.equipment, withOptions(steps, more)));
    await outputContent(command.io, text, { exact: true, output });
    for (const hint of hintsOf(command, wanted.equipment, steps)) command.io.err(hint);
    return undefined;
  });
}

/** Options for a copy on this command line. */
function givenPlace(command: SkoloCommand, { from, identity, unauthenticated }: Options): string[] {
  const isRepeated = command.getOptionValueSource('identity') === 'cli';
  return [
    ...(from === undefined ? [] : ['--from', from]),
    ...(isRepeated && identity !== undefined ? ['--identity', identity] : []),
    ...(unauthenticated ? ['--unauthenticated'] : []),
  ];
}

function rejectUnused(command: SkoloCommand, options: Options): void {
  const { check, apply, yes, reason, from, output, json } = options;
  if (from !== undefined && (check || apply)) {
    command.error(`option '--${check ? 'check' : 'apply'}' cannot be used with '--from'`);
  }
  if (output !== undefined && (check || apply || json)) {
    const other = json ? 'json' : check ? 'check' : 'apply';
    command.error(`option '--output' cannot be used with '--${other}'`);
  }
  if (apply) return;
  if (yes) command.error("option '--yes' requires '--apply'");
  if (reason !== undefined) command.error("option '--reason' requires '--apply'");
}

/** Steps on the workstation are comments, so that the whole text can be pasted. If all are, the text is a shell script. */
export function textOfSteps(equipment: string, { version, comment, steps }: RestoreSteps): string {
  const isForEquipment = steps.some(({ where }) => where === 'equipment');
  const mark = isForEquipment ? comment : '#';
  // A device without comments only gets its lines; hints include the titles.
  const remark = (text: string) => (mark === '' ? [] : [`${mark} ${oneLine(text)}`]);
  const head = `${equipment}, version ${shortVersionId(version.id)}, read ${timestamp(version.time)}`;
  const lines = [
    ...remark(head),
    ...partLines(version).flatMap(remark),
    ...steps.flatMap(({ title, where, lines }, i) => {
      const isComment = isForEquipment && where === 'workstation';
      const place = isForEquipment && where === 'workstation' ? ', ON YOUR WORKSTATION' : '';
      return [
        ...remark(`${i + 1} of ${steps.length}${place}: ${title}`),
        ...(isComment ? lines.flatMap((line) => remark(`  ${line}`)) : lines),
      ];
    }),
  ];
  return `${lines.join('\n')}\n`;
}

/** Adds options to each `skolo backup show` line. */
export function withOptions(steps: RestoreSteps, options: readonly string[]): RestoreSteps {
  const complete = (line: string) =>
    line.startsWith('skolo backup show ') ? [line, ...options.map(shellWord)].join(' ') : line;
  return {
    ...steps,
    steps: steps.steps.map((step) => ({ ...step, lines: step.lines.map(complete) })),
  };
}

/** On standard error. */
function hintsOf(
  command: SkoloCommand,
  equipment: string,
  { version, comment, steps, canApply, canCheck }: RestoreSteps,
): string[] {
  const atWorkstation = steps.filter(({ where }) => where === 'workstation').length;
  const isMixed = atWorkstation > 0 && atWorkstation < steps.length;
  const next = (...options: string[]) => restoreLine(command, equipment, version.id, ...options);
  return [
    ...(comment === '' && atWorkstation < steps.length ? titles(steps) : []),
    ...(isMixed
      ? [
          `${atWorkstation} of ${steps.length} steps must be performed on your workstation, not on the equipment`,
        ]
      : []),
    'the text contains secrets',
    ...partLines(version),
    ...(canCheck ? [`to check:  ${next('--check')}`] : []),
    ...(canApply && version.partial === undefined
      ? [`to load:   ${next('--apply', '--reason', 'WHY')}`]
      : []),
  ];
}

function titles(steps: RestoreSteps['steps']): string[] {
  return steps.flatMap(({ title, where, lines }, i) => [
    `${i + 1} of ${steps.length}, ${where === 'workstation' ? 'ON YOUR WORKSTATION' : 'on the equipment'}: ${oneLine(title)}`,
    ...(where === 'workstation' ? lines.map((line) => `  ${line}`) : []),
  ]);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trimEnd();
}
