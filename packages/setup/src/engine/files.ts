/** Files with a required content, and the actions after they have changed. */
import { sha256, shellWord } from '@skolo/base';
import type { FileContent, Host } from './host/host.ts';
import type { Check, Step } from './step.ts';

/** The first line of files that skolo writes. */
export const writtenHead = '# Written by skolo. The next run overwrites your changes.\n';

/** Records that a program has not read its new files yet. A reboot clears it. */
const pendingFolder = '/run/skolo-steps';

/** Records that a program must read new files: shell commands that set and clear the record, and its path. */
export function pendingMark(name: string) {
  const path = shellWord(`${pendingFolder}/${name}`);
  return { path, set: `mkdir -p ${pendingFolder} && touch ${path}`, clear: `rm -f ${path}` };
}

interface FileStep extends Pick<Step, 'name' | 'about'> {
  files: readonly FileContent[];
  /** A script that makes programs read them. */
  activate: string;
  /** A script that prints a line for each fault. */
  verify?: string;
}

/** The step of these files. It detects a run that was killed between writing and activating. */
export function fileStep({ name, about, files, activate, verify }: FileStep): Step {
  const pending = pendingMark(name);
  return {
    name,
    about,
    async check(host) {
      const differs = await differingFiles(host, files);
      const isPending = `if [ -e ${pending.path} ]; then echo 'new settings are not active yet'; fi`;
      const said = await host.need(`${isPending}\n${verify ?? ''}`);
      return withLines({ differs }, said);
    },
    async apply(host) {
      await host.need(pending.set);
      await writeDiffering(host, files);
      await host.need(`set -e\n${activate}\n${pending.clear}`, { deadlineMs: 300_000 });
    },
  };
}

/** A check by a script that prints faults. */
export function checkByScript(script: string): Step['check'] {
  return async (host) => withLines({ differs: [] }, await host.need(script));
}

/**
 * Adds each line that a script has printed. `by hand: ` precedes faults that an operator has caused and only an operator should fix,
 * `note: ` what is no fault.
 */
export function withLines(check: Check, text: string): Check {
  const kinds = Map.groupBy(linesOf(text), (line) => /^(by hand|note): /.exec(line)?.[1]);
  const linesAs = (kind: string) =>
    (kinds.get(kind) ?? []).map((line) => line.slice(kind.length + ': '.length));
  const notes = [...(check.note ? [check.note] : []), ...linesAs('note')];
  return {
    ...check,
    differs: [...check.differs, ...(kinds.get(undefined) ?? [])],
    byHand: [...(check.byHand ?? []), ...linesAs('by hand')],
    ...(notes.length > 0 && { note: notes.join('; ') }),
  };
}

export function linesOf(text: string): string[] {
  return text.split('\n').filter(Boolean);
}

/** Parses a script's output of `key=value` lines. */
export function factsIn(text: string): Record<string, string> {
  return Object.fromEntries(text.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

/** A text for each file that is missing or differs. */
export async function differingFiles(host: Host, files: readonly FileContent[]): Promise<string[]> {
  const states = await readStates(host, files);
  return files.flatMap(({ path }, at) => {
    const state = states[at];
    return state === undefined ? [] : [`${path} ${state}`];
  });
}

export async function writeDiffering(host: Host, files: readonly FileContent[]): Promise<void> {
  const states = await readStates(host, files);
  for (const [at, file] of files.entries()) {
    if (states[at] !== undefined) await host.write(file);
  }
}

/** How each differs; undefined if it does not. */
async function readStates(
  host: Host,
  files: readonly FileContent[],
): Promise<(string | undefined)[]> {
  if (files.length === 0) return [];
  const script = `for each in ${files.map(({ path }) => shellWord(path)).join(' ')}; do
  if [ -f "$each" ]; then echo "$(stat -c '%a %u:%g' "$each") $(sha256sum < "$each")"; else echo; fi
done`;
  const lines = (await host.need(script, { deadlineMs: 600_000 })).split('\n');
  return files.map(({ content, mode = 0o644 }, at) => {
    const [bits, owner, sum] = (lines[at] ?? '').split(' ');
    if (sum === undefined) return 'is missing';
    if (sum !== sumOf(content)) return 'differs';
    return bits === mode.toString(8) && owner === '0:0'
      ? undefined
      : `has mode ${bits} and owner ${owner}`;
  });
}

function sumOf(content: FileContent['content']): string {
  return typeof content === 'object' && 'file' in content ? content.sha256 : sha256(content);
}
