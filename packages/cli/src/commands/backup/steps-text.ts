/** The steps of a restore as text for a device. A pure function: somebody pastes this into a router at night. */
import type { SkoloCommand } from '../../command.ts';
import { commandLine, quoted } from '../../hints.ts';
import { timestamp } from '../../output/time.ts';
import type { RestoreSteps } from './reader.ts';
import { shortVersionId } from './versions-table.ts';

/**
 * What is not for the device is a comment there, so that the whole can be pasted. Where all of it is done at the desk,
 * that is where it is pasted, and comments are those of a shell.
 */
export function textOfSteps(device: string, { version, comment, steps }: RestoreSteps): string {
  const isForDevice = steps.some(({ where }) => where === 'device');
  const mark = isForDevice ? comment : '#';
  // A device without comments gets nothing but its lines; the titles are among the hints.
  const remark = (text: string) => (mark === '' ? [] : [`${mark} ${oneLine(text)}`]);
  const head = `${device}, version ${shortVersionId(version.id)}, read ${timestamp(new Date(version.time))}`;
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
export function hintsOf(
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
