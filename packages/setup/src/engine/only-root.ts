/**
 * Decides whether users other than root can replace a file that root runs: by its owner and mode, and those of each directory and link
 * on the way to it.
 */
import { script } from '@skolo/base';
import { writtenHead } from './files.ts';
import type { FileContent } from './host/host.ts';

/** A shell function, `only_root FILE…`. */
export const onlyRoot = script(new URL('./only-root.sh', import.meta.url));

/** A script that prints what lets others replace a file, and exits. @param paths as shell words; the files need not exist yet */
export function mustBeOnlyRoots(paths: string): string {
  return `${onlyRoot}said=$(only_root ${paths} | grep -v '^note: ')
[ -z "$said" ] || { echo "$said" >&2; exit 77; }`;
}

/** Runs a shell script as root, unless others could have written it: `skolo-only-root FILE [ARGUMENT…]`. */
export const onlyRootProgram = {
  path: '/usr/local/sbin/skolo-only-root',
  mode: 0o755,
  content: `#!/bin/sh
${writtenHead}# Runs a shell script, unless users other than root can replace it.
${mustBeOnlyRoots('"$1"')}
exec sh "$@"
`,
} satisfies FileContent;
