/** Scripts that put files in place on a host, for any POSIX shell. */

import { script, shellWord, withArguments } from '@skolo/base';
import type { NewMember } from '../configuration/archive-write.ts';

/**
 * Runs in the directory with `new.tar`. Ends with `done`, or with `given up` if everything is as before. Keeps replaced files in the
 * directory `old`.
 *
 * @param id for unique names next to the files
 */
export function putScript(changes: readonly NewMember[], id: string): string {
  const folders = changes.filter(({ type }) => type === 'folder');
  const files = changes
    .filter(({ type }) => type !== 'folder')
    .map((file, index) => `"$1" ${pathOf(file)} ${index + 1}`);
  const put = script(new URL('./put.sh', import.meta.url));
  return [
    shellFunction(
      'each_folder',
      folders.map((each) => `"$1" ${pathOf(each)} ${octal(each)} ${each.uid}:${each.gid}`),
    ),
    shellFunction('each_file', files),
    shellFunction('each_file_last_first', files.toReversed()),
    withArguments(put, id),
  ].join('');
}

/** Prints what would fail, changes nothing, ends with `end`. */
export function rehearsal(changes: readonly NewMember[]): string {
  const calls = changes.map((member) =>
    [member.type === 'folder' ? 'folder' : 'file', pathOf(member), member.uid].join(' '),
  );
  const rehearse = script(new URL('./rehearse.sh', import.meta.url));
  return `${shellFunction('each_change', calls)}${rehearse}`;
}

function shellFunction(name: string, lines: readonly string[]): string {
  return `${[`${name}() {`, ':', ...lines, '}'].join('\n')}\n`;
}

function pathOf({ name }: NewMember): string {
  return shellWord(`/${name}`);
}

function octal({ mode }: NewMember): string {
  return mode.toString(8).padStart(4, '0');
}
